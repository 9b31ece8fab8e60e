// @ts-check
// Answers on their way: shown at once, sent by whatever connection there is, kept until confirmed.

import { newClientId } from '../client_id.js';
import { Outbox } from './outbox.js';

/**
 * @typedef {import('./api.js').Api} Api
 * @typedef {import('./live.js').Live} Live
 * @typedef {import('./threads.js').Threads} Threads
 * @typedef {import('./outbox.js').Letter} Letter
 */

/** A message that the socket took and nobody confirmed is sent once more by REST after this. */
const CONFIRM_MS = 10_000;

export class Letters {
  #api;
  #live;
  #threads;
  #outbox;
  #name;
  #onFrame;
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  /**
   * @param {{api: Api, live: Live, threads: Threads, store: import('./session.js').Store, name: () => string,
   *   onFrame: (frame: any) => void}} parts
   */
  constructor({ api, live, threads, store, name, onFrame }) {
    this.#api = api;
    this.#live = live;
    this.#threads = threads;
    this.#outbox = new Outbox(store);
    this.#name = name;
    this.#onFrame = onFrame;
  }

  stop() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** @param {string} conversation @param {string} content */
  send(conversation, content) {
    const letter = { conversation_id: conversation, client_id: newClientId(), content, created_at: new Date().toISOString() };
    this.#outbox.add(letter);
    this.#show(letter);
    this.#dispatch(letter);
  }

  /** Puts what is not confirmed yet into a conversation that has just been opened. @param {string} conversation */
  show(conversation) {
    for (const letter of this.#outbox.letters(conversation)) this.#show(letter);
  }

  resend() {
    for (const letter of this.#outbox.waiting()) this.#dispatch(letter);
  }

  /** @param {string} clientId */
  retry(clientId) {
    this.#outbox.mark(clientId, null);
    const letter = this.#outbox.letters().find((held) => held.client_id === clientId);
    if (!letter) return;
    this.#threads.get(letter.conversation_id)?.conversation.retry(clientId);
    this.#dispatch(letter);
  }

  /** @param {string} conversation @param {string} clientId */
  discard(conversation, clientId) {
    this.#settle(clientId);
    this.#threads.get(conversation)?.conversation.discard(clientId);
  }

  /** @param {{client_id?: string | null}} message */
  confirm({ client_id }) {
    if (client_id) this.#settle(client_id);
  }

  /** @param {string} clientId @param {string} reason an error code */
  fail(clientId, reason) {
    const letter = this.#outbox.letters().find((held) => held.client_id === clientId);
    if (!letter) return;
    if (reason === 'conversation_not_found') {
      // There is no place left where it could be shown or sent.
      this.#settle(clientId);
      return;
    }
    clearTimeout(this.#timers.get(clientId));
    this.#outbox.mark(clientId, reason);
    this.#threads.get(letter.conversation_id)?.conversation.fail(clientId, reason);
    this.#threads.changed(letter.conversation_id);
  }

  /** @param {string} conversation */
  forget(conversation) {
    this.#outbox.forget(conversation);
  }

  /** @param {Letter} letter */
  #show(letter) {
    const conversation = this.#threads.get(letter.conversation_id)?.conversation;
    if (!conversation) return;
    const { client_id, content, created_at, failed } = letter;
    conversation.addPending({ client_id, content, created_at, author: this.#name() });
    if (failed) conversation.fail(client_id, failed);
    this.#threads.changed(letter.conversation_id);
  }

  /** @param {Letter} letter */
  #dispatch(letter) {
    const { conversation_id, client_id, content } = letter;
    clearTimeout(this.#timers.get(client_id));
    if (!this.#live.send({ type: 'admin_message', conversation_id, client_id, content })) {
      this.#post(letter);
      return;
    }
    this.#timers.set(client_id, setTimeout(() => this.#post(letter), CONFIRM_MS));
  }

  /** @param {Letter} letter */
  async #post({ conversation_id, client_id, content }) {
    try {
      const { message } = await this.#api.post('/api/admin/send', { conversation_id, client_id, content });
      this.#onFrame({ ...message, type: 'message' });
    } catch (cause) {
      const code = /** @type {any} */ (cause).code ?? 'internal';
      // Without a connection, or logged out, it waits for better times; the next connect sends it again.
      if (code !== 'network' && code !== 'unauthorized') this.fail(client_id, code);
    }
  }

  /** @param {string} clientId */
  #settle(clientId) {
    clearTimeout(this.#timers.get(clientId));
    this.#timers.delete(clientId);
    this.#outbox.remove(clientId);
  }
}
