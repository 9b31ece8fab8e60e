// @ts-check
// The team's saved replies: read, added, changed and removed.

import { confirmDialog, el, icon } from '../dom.js';
import { onLocaleChange, t } from '../i18n.js';
import { codeOf } from './api.js';
import { byId, setText } from './page.js';

/** @typedef {import('./canned.js').Canned} Canned */

/** As the server takes them: one word, which is a word of a command in Telegram too. */
const NAME = '[a-z0-9_\\-]{1,32}';

export class CannedDialog {
  #canned;
  #dialog = /** @type {HTMLDialogElement} */ (byId('canned'));
  #rows = el('ul', { class: 'replies__list' });
  #none = el('p', { class: 'replies__none' });
  #error = el('p', { class: 'replies__error', role: 'alert' });
  #name = /** @type {HTMLInputElement} */ (el('input', {
    id: 'canned-name', class: 'input', required: true, pattern: NAME, maxlength: '32', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false',
  }));
  #content = /** @type {HTMLTextAreaElement} */ (el('textarea', { id: 'canned-content', class: 'input', rows: '3', required: true, dir: 'auto' }));
  /** The name of the reply that is being changed. @type {string | null} */
  #changing = null;

  /** @param {import('./canned.js').CannedReplies} canned */
  constructor(canned) {
    this.#canned = canned;
    this.#build();
    onLocaleChange(() => this.#build());
  }

  open() {
    this.#edit(null);
    this.#say('');
    this.#draw();
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#canned.load().then(() => this.#draw(), (cause) => this.#refused(cause));
  }

  #build() {
    const submit = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      this.#save();
    };
    this.#dialog.replaceChildren(
      el('div', { class: 'dialog__content' },
        el('div', { class: 'replies__head' },
          el('h2', { id: 'canned-title', class: 'dialog__title' }, t('admin.canned.title')),
          el('button', { class: 'icon-button', type: 'button', 'aria-label': t('common.close'), on: { click: () => this.#dialog.close() } }, icon('close'))),
        el('p', { class: 'dialog__body' }, t('admin.canned.body')),
        this.#none, this.#rows,
        el('form', { class: 'replies__form', on: { submit } },
          el('div', { class: 'field' }, el('label', { for: 'canned-name' }, t('admin.canned.name')), this.#name,
            el('p', { id: 'canned-hint', class: 'replies__hint' }, t('admin.canned.name_hint'))),
          el('div', { class: 'field' }, el('label', { for: 'canned-content' }, t('admin.canned.content')), this.#content),
          this.#error,
          el('div', { class: 'dialog__buttons' },
            el('button', { class: 'button replies__cancel', type: 'button', hidden: true, on: { click: () => this.#edit(null) } }, t('common.cancel')),
            el('button', { class: 'button button--primary replies__save', type: 'submit' })))));
    this.#name.setAttribute('aria-describedby', 'canned-hint');
    setText(this.#none, t('admin.canned.none'));
    this.#edit(this.#changing);
    this.#draw();
  }

  #draw() {
    const { items } = this.#canned;
    this.#none.hidden = items.length > 0;
    this.#rows.replaceChildren(...items.map((item) => this.#row(item)));
  }

  /** @param {Canned} item */
  #row(item) {
    const button = (/** @type {string} */ words, /** @type {() => void} */ act) =>
      el('button', { class: 'link-button', type: 'button', on: { click: act } }, words, el('span', { class: 'visually-hidden' }, ` ${item.name}`));
    return el('li', { class: 'replies__item' },
      el('div', { class: 'replies__words' }, el('bdi', { class: 'canned__name' }, `/${item.name}`), el('p', { class: 'canned__content', dir: 'auto' }, item.content)),
      button(t('admin.canned.change'), () => this.#edit(item.name)),
      button(t('admin.canned.remove'), () => this.#remove(item)));
  }

  /** @param {string | null} name of the reply to change, null for a new one */
  #edit(name) {
    const item = this.#canned.items.find((held) => held.name === name);
    this.#changing = item?.name ?? null;
    this.#name.value = item?.name ?? '';
    this.#content.value = item?.content ?? '';
    const save = /** @type {HTMLElement} */ (this.#dialog.querySelector('.replies__save'));
    setText(save, t(item ? 'admin.canned.save' : 'admin.canned.add'));
    /** @type {HTMLElement} */ (this.#dialog.querySelector('.replies__cancel')).hidden = !item;
    if (item) this.#content.focus();
  }

  async #save() {
    const content = this.#content.value.trim();
    if (content === '') {
      this.#content.focus();
      return;
    }
    await this.#act(async () => {
      await this.#canned.save({ name: this.#name.value, content }, this.#changing);
      this.#edit(null);
    });
    this.#name.focus();
  }

  /** @param {Canned} item */
  async #remove({ name }) {
    const sure = await confirmDialog({
      title: t('admin.canned.remove_title', { name }), body: t('admin.canned.remove_body'), confirm: t('admin.canned.remove'), danger: true,
    });
    if (!sure) return;
    await this.#act(() => this.#canned.remove(name));
    this.#name.focus();
  }

  /** @param {() => Promise<void>} act */
  async #act(act) {
    this.#say('');
    try {
      await act();
      this.#draw();
    } catch (cause) {
      this.#refused(cause);
    }
  }

  /** @param {unknown} cause */
  #refused(cause) {
    const code = codeOf(cause);
    this.#say(t(['network', 'rate_limited', 'invalid_message'].includes(code) ? `admin.error.${code}` : 'admin.error.internal'));
  }

  /** @param {string} words */
  #say(words) {
    setText(this.#error, words);
  }
}
