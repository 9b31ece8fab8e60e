// @ts-check
// What the visitor asks for outside of the chat's own frames, with the resume token in a header and never in an address.

/** A request that takes longer has been swallowed by the network. */
const PATIENCE_MS = 15_000;
/** Twenty megabytes over a slow line. */
const FILE_PATIENCE_MS = 120_000;

/** @typedef {import('./session.js').Session} Session */

export class Requests {
  #session;
  #fetch;

  /** @param {() => Session | null} session @param {typeof fetch} [fetch] */
  constructor(session, fetch = globalThis.fetch.bind(globalThis)) {
    this.#session = session;
    this.#fetch = fetch;
  }

  /** @param {string} path @param {string} range @returns {Promise<Response>} rejects when there is no answer */
  file(path, range) {
    return this.#send(path, { headers: { Range: range } }, FILE_PATIENCE_MS);
  }

  /** @returns {Promise<{url: string, expires_at: string}>} a link that works once; rejects when none can be had */
  async telegramLink() {
    const body = JSON.stringify({ conversation_id: this.#session()?.conversation_id });
    const headers = { 'Content-Type': 'application/json' };
    const response = await this.#send('/api/visitor/telegram_link', { method: 'POST', headers, body }, PATIENCE_MS);
    if (!response.ok) throw new Error(`answered with ${response.status}`);
    const { url, expires_at } = await response.json();
    if (!/^https?:$/u.test(new URL(url).protocol)) throw new Error('no web address');
    return { url, expires_at };
  }

  /** @param {string} path @param {RequestInit} init @param {number} patience */
  #send(path, init, patience) {
    return this.#fetch(path, {
      ...init,
      headers: { ...init.headers, Authorization: `Bearer ${this.#session()?.resume_token ?? ''}` },
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.timeout(patience),
    });
  }
}
