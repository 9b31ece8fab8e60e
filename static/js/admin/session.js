// @ts-check
// The admin session as every tab of the panel shares it.

/**
 * @typedef {{get(key: string): any, set(key: string, value: any): unknown, remove(key: string): unknown}} Store
 * @typedef {'left' | 'ended'} End
 * @typedef {{token: string, name: string, expires_at: string | null}} Grant
 */

const KEY = 'session';

export class Session {
  #store;
  #listeners = new Set();
  /** @type {Grant | null} */
  #grant = null;

  /** @param {Store} store survives a reload and is seen by the other tabs */
  constructor(store) {
    this.#store = store;
    this.#grant = readGrant(store);
  }

  get active() {
    return this.#grant !== null;
  }

  get token() {
    return this.#grant?.token ?? null;
  }

  get name() {
    return this.#grant?.name ?? '';
  }

  /** @param {Grant} grant the answer of a login */
  begin({ token, name, expires_at }) {
    this.#keep({ token, name: name ?? '', expires_at: expires_at ?? null });
  }

  /**
   * Takes a replaced token over. An answer to a request that used an older token is ignored:
   * by then another answer has brought a newer one.
   * @param {string | null} used @param {string} next
   */
  rotate(used, next) {
    if (!this.#grant || this.#grant.token !== used || !next) return;
    this.#keep({ ...this.#grant, token: next });
  }

  /** @param {End} [how] whether somebody logged out here or was shut out */
  end(how = 'ended') {
    if (!this.#grant) return;
    this.#grant = null;
    this.#store.remove(KEY);
    this.#tell(how);
  }

  /** Reads again what another tab may have written: a rotation, a login or a logout. */
  refresh() {
    const before = this.#grant;
    this.#grant = readGrant(this.#store);
    if (before?.token !== this.#grant?.token) this.#tell();
  }

  /** @param {(active: boolean, how: End) => void} listener */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {Grant} grant */
  #keep(grant) {
    this.#grant = grant;
    this.#store.set(KEY, grant);
    this.#tell();
  }

  /** @param {End} [how] */
  #tell(how = 'ended') {
    for (const listener of this.#listeners) listener(this.active, how);
  }
}

/** @param {Store} store @returns {Grant | null} */
function readGrant(store) {
  const held = store.get(KEY);
  if (!held || typeof held !== 'object' || typeof held.token !== 'string' || held.token === '') return null;
  return {
    token: held.token,
    name: typeof held.name === 'string' ? held.name : '',
    expires_at: typeof held.expires_at === 'string' ? held.expires_at : null,
  };
}
