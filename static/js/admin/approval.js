// @ts-check
// Waits for somebody to approve a login in Telegram. No DOM but the visibility of the page.

/**
 * @typedef {import('./session.js').Grant} Grant
 * @typedef {{post: (path: string, body: object) => Promise<any>}} Poster
 */

const EVERY_MS = 2_000;

const browser = () => ({
  visible: () => document.visibilityState === 'visible',
  setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => globalThis.setTimeout(run, ms),
  clearTimeout: (/** @type {any} */ timer) => globalThis.clearTimeout(timer),
});

export class Approval {
  #api;
  #onApproved;
  #onRefused;
  #world;
  #name = '';
  /** Each wait has its own number: an answer to an earlier one comes too late. */
  #wait = 0;
  /** @type {any} */
  #timer = null;

  /**
   * @param {{api: Poster, onApproved: (grant: Grant) => void, onRefused: () => void}} parts
   * @param {ReturnType<typeof browser>} [world]
   */
  constructor({ api, onApproved, onRefused }, world = browser()) {
    this.#api = api;
    this.#onApproved = onApproved;
    this.#onRefused = onRefused;
    this.#world = world;
  }

  /** @param {string} name */
  start(name) {
    this.stop();
    this.#name = name;
    this.#later(this.#wait, EVERY_MS);
  }

  stop() {
    this.#wait += 1;
    this.#world.clearTimeout(this.#timer);
  }

  /** @param {number} wait @param {number} delay */
  #later(wait, delay) {
    this.#timer = this.#world.setTimeout(() => (this.#world.visible() ? this.#ask(wait) : this.#later(wait, EVERY_MS)), delay);
  }

  /** @param {number} wait */
  async #ask(wait) {
    let delay = EVERY_MS;
    try {
      const answer = await this.#api.post('/api/admin/login/approval', this.#name ? { name: this.#name } : {});
      if (wait !== this.#wait) return;
      if (answer.approved === true) {
        this.stop();
        this.#onApproved(answer);
        return;
      }
    } catch (cause) {
      if (wait !== this.#wait) return;
      const { code, retryAfter } = /** @type {import('./api.js').ApiError} */ (cause);
      if (code === 'unauthorized') {
        this.stop();
        this.#onRefused();
        return;
      }
      // The line may be down for a moment, or the server asks for patience; the code can still be typed.
      delay = Math.max(EVERY_MS, (retryAfter ?? 0) * 1000);
    }
    this.#later(wait, delay);
  }
}
