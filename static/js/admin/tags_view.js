// @ts-check
// The tags of the open conversation: read, added and taken away in one line.

import { el, icon } from '../dom.js';
import { t } from '../i18n.js';
import { byId } from './page.js';

/** @typedef {import('./panel.js').Panel} Panel */

/** As the server counts it. */
const LONGEST = 40;

export class TagsView {
  #panel;
  #root = byId('tags');
  #adding = false;
  #shown = '';
  /** @type {any} */
  #item = null;

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
  }

  /** @param {any} item */
  show(item) {
    if (item?.conversation_id !== this.#item?.conversation_id) this.#adding = false;
    this.#item = item;
    this.#render();
  }

  #render() {
    const tags = this.#item?.tags ?? [];
    const label = t('admin.tags.add');
    const wanted = JSON.stringify([this.#item?.conversation_id, tags, this.#adding, label]);
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    this.#root.hidden = this.#item === null;
    this.#root.replaceChildren(...tags.map((/** @type {string} */ tag) => this.#tag(tag)), this.#adding ? this.#form() : this.#add(label));
  }

  /** @param {string} tag */
  #tag(tag) {
    const remove = el('button', {
      class: 'tag__remove', type: 'button', 'aria-label': t('admin.tags.remove', { tag }),
      on: { click: () => this.#remove(tag) },
    }, icon('close'));
    return el('span', { class: 'tag' }, el('bdi', { class: 'tag__text' }, `#${tag}`), remove);
  }

  /** @param {string} label */
  #add(label) {
    return el('button', { class: 'tag tag--add', type: 'button', on: { click: () => this.#open() } }, icon('tag'), label);
  }

  #form() {
    const known = this.#panel.inbox.tags().filter((tag) => !this.#item.tags.includes(tag));
    const input = el('input', {
      class: 'input tags__input', maxlength: String(LONGEST), list: 'known-tags', autocomplete: 'off', 'aria-label': t('admin.tags.name'),
      on: {
        keydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          this.#close();
        },
        blur: () => input.value.trim() === '' && this.#close(false),
      },
    });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#save(input.value);
    };
    return el('form', { class: 'tags__form', on: { submit } }, input,
      el('datalist', { id: 'known-tags' }, ...known.map((tag) => el('option', { value: tag }))));
  }

  #open() {
    this.#adding = true;
    this.#render();
    this.#root.querySelector('input')?.focus();
  }

  /** @param {boolean} [focus] */
  #close(focus = true) {
    this.#adding = false;
    this.#render();
    if (focus) /** @type {HTMLElement | null} */ (this.#root.querySelector('.tag--add'))?.focus();
  }

  /** @param {string} text */
  async #save(text) {
    // By no language's rules: under Turkish ones VIP would become another tag than the server's.
    const tag = text.trim().replace(/^#+/u, '').toLowerCase();
    const { conversation_id, tags } = this.#item;
    if (tag !== '' && !tags.includes(tag) && !(await this.#panel.acts.addTag(conversation_id, tag))) return;
    this.#close();
  }

  /** @param {string} tag */
  async #remove(tag) {
    await this.#panel.acts.removeTag(this.#item.conversation_id, tag);
    /** @type {HTMLElement | null} */ (this.#root.querySelector('.tag--add'))?.focus();
  }
}
