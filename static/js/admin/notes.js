// @ts-check
// Internal notes of the conversations that have been opened. No visitor ever sees one. No DOM.

import { newClientId } from '../client_id.js';
import { conversationPath } from './acts.js';

/**
 * @typedef {{conversation_id: string, seq: number, id: string, author: string, via: string, content: string, created_at: string}} Note
 * @typedef {{notes: Map<number, Note>, state: 'loading' | 'ready' | 'failed'}} HeldNotes
 */

export class Notes {
  #api;
  #changed;
  /** @type {Map<string, HeldNotes>} */
  #held = new Map();
  /** A note whose answer was lost may have been stored: the same words keep their id. @type {{key: string, clientId: string} | null} */
  #unsure = null;

  /** @param {{api: import('./api.js').Api, changed: (id: string) => void}} parts */
  constructor({ api, changed }) {
    this.#api = api;
    this.#changed = changed;
  }

  /** @param {string} id @returns {Note[]} in the order they were written */
  list(id) {
    return [...this.#held.get(id)?.notes.values() ?? []].sort((a, b) => a.seq - b.seq);
  }

  /** @param {string} id */
  state(id) {
    return this.#held.get(id)?.state ?? 'loading';
  }

  /** @param {string} id */
  async open(id) {
    const held = this.#hold(id);
    try {
      const { items } = await this.#api.get(`${conversationPath(id)}/notes`);
      for (const note of items) held.notes.set(note.seq, note);
      held.state = 'ready';
    } catch {
      if (held.state !== 'ready') held.state = 'failed';
    }
    this.#changed(id);
  }

  /** @param {any} frame */
  apply({ type, conversation_id: id, note }) {
    const held = this.#held.get(id);
    if (type !== 'note_added' || !held || !Number.isInteger(note?.seq)) return;
    held.notes.set(note.seq, note);
    this.#changed(id);
  }

  /** @param {string} id @param {string} content @returns {Promise<void>} rejects when it was not stored */
  async add(id, content) {
    const key = `${id} ${content}`;
    const clientId = this.#unsure?.key === key ? this.#unsure.clientId : newClientId();
    this.#unsure = { key, clientId };
    const { note } = await this.#api.post(`${conversationPath(id)}/notes`, { content, client_id: clientId });
    this.#unsure = null;
    this.#hold(id).notes.set(note.seq, note);
    this.#changed(id);
  }

  /** @param {string} id */
  forget(id) {
    this.#held.delete(id);
  }

  clear() {
    this.#held.clear();
  }

  /** @param {string} id */
  #hold(id) {
    const held = this.#held.get(id) ?? { notes: new Map(), state: /** @type {const} */ ('loading') };
    this.#held.set(id, held);
    return held;
  }
}

/** @param {string} text what stands in the field for answers @returns {string | null} the note it is, or null */
export function noteIn(text) {
  return text.startsWith('//') ? text.slice(2).trim() : null;
}
