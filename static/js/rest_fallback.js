// @ts-check
// The visitor's frames over plain HTTP, for networks that let no WebSocket through.

const POLL_MS = 6000;

/** The world outside, replaced in tests. */
const browser = () => ({
  fetch: (/** @type {string} */ path, /** @type {RequestInit} */ init) => globalThis.fetch(path, init),
  setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => globalThis.setTimeout(run, ms),
  clearTimeout: (/** @type {any} */ timer) => globalThis.clearTimeout(timer),
});

/** @typedef {{conversation_id: string, resume_token: string}} Credentials */

export class RestFallback {
  #credentials;
  #onFrame;
  #onTick;
  #world;
  #active = false;
  /** @type {any} */
  #timer = null;

  /**
   * `onTick` is called at the start and every few seconds: the moment to ask for what is new.
   * @param {{credentials: () => Credentials | null, onFrame: (frame: any) => void, onTick: () => void}} options
   * @param {Partial<ReturnType<typeof browser>>} [world]
   */
  constructor({ credentials, onFrame, onTick }, world = {}) {
    this.#credentials = credentials;
    this.#onFrame = onFrame;
    this.#onTick = onTick;
    this.#world = { ...browser(), ...world };
  }

  get active() {
    return this.#active;
  }

  start() {
    if (this.#active) return;
    this.#active = true;
    this.#tick();
  }

  stop() {
    this.#active = false;
    this.#world.clearTimeout(this.#timer);
  }

  /**
   * Takes a frame as the socket would; what has no route is refused.
   * @param {any} frame
   * @returns {boolean}
   */
  send(frame) {
    if (!this.#active) return false;
    const request = this.#request(frame);
    if (!request) return false;
    this.#carry(request, frame.client_id);
    return true;
  }

  #tick() {
    if (!this.#active) return;
    this.#timer = this.#world.setTimeout(() => this.#tick(), POLL_MS);
    this.#onTick();
  }

  /**
   * @param {any} frame
   * @returns {{path: string, answer: string | null, method?: string, body?: object} | null}
   */
  #request({ type, ...fields }) {
    if (type === 'join') return { path: 'join', answer: 'joined', method: 'POST', body: fields };
    const credentials = this.#credentials();
    if (!credentials) return null;
    const body = { ...fields, conversation_id: credentials.conversation_id };
    switch (type) {
      case 'resume': {
        const query = new URLSearchParams({ conversation_id: credentials.conversation_id });
        if (fields.since !== undefined) query.set('since', String(fields.since));
        return { path: `messages?${query}`, answer: 'history' };
      }
      case 'message': return { path: 'send', answer: 'message', method: 'POST', body };
      case 'read': return { path: 'read', answer: null, method: 'POST', body };
      case 'end': return { path: 'end', answer: 'conversation_closed', method: 'POST', body };
      default: return null;
    }
  }

  /**
   * @param {{path: string, answer: string | null, method?: string, body?: object}} request
   * @param {string | undefined} clientId
   */
  async #carry({ path, answer, method = 'GET', body }, clientId) {
    const frame = await this.#exchange(path, { method, body }, clientId);
    if (this.#active && (answer || frame.error)) this.#onFrame({ ...(frame.error ? {} : { type: answer }), ...frame });
  }

  /**
   * @param {string} path
   * @param {{method: string, body?: object}} request
   * @param {string | undefined} clientId
   */
  async #exchange(path, { method, body }, clientId) {
    const credentials = this.#credentials();
    try {
      const response = await this.#world.fetch(`/api/visitor/${path}`, {
        method,
        cache: 'no-store',
        credentials: 'omit',
        headers: {
          ...(body && { 'Content-Type': 'application/json' }),
          ...(credentials && { Authorization: `Bearer ${credentials.resume_token}` }),
        },
        body: body && JSON.stringify(body),
      });
      const answer = await response.json();
      return response.ok ? answer : errorFrame(answer, response.headers.get('Retry-After'), clientId);
    } catch {
      return errorFrame({ error: 'network' }, null, clientId);
    }
  }
}

/**
 * @param {any} answer
 * @param {string | null} retryAfter seconds
 * @param {string | undefined} clientId
 */
function errorFrame(answer, retryAfter, clientId) {
  const seconds = Number(retryAfter);
  return {
    type: 'error',
    error: typeof answer?.error === 'string' ? answer.error : 'internal',
    ...(clientId && { client_id: clientId }),
    ...(retryAfter !== null && seconds > 0 && { retry_after_ms: seconds * 1000 }),
  };
}
