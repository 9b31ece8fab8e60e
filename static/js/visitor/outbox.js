// @ts-check
// Sends what is pending, one after the other, so that messages arrive in the order they were written.

/** @typedef {import('../conversation.js').Conversation} Conversation */
/** @typedef {import('../conversation.js').Unconfirmed} Unconfirmed */

// The confirmation of a stored message may be lost; asking again stores nothing twice.
const ANSWER_LIMIT_MS = 10_000;
const INTERNAL_TRIES = 3;
/** Refusals that time heals; everything else is final until the visitor decides. */
const PASSING = new Set(['rate_limited', 'capacity', 'not_joined', 'network', 'internal']);

const timers = () => ({
  setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => globalThis.setTimeout(run, ms),
  clearTimeout: (/** @type {any} */ timer) => globalThis.clearTimeout(timer),
});

export class Outbox {
  /** @type {'' | 'rate_limited' | 'capacity'} why a message waits */
  notice = '';
  #conversation;
  #send;
  #onSettled;
  #world;
  /** @type {string | null} client_id of the message on its way */
  #inFlight = null;
  /** @type {any} */
  #timer = null;
  /** @type {Map<string, number>} */
  #internalErrors = new Map();

  /**
   * @param {{conversation: () => Conversation, send: (frame: object) => boolean,
   *   onSettled: (message: Unconfirmed) => void}} options `onSettled`: a message has failed for good
   * @param {ReturnType<typeof timers>} [world]
   */
  constructor({ conversation, send, onSettled }, world = timers()) {
    this.#conversation = conversation;
    this.#send = send;
    this.#onSettled = onSettled;
    this.#world = world;
  }

  flush() {
    if (this.#inFlight !== null || this.#timer !== null) return;
    const next = this.#conversation().pending()[0];
    if (!next) return;
    if (!this.#send({ type: 'message', content: next.content, client_id: next.client_id })) return;
    this.#inFlight = next.client_id;
    this.#after(ANSWER_LIMIT_MS);
  }

  connected() {
    this.#release();
    this.flush();
  }

  connectionLost() {
    this.#release();
  }

  /** @param {string} clientId */
  confirmed(clientId) {
    this.#internalErrors.delete(clientId);
    if (clientId !== this.#inFlight) return;
    this.notice = '';
    this.connected();
  }

  /**
   * @param {string} clientId
   * @param {string} error
   * @param {number} retryAfter milliseconds
   */
  refused(clientId, error, retryAfter) {
    if (clientId === this.#inFlight) this.#release();
    if (this.isPassing(error) && !this.#gaveUp(clientId, error)) {
      if (error === 'rate_limited' || error === 'capacity') this.notice = error;
      this.#after(retryAfter);
      return;
    }
    this.#conversation().fail(clientId, error);
    const failed = this.#conversation().unconfirmed().find((message) => message.client_id === clientId);
    if (failed) this.#onSettled(failed);
    this.flush();
  }

  /** @param {string} error */
  isPassing(error) {
    return PASSING.has(error);
  }

  reset() {
    this.#release();
    this.#internalErrors.clear();
    this.notice = '';
  }

  /** @param {string} clientId @param {string} error */
  #gaveUp(clientId, error) {
    if (error !== 'internal') return false;
    const errors = (this.#internalErrors.get(clientId) ?? 0) + 1;
    this.#internalErrors.set(clientId, errors);
    return errors >= INTERNAL_TRIES;
  }

  #release() {
    this.#inFlight = null;
    this.#world.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** @param {number} ms */
  #after(ms) {
    this.#world.clearTimeout(this.#timer);
    this.#timer = this.#world.setTimeout(() => this.connected(), ms);
  }
}
