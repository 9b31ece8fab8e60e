// @ts-check
// What an admin does to a conversation. Whatever is refused is said in words.

import { codeOf } from './api.js';

/** @typedef {import('./panel.js').Panel} Panel */

export class Acts {
  #panel;
  #onFrame;
  #tell;

  /** @param {Panel} panel @param {{onFrame: (frame: any) => void, tell: (topic: 'list' | 'refused' | 'lost', detail?: any) => void}} ways */
  constructor(panel, { onFrame, tell }) {
    this.#panel = panel;
    this.#onFrame = onFrame;
    this.#tell = tell;
  }

  /** @param {string} id */
  close(id) {
    return this.#act(async () => {
      await this.#ask(id, 'close');
      this.#goOn(id);
    });
  }

  /** @param {string} id */
  reopen(id) {
    return this.#act(() => this.#ask(id, 'reopen'));
  }

  /** The first one wins; whoever comes later is told who that is. @param {string} id */
  claim(id) {
    return this.#act(async () => {
      const { claimed_by } = await this.#ask(id, 'claim');
      if (claimed_by && claimed_by !== this.#panel.name) this.#tell('lost', claimed_by);
    });
  }

  /** @param {string} id */
  release(id) {
    return this.#act(() => this.#ask(id, 'release'));
  }

  /** @param {string} id */
  ban(id) {
    return this.#act(async () => {
      await this.#ask(id, 'ban');
      this.#goOn(id);
    });
  }

  /** @param {string} id */
  unban(id) {
    return this.#act(() => this.#ask(id, 'unban'));
  }

  /** @param {string} id */
  erase(id) {
    return this.#act(async () => {
      await this.#panel.api.delete(conversationPath(id));
      this.#onFrame({ type: 'conversation_deleted', conversation_id: id });
    });
  }

  /** @param {string} id @param {string} tag */
  addTag(id, tag) {
    return this.#tags(id, () => this.#panel.api.put(`${conversationPath(id)}/tags/${encodeURIComponent(tag)}`));
  }

  /** @param {string} id @param {string} tag */
  removeTag(id, tag) {
    return this.#tags(id, () => this.#panel.api.delete(`${conversationPath(id)}/tags/${encodeURIComponent(tag)}`));
  }

  /** @param {string} id @param {string} content @returns {Promise<boolean>} whether it is safe */
  note(id, content) {
    return this.#act(() => this.#panel.notes.add(id, content));
  }

  /** @param {string} id @param {string} verb @returns {Promise<any>} the item as it is now */
  async #ask(id, verb) {
    const item = await this.#panel.api.post(`${conversationPath(id)}/${verb}`);
    this.#panel.inbox.put(item);
    return item;
  }

  /** To whoever waits longest. @param {string} id */
  #goOn(id) {
    const next = this.#panel.inbox.nextWaiting(id);
    if (this.#panel.route.conversation === id) this.#panel.go({ conversation: next?.conversation_id ?? null });
  }

  /** @param {string} id @param {() => Promise<any>} call */
  #tags(id, call) {
    return this.#act(async () => {
      const { tags } = await call();
      this.#panel.inbox.put({ conversation_id: id, tags });
    });
  }

  /** @param {() => Promise<any>} action @returns {Promise<boolean>} */
  async #act(action) {
    try {
      await action();
      this.#tell('list');
      return true;
    } catch (cause) {
      this.#tell('refused', codeOf(cause));
      return false;
    }
  }
}

/** @param {string} id */
export function conversationPath(id) {
  return `/api/admin/conversations/${encodeURIComponent(id)}`;
}
