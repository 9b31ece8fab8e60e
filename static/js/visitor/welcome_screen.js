// @ts-check
import { Composer } from '../composer.js';
import { onLocaleChange, t } from '../i18n.js';

const DRAFT = 'welcome';

export class WelcomeScreen {
  #name;
  #hint;
  #composer;
  #device;

  /**
   * @param {HTMLElement} root
   * @param {{name: () => string, rememberName: (name: string) => void, onStart: (text: string) => void}} device
   */
  constructor(root, device) {
    this.#device = device;
    this.#name = /** @type {HTMLInputElement} */ (root.querySelector('#welcome-name'));
    this.#hint = /** @type {HTMLElement} */ (root.querySelector('#welcome-hint'));
    const form = /** @type {HTMLFormElement} */ (root.querySelector('form'));
    this.#composer = new Composer({
      form,
      draftKey: DRAFT,
      onSend: (text) => {
        device.onStart(text);
        // Kept until the server has answered the join: see forget().
        return false;
      },
    });
    this.#name.addEventListener('input', () => device.rememberName(this.#name.value.trim()));
    form.addEventListener('input', () => this.#say(''));
    form.addEventListener('submit', () => {
      if (this.#composer.text.trim() === '') this.#say('visitor.welcome.write_first');
    });
    onLocaleChange(() => this.#say(''));
  }

  /** @returns {string} */
  get text() {
    return this.#composer.text.trim();
  }

  open({ focus = true } = {}) {
    this.#name.value = this.#device.name();
    this.#composer.setDraftKey(DRAFT);
    if (focus) this.#composer.focus();
  }

  /** The first message has a conversation now, which keeps it. */
  forget() {
    if (this.#composer.text !== '') this.#composer.clear();
  }

  /** @param {string} key */
  #say(key) {
    this.#hint.textContent = key && t(key);
  }
}
