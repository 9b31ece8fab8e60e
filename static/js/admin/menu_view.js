// @ts-check
// The menu: other views, language, appearance, sound, help, logout.

import { el } from '../dom.js';
import { locale, onLocaleChange, setLocale, t } from '../i18n.js';
import { setTheme, theme } from '../theme.js';
import { byId, setText } from './page.js';

/**
 * @typedef {import('./panel.js').Panel} Panel
 * @typedef {import('./attention.js').Attention} Attention
 */

const KEYS = [['/', 'search'], ['j', 'next'], ['k', 'previous'], ['Enter', 'open'], ['r', 'reply'], ['Esc', 'back'], ['?', 'help']];

export class MenuView {
  #button = byId('menu-button');
  #sheet = byId('menu');
  #help = /** @type {HTMLDialogElement} */ (byId('help'));

  /** @param {Panel} panel @param {Attention} attention @param {import('./canned_dialog.js').CannedDialog} replies */
  constructor(panel, attention, replies) {
    this.#button.addEventListener('click', () => this.#toggle(this.#sheet.hidden));
    this.#sheet.addEventListener('click', (event) => {
      const view = /** @type {HTMLElement} */ (event.target).closest('button')?.dataset.go;
      if (!view) return;
      this.#toggle(false);
      panel.go({ view: /** @type {import('./route.js').View} */ (view), ...(view === 'inbox' ? {} : { conversation: null }) });
    });
    document.addEventListener('pointerdown', (event) => {
      if (!this.#sheet.hidden && !byId('menu').parentElement?.contains(/** @type {Node} */ (event.target))) this.#toggle(false);
    });
    byId('menu-help').addEventListener('click', () => {
      this.close();
      this.help();
    });
    byId('menu-canned').addEventListener('click', () => {
      this.close();
      replies.open();
    });
    byId('menu-logout').addEventListener('click', () => {
      this.#toggle(false);
      panel.logout();
    });
    this.#settings(attention);
    panel.on('route', () => setText(byId('menu-name'), panel.name));
    onLocaleChange(() => this.#fillHelp());
    this.#fillHelp();
  }

  /** @returns {boolean} whether it stood open */
  close() {
    if (this.#sheet.hidden) return false;
    this.#toggle(false);
    this.#button.focus();
    return true;
  }

  help() {
    if (!this.#help.open) this.#help.showModal();
  }

  /** @param {boolean} open */
  #toggle(open) {
    this.#sheet.hidden = !open;
    this.#button.setAttribute('aria-expanded', String(open));
  }

  /** @param {Attention} attention */
  #settings(attention) {
    const language = /** @type {HTMLSelectElement} */ (byId('menu-language'));
    const appearance = /** @type {HTMLSelectElement} */ (byId('menu-theme'));
    const sound = /** @type {HTMLInputElement} */ (byId('menu-sound'));
    language.value = locale();
    appearance.value = theme();
    sound.checked = attention.sound;
    language.addEventListener('change', () => setLocale(language.value));
    appearance.addEventListener('change', () => setTheme(/** @type {import('../theme.js').Theme} */ (appearance.value)));
    sound.addEventListener('change', () => {
      attention.sound = sound.checked;
    });
    onLocaleChange((code) => {
      language.value = code;
    });
  }

  #fillHelp() {
    this.#help.replaceChildren(
      el('div', { class: 'dialog__content' },
        el('h2', { id: 'help-title', class: 'dialog__title' }, t('admin.help.title')),
        el('dl', { class: 'help__keys' }, ...KEYS.flatMap(([key, name]) => [
          el('dt', {}, el('kbd', {}, key)),
          el('dd', {}, t(`admin.help.${name}`)),
        ])),
        el('div', { class: 'dialog__buttons' },
          el('button', { class: 'button button--primary', type: 'button', on: { click: () => this.#help.close() } }, t('common.close')))));
  }
}
