// @ts-check
// What is known of each message's way to Telegram. No DOM.

import { conversationPath } from './acts.js';

/**
 * @typedef {{seq: number, reason: string}} Failure
 * @typedef {{sentSeq: number, failures: Map<number, string>, pausedUntil: number | null}} Way
 */

/** Time for a message to arrive there before somebody asks. */
const PATIENCE_MS = 6_000;
const LONGEST_PATIENCE_MS = 60_000;

const browser = () => ({
  now: () => Date.now(),
  setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => globalThis.setTimeout(run, ms),
  clearTimeout: (/** @type {any} */ timer) => globalThis.clearTimeout(timer),
});

export class TelegramWay {
  /** Whether this installation has Telegram at all; null until it has said so. @type {boolean | null} */
  enabled = null;
  #api;
  #headSeq;
  #changed;
  #world;
  /** @type {Map<string, Way>} */
  #held = new Map();
  /** The one conversation that is looked after. @type {string | null} */
  #open = null;
  #patience = PATIENCE_MS;
  /** @type {any} */
  #timer = null;

  /**
   * @param {{api: import('./api.js').Api, headSeq: (id: string) => number, changed: (id: string) => void}} parts
   * @param {ReturnType<typeof browser>} [world]
   */
  constructor({ api, headSeq, changed }, world = browser()) {
    this.#api = api;
    this.#headSeq = headSeq;
    this.#changed = changed;
    this.#world = world;
  }

  /** Looks after this conversation from now on, and no other. @param {string | null} id */
  open(id) {
    this.#world.clearTimeout(this.#timer);
    this.#open = id;
    this.#patience = PATIENCE_MS;
    return id === null || this.enabled === false ? Promise.resolve() : this.#ask(id);
  }

  /** @param {any} frame */
  apply(frame) {
    const { type, conversation_id: id } = frame;
    if (type === 'telegram_status') this.#take(id, frame);
    if (type === 'conversation_deleted') this.#held.delete(id);
    if (type !== 'message' || id !== this.#open || this.enabled !== true) return;
    this.#patience = PATIENCE_MS;
    this.#later();
  }

  clear() {
    this.open(null);
    this.#held.clear();
    this.enabled = null;
  }

  /** @param {string | null} id @returns {'sent' | 'queued' | null} null while nothing is known */
  summary(id) {
    const way = this.#way(id);
    if (id === null || !way) return null;
    return way.sentSeq >= this.#headSeq(id) ? 'sent' : 'queued';
  }

  /**
   * What is worth a line under a message; nothing is when all is well.
   * @param {string} id @param {number | undefined} seq
   * @returns {{failed: string} | {waiting: number} | null} why, or for how many seconds more
   */
  trouble(id, seq) {
    const way = this.#way(id);
    if (!way || seq === undefined) return null;
    const failed = way.failures.get(seq);
    if (failed !== undefined) return { failed };
    const wait = this.#wait(way);
    return wait > 0 && seq > way.sentSeq && seq === this.#headSeq(id) ? { waiting: wait } : null;
  }

  /** @param {string | null} id @returns {boolean} whether the words change by themselves, second by second */
  ticks(id) {
    const way = this.#way(id);
    return way !== null && id !== null && way.sentSeq < this.#headSeq(id) && this.#wait(way) > 0;
  }

  /** @param {string | null} id */
  #way(id) {
    return (this.enabled === true && id !== null && this.#held.get(id)) || null;
  }

  /** @param {Way} way @returns {number} seconds */
  #wait({ pausedUntil }) {
    return pausedUntil === null ? 0 : Math.ceil((pausedUntil - this.#world.now()) / 1000);
  }

  #later() {
    this.#world.clearTimeout(this.#timer);
    this.#timer = this.#world.setTimeout(() => this.#open !== null && this.#ask(this.#open), this.#patience);
  }

  /** @param {string} id */
  async #ask(id) {
    const answer = await this.#api.get(`${conversationPath(id)}/telegram`).catch(() => null);
    if (answer === null) return;
    this.enabled = answer.enabled === true;
    this.#take(id, answer);
    if (id !== this.#open || this.summary(id) !== 'queued') return;
    // On its way, or held up: asked again, less and less often, so that "queued" does not stand there for ever.
    this.#later();
    this.#patience = Math.min(LONGEST_PATIENCE_MS, this.#patience * 2);
  }

  /** @param {string} id @param {any} answer */
  #take(id, { sent_seq, failures, paused_until }) {
    const held = this.#held.get(id);
    const until = Date.parse(paused_until ?? '');
    this.#held.set(id, {
      sentSeq: Math.max(held?.sentSeq ?? 0, Number(sent_seq) || 0),
      failures: new Map((failures ?? []).map((/** @type {Failure} */ { seq, reason }) => [seq, reason])),
      pausedUntil: Number.isNaN(until) ? null : until,
    });
    this.#changed(id);
  }
}
