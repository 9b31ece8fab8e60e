// @ts-check
// Answers that are on their way: kept over a reload until the server has confirmed each of them.

/**
 * @typedef {import('./session.js').Store} Store
 * @typedef {{conversation_id: string, client_id: string, content: string, created_at: string, failed?: string}} Letter
 */

const KEY = 'outbox';
const MOST = 200;

export class Outbox {
  #store;

  /** @param {Store} store shared by every tab, hence read anew at each call */
  constructor(store) {
    this.#store = store;
  }

  /** @param {string} [conversation] @returns {Letter[]} oldest first */
  letters(conversation) {
    const held = this.#store.get(KEY);
    const letters = Array.isArray(held) ? held.filter(isLetter) : [];
    return conversation === undefined ? letters : letters.filter((letter) => letter.conversation_id === conversation);
  }

  /** Those that are to be sent again by themselves. */
  waiting() {
    return this.letters().filter((letter) => !letter.failed);
  }

  /** @param {Letter} letter */
  add(letter) {
    this.#keep([...this.letters(), letter]);
  }

  /** @param {string | null | undefined} clientId @returns {boolean} whether it was one of ours */
  remove(clientId) {
    const letters = this.letters();
    const rest = letters.filter((letter) => letter.client_id !== clientId);
    if (rest.length === letters.length) return false;
    this.#keep(rest);
    return true;
  }

  /** @param {string} clientId @param {string | null} reason an error code, or null to try again */
  mark(clientId, reason) {
    this.#keep(this.letters().map((letter) => {
      if (letter.client_id !== clientId) return letter;
      const { failed: _, ...rest } = letter;
      return reason === null ? rest : { ...rest, failed: reason };
    }));
  }

  /** @param {string} conversation */
  forget(conversation) {
    this.#keep(this.letters().filter((letter) => letter.conversation_id !== conversation));
  }

  /** @param {Letter[]} letters */
  #keep(letters) {
    if (letters.length === 0) this.#store.remove(KEY);
    else this.#store.set(KEY, letters.slice(-MOST));
  }
}

/** @param {any} value @returns {value is Letter} */
function isLetter(value) {
  return ['conversation_id', 'client_id', 'content', 'created_at'].every((key) => typeof value?.[key] === 'string');
}
