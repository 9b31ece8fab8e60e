// @ts-check
// One WebSocket that keeps itself alive: backoff, heartbeats, planned rotation.

/** @typedef {'connecting' | 'open' | 'waiting' | 'offline' | 'stopped'} SocketState */
/**
 * Why a connection did not open or was refused; `failures` counts those that did not open, in a row.
 * @typedef {{code: number, reason: string, failures: number, error?: unknown}} Refusal
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const BACKOFF_FIRST = 0.5 * SECOND;
const BACKOFF_MAX = 30 * SECOND;
const OPEN_LIMIT = 15 * SECOND;
const PONG_LIMIT = 10 * SECOND;
const PING_LEAST = 4 * MINUTE;
const PING_SPREAD = 1 * MINUTE;
const WAKE_SPREAD = 5 * SECOND;
// API Gateway cuts a connection after 2 hours; going first costs nothing and the spread avoids a crowd.
const ROTATE_LEAST = 105 * MINUTE;
const ROTATE_SPREAD = 10 * MINUTE;
const POLICY_VIOLATION = 1008;

/** The world outside, replaced in tests. */
const browser = () => ({
  WebSocket: globalThis.WebSocket,
  setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => globalThis.setTimeout(run, ms),
  clearTimeout: (/** @type {any} */ timer) => globalThis.clearTimeout(timer),
  random: () => Math.random(),
  isOnline: () => globalThis.navigator?.onLine !== false,
  isVisible: () => globalThis.document?.visibilityState !== 'hidden',
  /** @param {'online' | 'offline' | 'visibilitychange'} event @param {() => void} listener */
  listen: (event, listener) => {
    const target = event === 'visibilitychange' ? globalThis.document : globalThis;
    target?.addEventListener?.(event, listener);
  },
});

export class Socket {
  /** @type {SocketState} */
  state = 'stopped';
  #options;
  #world;
  /** @type {WebSocket | null} */
  #socket = null;
  /** Attempts that ended before anything was received, in a row. */
  #failures = 0;
  /** Attempts that did not even open, in a row. */
  #refusals = 0;
  /** @type {Map<string, any>} */
  #timers = new Map();
  /** Invalidates what an attempt of before still has in flight. */
  #attempt = 0;

  /**
   * @param {{url: () => Promise<string>, onOpen?: () => void, onFrame?: (frame: any) => void,
   *   onState?: (state: SocketState) => void, onRefused?: (refusal: Refusal) => void}} options
   * @param {Partial<ReturnType<typeof browser>>} [world]
   */
  constructor(options, world = {}) {
    this.#options = options;
    this.#world = { ...browser(), ...world };
    this.#world.listen('online', () => this.#wake());
    this.#world.listen('offline', () => this.#ping());
    this.#world.listen('visibilitychange', () => {
      if (this.#world.isVisible()) this.#wake();
    });
  }

  start() {
    if (this.state === 'stopped') this.#connect();
  }

  stop() {
    this.#drop();
    this.#failures = 0;
    this.#refusals = 0;
    this.#setState('stopped');
  }

  /** Goes to a new connection at once. */
  restart() {
    if (this.state === 'stopped') return;
    this.#drop();
    this.#connect();
  }

  /**
   * @param {object} frame
   * @returns {boolean} false when there is no open connection to put it on
   */
  send(frame) {
    if (this.state !== 'open' || !this.#socket) return false;
    try {
      this.#socket.send(JSON.stringify(frame));
      return true;
    } catch {
      return false;
    }
  }

  async #connect() {
    this.#setState('connecting');
    const attempt = ++this.#attempt;
    this.#after('open', OPEN_LIMIT, () => this.#lost(1006, 'timeout'));
    try {
      const url = await this.#options.url();
      if (attempt !== this.#attempt) return;
      this.#open(new this.#world.WebSocket(url), attempt);
    } catch (error) {
      if (attempt === this.#attempt) this.#lost(0, '', error);
    }
  }

  /** @param {WebSocket} socket @param {number} attempt */
  #open(socket, attempt) {
    this.#socket = socket;
    const current = () => attempt === this.#attempt;
    socket.onopen = () => {
      if (!current()) return;
      this.#cancel('open');
      this.#refusals = 0;
      this.#setState('open');
      this.#schedulePing();
      this.#after('rotate', ROTATE_LEAST + this.#world.random() * ROTATE_SPREAD, () => this.restart());
      this.#options.onOpen?.();
    };
    socket.onmessage = (event) => {
      if (current()) this.#receive(event.data);
    };
    socket.onclose = (event) => {
      if (current()) this.#lost(event.code, event.reason);
    };
  }

  /** @param {unknown} data */
  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(String(data));
    } catch {
      return;
    }
    this.#failures = 0;
    if (frame?.type === 'pong') this.#cancel('pong');
    this.#options.onFrame?.(frame);
  }

  /** @param {number} code @param {string} reason @param {unknown} [error] */
  #lost(code, reason, error) {
    const neverOpened = this.state !== 'open';
    this.#drop();
    this.#failures += 1;
    if (neverOpened) this.#refusals += 1;
    const ceiling = Math.min(BACKOFF_MAX, BACKOFF_FIRST * 2 ** Math.min(this.#failures - 1, 10));
    this.#after('retry', this.#world.random() * ceiling, () => this.#connect());
    this.#setState(this.#world.isOnline() ? 'waiting' : 'offline');
    // Last, since whoever hears it may stop us.
    if (neverOpened || code === POLICY_VIOLATION) {
      this.#options.onRefused?.({ code, reason, failures: this.#refusals, error });
    }
  }

  /** Lets go of the connection and of every timer. */
  #drop() {
    this.#attempt += 1;
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close();
    } catch {
      // It was closed already.
    }
  }

  #wake() {
    if (this.state === 'waiting' || this.state === 'offline') {
      this.#cancel('retry');
      this.#connect();
    } else if (this.state === 'open') {
      // A sleeping machine may have lost pushes; the pong's head_seq tells. Spread, since offices wake together.
      this.#after('ping', this.#world.random() * WAKE_SPREAD, () => this.#ping());
    }
  }

  #schedulePing() {
    this.#after('ping', PING_LEAST + this.#world.random() * PING_SPREAD, () => this.#ping());
  }

  #ping() {
    if (!this.send({ type: 'ping' })) return;
    this.#schedulePing();
    if (!this.#timers.has('pong')) this.#after('pong', PONG_LIMIT, () => this.restart());
  }

  /** @param {SocketState} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.#options.onState?.(state);
  }

  /** @param {string} name @param {number} ms @param {() => void} run */
  #after(name, ms, run) {
    this.#cancel(name);
    this.#timers.set(name, this.#world.setTimeout(() => {
      this.#timers.delete(name);
      run();
    }, ms));
  }

  /** @param {string} name */
  #cancel(name) {
    if (!this.#timers.has(name)) return;
    this.#world.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
