// @ts-check
// Saved replies of the team. No DOM.

/** @typedef {{name: string, content: string}} Canned */

const PATH = '/api/admin/canned';

export class CannedReplies {
  #api;
  /** @type {Canned[]} */
  #items = [];

  /** @param {{api: import('./api.js').Api}} parts */
  constructor({ api }) {
    this.#api = api;
  }

  /** @returns {Canned[]} by name */
  get items() {
    return this.#items;
  }

  /** @returns {Promise<void>} rejects when they cannot be had; those known stay */
  async load() {
    const { items } = await this.#api.get(PATH);
    this.#items = [...items].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** @param {Canned} reply @param {string | null} [before] the name it had, when that has changed */
  async save({ name, content }, before = null) {
    await this.#api.put(`${PATH}/${encodeURIComponent(name)}`, { content });
    if (before !== null && before !== name) await this.#api.delete(`${PATH}/${encodeURIComponent(before)}`);
    await this.load();
  }

  /** @param {string} name */
  async remove(name) {
    await this.#api.delete(`${PATH}/${encodeURIComponent(name)}`);
    await this.load();
  }

  /**
   * @param {string} text what stands in the field for answers
   * @returns {Canned[] | null} what it may mean, best first; null when it asks for none
   */
  matching(text) {
    const asked = /^\/(?!\/)(\S*)$/u.exec(text)?.[1].toLowerCase();
    if (asked === undefined) return null;
    const starts = this.#items.filter(({ name }) => name.toLowerCase().startsWith(asked));
    const holds = this.#items.filter((item) => !starts.includes(item) && item.name.toLowerCase().includes(asked));
    return [...starts, ...holds];
  }
}
