// @ts-check
// The conversations whose messages have been loaded: newest first, earlier on demand, gaps filled.

import { Conversation } from '../conversation.js';

/**
 * @typedef {import('./api.js').Api} Api
 * @typedef {import('./live.js').Live} Live
 * @typedef {{id: string, conversation: Conversation, state: 'new' | 'loading' | 'ready' | 'failed', error: string | null,
 *   cursor: string | null | undefined, earlier: Promise<void> | null, recovery: Promise<void> | null, turn: Promise<any>}} Thread
 */

const ANSWER_MS = 8_000;
const PAGE = 50;
const MOST_HELD = 20;

export class Threads {
  #api;
  #live;
  /** @type {Map<string, Thread>} in the order of their last use */
  #held = new Map();
  /** @type {Map<string, {resolve: (frame: any) => void, reject: (cause: Error) => void}>} */
  #asked = new Map();

  /** @param {{api: Api, live: () => Live, changed: (id: string) => void}} parts */
  constructor({ api, live, changed }) {
    this.#api = api;
    this.#live = live;
    /** Tells the views that a conversation looks different now. */
    this.changed = changed;
  }

  /** @param {string | null} id @returns {Thread | null} */
  get(id) {
    return (id !== null && this.#held.get(id)) || null;
  }

  clear() {
    this.#held.clear();
    this.#asked.clear();
  }

  /** @param {string} id */
  forget(id) {
    this.#held.delete(id);
  }

  /** @param {any} frame */
  apply(frame) {
    const id = frame.conversation_id ?? frame.item?.conversation_id;
    const thread = this.#held.get(id);
    if (!thread) return;
    const { changed } = thread.conversation.apply(frame);
    if (frame.type === 'history') this.#asked.get(id)?.resolve(frame);
    if (frame.type === 'message' && thread.conversation.hasGap()) this.recover(id);
    if (changed) this.changed(id);
  }

  /** Presence and read marks come with the items of the list. @param {any[]} items */
  know(items) {
    for (const item of items) this.apply({ type: 'conversation_updated', ...item });
  }

  /** The server refused a frame that names no message: whoever waits for a page goes on by REST. */
  refuse() {
    for (const { reject } of this.#asked.values()) reject(new Error('refused'));
  }

  /**
   * Holds a conversation and loads its newest messages unless they are there.
   * @param {string} id @returns {Promise<void>}
   */
  async open(id) {
    const thread = this.#hold(id);
    if (thread.state === 'ready') return this.recover(id);
    if (thread.state === 'loading') return;
    thread.state = 'loading';
    this.changed(id);
    try {
      await this.#page(thread, {});
      thread.state = 'ready';
      thread.error = null;
    } catch (cause) {
      thread.state = 'failed';
      thread.error = /** @type {any} */ (cause).code ?? 'network';
    }
    this.changed(id);
  }

  /** @param {string} id @returns {Promise<void>} */
  earlier(id) {
    const thread = this.#held.get(id);
    if (!thread || thread.state !== 'ready') return Promise.resolve();
    const before = thread.conversation.before();
    if (before === null) return Promise.resolve();
    thread.earlier ??= this.#page(thread, { before }).catch(() => null).then(() => {
      thread.earlier = null;
      this.changed(id);
    });
    return thread.earlier;
  }

  /**
   * Loads backwards until a message is held.
   * @param {string} id @param {number} seq @returns {Promise<void>}
   */
  async reach(id, seq) {
    await this.open(id);
    const thread = this.#held.get(id);
    while (thread?.state === 'ready') {
      const before = thread.conversation.before();
      if (before === null || before <= seq) return;
      await this.earlier(id);
      if (thread.conversation.before() === before) return;
    }
  }

  /** Asks for what came after the last message without a hole. @param {string} id @returns {Promise<void>} */
  recover(id) {
    const thread = this.#held.get(id);
    if (!thread || thread.state !== 'ready') return Promise.resolve();
    thread.recovery ??= this.#recoverAll(thread).finally(() => {
      thread.recovery = null;
    });
    return thread.recovery;
  }

  /** @param {Thread} thread */
  async #recoverAll(thread) {
    let more = true;
    while (more) {
      const since = thread.conversation.contiguousSeq();
      const frame = await this.#page(thread, { since }).catch((cause) => this.#lost(thread, cause));
      more = frame?.has_more === true && thread.conversation.contiguousSeq() > since;
    }
    this.changed(thread.id);
  }

  /** A page that failed is asked for again at the next connect, unless the conversation is no more. @param {Thread} thread @param {any} cause */
  #lost(thread, { code }) {
    if (code !== 'conversation_not_found' && code !== 'not_found') return null;
    thread.state = 'failed';
    thread.error = code;
    thread.conversation.reset();
    return null;
  }

  /**
   * An answer does not say which question it answers, so a conversation asks one thing at a time.
   * @param {Thread} thread @param {{before?: number, since?: number}} range
   * @returns {Promise<any>} the page, already applied
   */
  #page(thread, range) {
    const page = thread.turn.then(() => this.#ask(thread, range));
    thread.turn = page.catch(() => null);
    return page;
  }

  /** @param {Thread} thread @param {{before?: number, since?: number}} range */
  async #ask(thread, range) {
    if (this.#live().open) {
      try {
        return await this.#bySocket(thread, range);
      } catch {
        // Not answered in time or cut meanwhile: the same page can be had by REST.
      }
    }
    return this.#byRest(thread, range);
  }

  /** @param {Thread} thread @param {{before?: number, since?: number}} range */
  #bySocket(thread, range) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(reject, new Error('no answer')), ANSWER_MS);
      /** @param {(value: any) => void} how @param {any} value */
      const settle = (how, value) => {
        clearTimeout(timer);
        this.#asked.delete(thread.id);
        how(value);
      };
      this.#asked.set(thread.id, {
        resolve: (frame) => settle(resolve, frame),
        reject: (cause) => settle(reject, cause),
      });
      const sent = this.#live().send({ type: 'history', conversation_id: thread.id, ...range });
      if (!sent) settle(reject, new Error('no socket'));
    });
  }

  /**
   * REST pages go from the newest backwards, so what came `since` is found by walking back to it.
   * @param {Thread} thread @param {{before?: number, since?: number}} range
   */
  async #byRest(thread, { before, since }) {
    let cursor = before === undefined ? undefined : thread.cursor;
    let lowest = Infinity;
    do {
      const page = await this.#api.get(`/api/admin/messages/${encodeURIComponent(thread.id)}`, { limit: PAGE, cursor });
      cursor = page.next_cursor ?? null;
      if (before !== undefined || thread.cursor === undefined) thread.cursor = cursor;
      lowest = Math.min(lowest, page.items[0]?.seq ?? 0);
      const { conversation } = thread;
      conversation.apply({
        type: 'history', conversation_id: thread.id, messages: page.items, has_more: cursor !== null,
        head_seq: page.items.at(-1)?.seq ?? 0,
      });
    } while (cursor !== null && ((since !== undefined && lowest > since + 1) || (before !== undefined && lowest >= before)));
    this.changed(thread.id);
    return { has_more: false };
  }

  /** @param {string} id @returns {Thread} */
  #hold(id) {
    const held = this.#held.get(id);
    const thread = held ?? {
      id, conversation: new Conversation({ id }), state: /** @type {const} */ ('new'), error: null,
      cursor: undefined, earlier: null, recovery: null, turn: Promise.resolve(),
    };
    this.#held.delete(id);
    this.#held.set(id, thread);
    for (const old of [...this.#held.keys()].slice(0, -MOST_HELD)) this.#held.delete(old);
    return thread;
  }
}
