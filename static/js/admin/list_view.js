// @ts-check
// The inbox: rows that move as conversations do, except the one under the pointer.

import { el } from '../dom.js';
import { initials, relativeTime } from '../format.js';
import { formatLocale, onLocaleChange, t } from '../i18n.js';
import { formatShortDuration } from './duration.js';
import { holdRow, waitingClass } from './inbox.js';
import { byId, setText } from './page.js';
import { formatRoute } from './route.js';

/**
 * @typedef {import('./panel.js').Panel} Panel
 * @typedef {import('./inbox.js').Item} Item
 */

/** Waiting times are told in minutes; this keeps them right. */
const REFRESH_MS = 15_000;

export class ListView {
  #panel;
  #rows = byId('rows');
  #scroller = byId('scroller');
  /** @type {Map<string, HTMLLIElement>} */
  #shown = new Map();
  /** @type {string | null} */
  #hovered = null;
  /** @type {ReturnType<typeof requestAnimationFrame> | null} */
  #frame = null;

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
    this.#rows.addEventListener('pointermove', (event) => this.#hover(event));
    this.#rows.addEventListener('pointerleave', () => {
      this.#hovered = null;
      this.#later();
    });
    this.#rows.addEventListener('click', (event) => this.#click(event));
    byId('rows-more').addEventListener('click', () => panel.loadList({ more: true }).catch(() => null));
    for (const name of ['status', 'tag', 'site']) {
      const select = this.#select(name);
      select.addEventListener('change', () => panel.go({ [name]: select.value }));
    }
    for (const topic of /** @type {const} */ (['list', 'route', 'connection'])) panel.on(topic, () => this.#later());
    onLocaleChange(() => this.#later());
    setInterval(() => this.#later(), REFRESH_MS);
  }

  /** Moves the focus among the rows. @param {number} step 1 or -1 */
  move(step) {
    const links = /** @type {HTMLElement[]} */ ([...this.#scroller.querySelectorAll('.row__link')]);
    const from = links.findIndex((link) => link === document.activeElement);
    const current = links.findIndex((link) => link.getAttribute('aria-current') === 'true');
    const start = from >= 0 ? from + step : Math.max(0, current);
    const target = links[Math.min(Math.max(start, 0), links.length - 1)];
    target?.focus();
    target?.scrollIntoView({ block: 'nearest' });
  }

  /** Gives the focus to the open row, or to the first. */
  focus() {
    const row = this.#shown.get(this.#panel.route.conversation ?? '') ?? this.#rows.firstElementChild;
    (/** @type {HTMLElement | null} */ (row?.querySelector('a')) ?? byId('search')).focus();
  }

  /** Many frames arrive in one burst; the list is drawn once for all of them. */
  #later() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#render();
    });
  }

  #render() {
    const { inbox, route, page } = this.#panel;
    const now = Date.now();
    const index = [...this.#rows.children].findIndex((row) => /** @type {HTMLElement} */ (row).dataset.id === this.#hovered);
    const items = holdRow(inbox.list(this.#panel.filter), this.#hovered, index);
    this.#place(items, now);
    this.#renderFilters();
    byId('rows-more').hidden = page.cursor === null || page.loading;
    this.#note(items.length, page);
    this.#rows.setAttribute('aria-busy', String(page.loading && !page.loaded));
    document.body.classList.toggle('admin--searching', route.q !== '');
  }

  /** Moves only what stands in the wrong place, and keeps the focus where it was. @param {Item[]} items @param {number} now */
  #place(items, now) {
    const focused = document.activeElement;
    const wanted = new Set(items.map((item) => item.conversation_id));
    for (const [id, row] of this.#shown) {
      if (wanted.has(id)) continue;
      row.remove();
      this.#shown.delete(id);
    }
    let next = this.#rows.firstElementChild;
    for (const item of items) {
      const row = this.#shown.get(item.conversation_id) ?? this.#create(item.conversation_id);
      this.#fill(row, item, now);
      if (row === next) next = row.nextElementSibling;
      else this.#rows.insertBefore(row, next);
    }
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.#rows.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {string} id */
  #create(id) {
    const row = /** @type {HTMLLIElement} */ (el('li', { class: 'row', 'data-id': id },
      el('a', { class: 'row__link' },
        el('span', { class: 'row__top' },
          el('bdi', { class: 'row__name' }),
          el('span', { class: 'row__online', hidden: true }),
          el('time', { class: 'row__time' })),
        el('span', { class: 'row__bottom' },
          el('span', { class: 'row__preview', dir: 'auto' }),
          el('span', { class: 'row__claim', role: 'img', hidden: true }),
          el('span', { class: 'row__badge', hidden: true })))));
    this.#shown.set(id, row);
    return row;
  }

  /** @param {HTMLLIElement} row @param {Item} item @param {number} now */
  #fill(row, item, now) {
    const { route, inbox } = this.#panel;
    const link = /** @type {HTMLAnchorElement} */ (row.firstElementChild);
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (row.querySelector(`.row__${name}`));
    const href = formatRoute({ ...route, view: 'inbox', conversation: item.conversation_id, message: null });
    if (link.getAttribute('href') !== href) link.setAttribute('href', href);
    const open = route.conversation === item.conversation_id;
    if (open) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');

    const waiting = item.status === 'open' ? waitingClass(item.waiting_since, now) : null;
    row.dataset.waiting = waiting ?? 'no';
    row.classList.toggle('row--unread', item.unread > 0);
    row.classList.toggle('row--closed', item.status !== 'open');
    setText(part('name'), item.visitor_name);
    part('online').hidden = !item.online;
    part('online').title = t('admin.presence.online');
    setText(part('online'), t('admin.presence.online'));
    this.#time(part('time'), item, waiting, now);

    const typing = inbox.isTyping(item.conversation_id, now);
    part('preview').classList.toggle('row__preview--typing', typing);
    setText(part('preview'), typing ? t('admin.list.typing') : previewOf(item));
    this.#claim(part('claim'), item);
    part('badge').hidden = item.unread === 0;
    setText(part('badge'), String(Math.min(item.unread, 99)));
    part('badge').setAttribute('aria-label', t('admin.list.unread', { count: item.unread }));
    part('badge').setAttribute('role', 'img');
  }

  /** @param {HTMLElement} node @param {Item} item */
  #claim(node, { claimed_by: holder }) {
    node.hidden = holder === null;
    if (holder === null) return;
    const words = holder === this.#panel.name ? t('admin.claim.yours') : t('admin.claim.held', { holder });
    setText(node, initials(holder));
    node.title = words;
    node.setAttribute('aria-label', words);
  }

  /** @param {HTMLElement} node @param {Item} item @param {string | null} waiting @param {number} now */
  #time(node, item, waiting, now) {
    const since = waiting ? /** @type {string} */ (item.waiting_since) : item.last_activity_at;
    node.setAttribute('datetime', since);
    const length = formatShortDuration((now - Date.parse(since)) / 1000, formatLocale());
    const soon = now - Date.parse(since) < 60_000;
    if (waiting) setText(node, soon ? t('admin.list.waiting_now') : t('admin.list.waiting', { time: length }));
    else setText(node, since ? relativeTime(new Date(since), new Date(now)) : '');
  }

  #renderFilters() {
    const { route, inbox } = this.#panel;
    this.#select('status').value = route.status;
    this.#options('tag', inbox.tags(), route.tag, t('admin.filter.any_tag'));
    this.#options('site', inbox.sites(), route.site, t('admin.filter.any_site'));
    // One site needs no choice, and neither does a list without tags.
    this.#select('site').hidden = inbox.sites().length < 2 && !route.site;
    this.#select('tag').hidden = inbox.tags().length === 0 && !route.tag;
  }

  /** @param {string} name @param {string[]} values @param {string} chosen @param {string} any */
  #options(name, values, chosen, any) {
    const select = this.#select(name);
    const all = chosen && !values.includes(chosen) ? [...values, chosen] : values;
    const wanted = JSON.stringify([any, all]);
    if (select.dataset.options !== wanted) {
      select.dataset.options = wanted;
      select.replaceChildren(new Option(any, ''), ...all.map((value) => new Option(value, value)));
    }
    select.value = chosen;
  }

  /** @param {number} count @param {Panel['page']} page */
  #note(count, page) {
    const note = byId('rows-note');
    if (count > 0) note.replaceChildren();
    else if (page.error) note.replaceChildren(this.#failed(page.error));
    else if (!page.loaded) note.replaceChildren(...Array.from({ length: 6 }, () => el('div', { class: 'skeleton skeleton--row', 'aria-hidden': 'true' })));
    else if (!page.loading) note.replaceChildren(el('p', {}, t(this.#emptyKey())));
  }

  #emptyKey() {
    const { q, tag, site, status } = this.#panel.route;
    if (q || tag || site) return 'admin.list.empty_filtered';
    if (status === 'mine') return 'admin.list.empty_mine';
    if (status === 'unclaimed') return 'admin.list.empty_unclaimed';
    return status === 'closed' ? 'admin.list.empty_closed' : 'admin.list.empty';
  }

  /** @param {string} code */
  #failed(code) {
    const again = el('button', { class: 'button', type: 'button' }, t('admin.error.again'));
    again.addEventListener('click', () => this.#panel.loadList().catch(() => null));
    return el('div', {}, el('p', {}, t(code === 'network' ? 'admin.error.network' : 'admin.list.failed')), again);
  }

  /** @param {string} name @returns {HTMLSelectElement} */
  #select(name) {
    return byId(`filter-${name}`);
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest('li');
    if (event.pointerType === 'mouse') this.#hovered = row?.dataset.id ?? null;
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest('li');
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#panel.go({ view: 'inbox', conversation: row.dataset.id ?? null });
  }
}

/** @param {Item} item */
function previewOf({ last_message }) {
  if (!last_message) return t('admin.list.no_messages');
  return last_message.sender === 'admin' ? t('admin.list.ours', { text: last_message.preview }) : last_message.preview;
}
