// @ts-check
// The search field: narrows the list at once and finds messages by asking the server.

import { el } from '../dom.js';
import { fullTime, relativeTime } from '../format.js';
import { onLocaleChange, t } from '../i18n.js';
import { codeOf } from './api.js';
import { byId } from './page.js';
import { fullPage } from './paging.js';
import { formatRoute } from './route.js';

/** @typedef {import('./panel.js').Panel} Panel */

/** Each question becomes a line of the audit trail: ask when the typing rests. */
const PAUSE_MS = 400;
const PAGE = 20;
/** How much of a long message stands before the word that was found. */
const LEAD = 30;

export class SearchView {
  #panel;
  #field = /** @type {HTMLInputElement} */ (byId('search'));
  /** @type {any[]} */
  #found = [];
  /** @type {string | null} */
  #cursor = null;
  #sought = '';
  /** @type {'idle' | 'loading' | 'ready' | string} an error code when it failed */
  #state = 'idle';
  #asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
    this.#field.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => panel.go({ q: this.#field.value.trim() }, { replace: true }), PAUSE_MS);
    });
    this.#field.form?.addEventListener('submit', (event) => event.preventDefault());
    byId('found-rows').addEventListener('click', (event) => this.#click(event));
    byId('found-more').addEventListener('click', () => this.#search(true));
    panel.on('route', () => this.#follow());
    onLocaleChange(() => this.#render());
  }

  focus() {
    this.#field.focus();
    this.#field.select();
  }

  /** @returns {boolean} whether there was something to clear */
  clear() {
    if (this.#field.value === '') return false;
    clearTimeout(this.#timer);
    this.#field.value = '';
    this.#panel.go({ q: '' }, { replace: true });
    return true;
  }

  #follow() {
    const { q } = this.#panel.route;
    if (document.activeElement !== this.#field) this.#field.value = q;
    if (q === this.#sought) {
      this.#mark();
      return;
    }
    this.#sought = q;
    this.#found = [];
    this.#cursor = null;
    if (q) this.#search(false);
    else {
      this.#asked += 1;
      this.#state = 'idle';
      this.#render();
    }
  }

  /** @param {boolean} more */
  async #search(more) {
    const asked = (this.#asked += 1);
    this.#state = 'loading';
    this.#render();
    try {
      const query = { q: this.#sought, limit: PAGE, cursor: more ? this.#cursor : null };
      const { items, cursor } = await fullPage((from) => this.#panel.api.get('/api/admin/search', { ...query, cursor: from }), query.cursor);
      if (asked !== this.#asked) return;
      this.#found = more ? [...this.#found, ...items] : items;
      this.#cursor = cursor;
      this.#state = 'ready';
    } catch (cause) {
      if (asked !== this.#asked) return;
      // Signs without a letter are no word: nothing can be found by them.
      const code = codeOf(cause);
      this.#state = code === 'invalid_message' ? 'ready' : code;
    }
    this.#render();
  }

  #render() {
    byId('found').hidden = this.#state === 'idle';
    byId('found-more').hidden = this.#state !== 'ready' || this.#cursor === null;
    byId('found-rows').replaceChildren(...this.#found.map((message) => this.#row(message)));
    this.#mark();
    const note = byId('found-note');
    if (this.#state === 'loading' && this.#found.length === 0) {
      note.replaceChildren(el('div', { class: 'skeleton skeleton--row', 'aria-hidden': 'true' }));
    } else if (this.#state === 'ready') {
      note.replaceChildren(...(this.#found.length === 0 ? [el('p', {}, t('admin.search.nothing'))] : []));
    } else if (this.#state !== 'loading' && this.#state !== 'idle') {
      note.replaceChildren(el('p', {}, t(this.#state === 'network' ? 'admin.error.network' : 'admin.search.failed')));
    }
  }

  #mark() {
    const { conversation, message } = this.#panel.route;
    for (const link of byId('found-rows').querySelectorAll('a')) {
      const open = link.dataset.id === conversation && link.dataset.seq === String(message);
      if (open) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  }

  /** @param {any} message */
  #row({ conversation_id, seq, visitor_name, content, created_at }) {
    const href = formatRoute({ ...this.#panel.route, view: 'inbox', conversation: conversation_id, message: seq });
    return el('li', { class: 'row' },
      el('a', { class: 'row__link', href, data: { id: conversation_id, seq } },
        el('span', { class: 'row__top' },
          el('bdi', { class: 'row__name' }, visitor_name),
          el('time', { class: 'row__time', datetime: created_at, title: fullTime(created_at) }, relativeTime(created_at))),
        el('span', { class: 'row__bottom' },
          el('span', { class: 'row__preview', dir: 'auto' }, ...excerpt(content, this.#sought)))));
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#panel.go({ view: 'inbox', conversation: link.dataset.id ?? null, message: Number(link.dataset.seq) });
  }
}

/** @param {string} content @param {string} sought @returns {(Node | string)[]} */
function excerpt(content, sought) {
  const text = content.replace(/\s+/gu, ' ');
  const word = sought.split(/\s+/u)[0].toLocaleLowerCase();
  const at = word ? text.toLocaleLowerCase().indexOf(word) : -1;
  if (at < 0) return [text];
  const from = at > LEAD ? at - LEAD : 0;
  const before = `${from > 0 ? '…' : ''}${text.slice(from, at)}`;
  return [before, el('mark', {}, text.slice(at, at + word.length)), text.slice(at + word.length)];
}
