// @ts-check
// The team's own notes about the open conversation, in the column about the visitor.

import { el, renderText } from '../dom.js';
import { fullTime, relativeTime } from '../format.js';
import { onLocaleChange, t } from '../i18n.js';
import { byId, setText } from './page.js';

/** @typedef {import('./panel.js').Panel} Panel */

export class NotesView {
  #panel;
  #list = byId('notes-list');
  #form = /** @type {HTMLFormElement} */ (byId('notes-form'));
  #field = /** @type {HTMLTextAreaElement} */ (byId('notes-text'));
  /** What is half written stays with its conversation. @type {Map<string, string>} */
  #drafts = new Map();
  /** @type {string | null} */
  #id = null;
  #shown = '';
  #busy = false;

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#add();
    });
    this.#field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
      event.preventDefault();
      this.#add();
    });
    byId('notes-again').addEventListener('click', () => this.#id !== null && panel.notes.open(this.#id));
    panel.on('notes', (id) => id === this.#id && this.#render());
    panel.on('route', () => this.#change(panel.route.conversation));
    panel.on('deleted', ({ id }) => this.#drafts.delete(id));
    onLocaleChange(() => this.#render());
  }

  /** @param {string | null} id */
  #change(id) {
    if (id === this.#id) return;
    if (this.#id !== null) this.#drafts.set(this.#id, this.#field.value);
    this.#id = id;
    this.#field.value = (id !== null && this.#drafts.get(id)) || '';
    this.#render();
  }

  #render() {
    if (this.#id === null) return;
    const notes = this.#panel.notes.list(this.#id);
    const failed = this.#panel.notes.state(this.#id) === 'failed';
    setText(byId('notes-failed'), failed ? t('admin.notes.failed') : '');
    byId('notes-again').hidden = !failed;
    const wanted = JSON.stringify([this.#id, notes, t('admin.notes.title')]);
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    this.#list.replaceChildren(...notes.map(row));
  }

  async #add() {
    const content = this.#field.value.trim();
    const id = this.#id;
    if (this.#busy || content === '' || id === null) {
      this.#field.focus();
      return;
    }
    this.#busy = true;
    const stored = await this.#panel.acts.note(id, content);
    this.#busy = false;
    if (!stored) return;
    this.#drafts.delete(id);
    if (id !== this.#id) return;
    this.#field.value = '';
    this.#field.focus();
    this.#list.lastElementChild?.scrollIntoView({ block: 'nearest' });
  }
}

/** @param {import('./notes.js').Note} note */
function row({ author, via, content, created_at }) {
  const text = el('p', { class: 'note__text', dir: 'auto' });
  renderText(text, content);
  return el('li', { class: 'note' }, text,
    el('p', { class: 'note__meta' },
      el('bdi', {}, via === 'telegram' ? t('admin.thread.via_telegram', { name: author }) : author), ' · ',
      el('time', { datetime: created_at, title: fullTime(created_at) }, relativeTime(created_at))));
}
