// @ts-check
// Local storage that cannot fail: private windows, full quotas and damaged values
// fall back to the memory of this tab.

const PREFIX = 'parley';

/** @returns {Storage | null} */
function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/**
 * @param {string} namespace
 * @param {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null} [backend]
 */
export function storage(namespace, backend = browserStorage()) {
  /** @type {Map<string, string>} */
  const memory = new Map();
  const name = (/** @type {string} */ key) => `${PREFIX}.${namespace}.${key}`;

  /** @param {string} key */
  function read(key) {
    if (memory.has(key)) return memory.get(key) ?? null;
    try {
      return backend ? backend.getItem(name(key)) : null;
    } catch {
      return null;
    }
  }

  return {
    /**
     * @template T
     * @param {string} key
     * @param {T} [fallback]
     * @returns {any}
     */
    get(key, fallback) {
      const text = read(key);
      if (text === null) return fallback ?? null;
      try {
        return JSON.parse(text) ?? fallback ?? null;
      } catch {
        return fallback ?? null;
      }
    },

    /**
     * @param {string} key
     * @param {unknown} value
     * @returns {boolean} whether it will survive a reload
     */
    set(key, value) {
      const text = JSON.stringify(value);
      try {
        if (!backend) throw new Error('no storage');
        backend.setItem(name(key), text);
        memory.delete(key);
        return true;
      } catch {
        memory.set(key, text);
        return false;
      }
    },

    /** @param {string} key */
    remove(key) {
      memory.delete(key);
      try {
        backend?.removeItem(name(key));
      } catch {
        // Nothing was kept there.
      }
    },

    /**
     * Calls `listener` when another tab changes the key.
     * @param {string} key
     * @param {() => void} listener
     */
    onChange(key, listener) {
      globalThis.addEventListener?.('storage', (event) => {
        // A null key means that everything was cleared.
        if (event.key === name(key) || event.key === null) listener();
      });
    },
  };
}
