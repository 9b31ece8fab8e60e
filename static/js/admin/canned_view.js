// @ts-check
// Saved replies while an answer is written: "/" at its beginning opens the list, a choice puts the words in.

import { announce, el } from '../dom.js';
import { t } from '../i18n.js';

const MOST = 8;

export class CannedView {
  #canned;
  #field;
  #onChoice;
  #list = el('ul', { id: 'canned-list', class: 'canned', role: 'listbox', hidden: true });
  /** @type {import('./canned.js').Canned[]} */
  #offered = [];
  #chosen = 0;
  /** The text for which somebody closed the list. */
  #dismissed = '';

  /**
   * @param {{canned: import('./canned.js').CannedReplies, form: HTMLFormElement, onChoice: (content: string) => void}} parts
   */
  constructor({ canned, form, onChoice }) {
    this.#canned = canned;
    this.#onChoice = onChoice;
    this.#field = /** @type {HTMLTextAreaElement} */ (form.querySelector('textarea'));
    this.#field.setAttribute('aria-autocomplete', 'list');
    form.before(this.#list);
    this.#field.addEventListener('input', () => this.#look());
    this.#field.addEventListener('blur', () => this.#close());
    // Before the field itself hears of it: there, Enter sends.
    form.addEventListener('keydown', (event) => this.#key(event), { capture: true });
  }

  #look() {
    const text = this.#field.value;
    if (text !== this.#dismissed) this.#dismissed = '';
    const found = this.#dismissed === '' ? this.#canned.matching(text)?.slice(0, MOST) ?? [] : [];
    const isNew = found.length > 0 && this.#offered.length === 0;
    this.#offered = found;
    this.#chosen = 0;
    this.#draw();
    if (isNew) announce(t('admin.canned.found', { count: found.length }));
  }

  #close() {
    this.#offered = [];
    this.#draw();
  }

  #draw() {
    const open = this.#offered.length > 0;
    this.#list.hidden = !open;
    this.#list.setAttribute('aria-label', t('admin.canned.title'));
    this.#list.replaceChildren(...this.#offered.map(({ name, content }, index) => el('li', {
      id: `canned-${index}`, class: 'canned__item', role: 'option', 'aria-selected': String(index === this.#chosen),
      on: { pointerdown: (/** @type {PointerEvent} */ event) => event.preventDefault(), click: () => this.#choose(index) },
    }, el('bdi', { class: 'canned__name' }, `/${name}`), el('span', { class: 'canned__content', dir: 'auto' }, content))));
    if (open) {
      this.#field.setAttribute('aria-controls', this.#list.id);
      this.#field.setAttribute('aria-activedescendant', `canned-${this.#chosen}`);
      this.#list.children[this.#chosen].scrollIntoView({ block: 'nearest' });
    } else {
      this.#field.removeAttribute('aria-controls');
      this.#field.removeAttribute('aria-activedescendant');
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.#offered.length === 0 || event.isComposing || event.target !== this.#field) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) this.#move(step);
    else if (event.key === 'Escape') this.#dismiss();
    else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') this.#choose(this.#chosen);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} step */
  #move(step) {
    this.#chosen = (this.#chosen + step + this.#offered.length) % this.#offered.length;
    this.#draw();
  }

  #dismiss() {
    this.#dismissed = this.#field.value;
    this.#close();
  }

  /** @param {number} index */
  #choose(index) {
    const { content } = this.#offered[index];
    this.#close();
    this.#onChoice(content);
  }
}
