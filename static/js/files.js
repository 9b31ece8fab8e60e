// @ts-check
// Files of messages: fetched with the credentials of this side and held as addresses of this page alone. No DOM.

/**
 * @typedef {'idle' | 'loading' | 'waiting' | 'ready' | 'failed'} FileState
 * @typedef {'image' | 'audio' | 'file'} FileKind
 * @typedef {(path: string, range: string) => Promise<Response>} OpenFile asks with credentials; rejects without an answer
 * @typedef {{state: FileState, kind: FileKind | null, url: string | null, tries: number, timer: any}} HeldFile
 */

/** What may be shown in place. An SVG is a document with scripts, and therefore not among them. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);
/** The only addresses that ever see the credentials. */
const OURS = /^\/files\/[\w-]+\/[\w-]+$/u;
/** The server asks for patience with these, and says how much. */
const PASSING = [404, 429, 503];
const LONGEST_WAIT_MS = 30_000;
/** About eight minutes; after them somebody has to ask again. */
const TRIES = 20;
const GROWTH = 1.5;
/** A function on AWS may answer so much at once; what is larger comes in parts, which asks nothing of another server. */
const PART = 4 * 1024 * 1024;

const browser = () => ({
  createObjectURL: (/** @type {Blob} */ blob) => URL.createObjectURL(blob),
  revokeObjectURL: (/** @type {string} */ url) => URL.revokeObjectURL(url),
  setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => globalThis.setTimeout(run, ms),
  clearTimeout: (/** @type {any} */ timer) => globalThis.clearTimeout(timer),
});

export class Files {
  #open;
  #onChange;
  #world;
  /** @type {Map<string, HeldFile>} */
  #held = new Map();

  /**
   * @param {{open: OpenFile, onChange: (path: string) => void}} options
   * @param {ReturnType<typeof browser>} [world]
   */
  constructor({ open, onChange }, world = browser()) {
    this.#open = open;
    this.#onChange = onChange;
    this.#world = world;
  }

  /** @param {string} path @returns {Readonly<HeldFile>} */
  get(path) {
    return this.#held.get(path) ?? fresh();
  }

  /** Fetches what has not been asked for; a file that failed is asked for once more. @param {string} path */
  load(path) {
    const { state } = this.get(path);
    if (state !== 'idle' && state !== 'failed') return;
    const file = fresh();
    this.#held.set(path, file);
    if (!OURS.test(path)) {
      this.#settle(path, file, 'failed');
      return;
    }
    this.#settle(path, file, 'loading');
    this.#ask(path, file);
  }

  /** Lets go of everything; what is still on its way finds nobody. */
  clear() {
    for (const { url, timer } of this.#held.values()) {
      if (url !== null) this.#world.revokeObjectURL(url);
      this.#world.clearTimeout(timer);
    }
    this.#held.clear();
  }

  /** @param {string} path @param {HeldFile} file */
  async #ask(path, file) {
    try {
      const response = await this.#open(path, range(0));
      if (response.ok) await this.#keep(path, file, response);
      else this.#refused(path, file, response);
    } catch {
      this.#settle(path, file, 'failed');
    }
  }

  /** @param {string} path @param {HeldFile} file @param {Response} response */
  async #keep(path, file, response) {
    const parts = [await response.arrayBuffer()];
    const total = Number(/\/(\d+)$/u.exec(response.headers.get('Content-Range') ?? '')?.[1] ?? 0);
    for (let held = parts[0].byteLength; held < total; held += parts[parts.length - 1].byteLength) {
      if (this.#held.get(path) !== file) return;
      parts.push(await this.#part(path, held));
    }
    if (this.#held.get(path) !== file) return;
    const mime = (response.headers.get('Content-Type') ?? '').split(';')[0].trim().toLowerCase();
    file.kind = kindOf(mime);
    // Under no other name than that of mere bytes could a page open it as a document of ours.
    const type = file.kind === 'file' ? 'application/octet-stream' : mime;
    file.url = this.#world.createObjectURL(new Blob(parts, { type }));
    this.#settle(path, file, 'ready');
  }

  /** @param {string} path @param {number} from @returns {Promise<ArrayBuffer>} */
  async #part(path, from) {
    const response = await this.#open(path, range(from));
    const bytes = response.status === 206 ? await response.arrayBuffer() : null;
    if (!bytes?.byteLength) throw new Error(`the part from ${from} did not come`);
    return bytes;
  }

  /** @param {string} path @param {HeldFile} file @param {Response} response */
  #refused(path, file, response) {
    const seconds = Number(response.headers.get('Retry-After') ?? 0);
    file.tries += 1;
    if (!PASSING.includes(response.status) || !(seconds > 0) || file.tries > TRIES) {
      this.#settle(path, file, 'failed');
      return;
    }
    this.#settle(path, file, 'waiting');
    // Slower each time: the limit of requests is shared with the chat itself.
    const patient = Math.min(LONGEST_WAIT_MS, 1000 * GROWTH ** file.tries);
    if (this.#held.get(path) !== file) return;
    file.timer = this.#world.setTimeout(() => this.#ask(path, file), Math.max(seconds * 1000, patient));
  }

  /** @param {string} path @param {HeldFile} file @param {FileState} state */
  #settle(path, file, state) {
    if (this.#held.get(path) !== file) return;
    file.state = state;
    this.#onChange(path);
  }
}

/** @param {string} mime as the answer says, which has looked at the bytes @returns {FileKind} */
export function kindOf(mime) {
  if (PICTURES.has(mime)) return 'image';
  return /^audio\/[\w.+-]+$/u.test(mime) ? 'audio' : 'file';
}

/** @param {number} from */
function range(from) {
  return `bytes=${from}-${from + PART - 1}`;
}

/** @returns {HeldFile} */
function fresh() {
  return { state: 'idle', kind: null, url: null, tries: 0, timer: null };
}

/**
 * Consecutive confirmed files of one album, sent by one person, stand together; every other message alone.
 * @template {{seq?: number, sender?: string, file?: any}} T
 * @param {T[]} messages @returns {T[][]}
 */
export function inAlbums(messages) {
  /** @type {T[][]} */
  const groups = [];
  for (const message of messages) {
    const last = groups.at(-1)?.at(-1);
    const album = message.file?.album;
    if (album && last?.file?.album === album && last.sender === message.sender) groups.at(-1)?.push(message);
    else groups.push([message]);
  }
  return groups;
}
