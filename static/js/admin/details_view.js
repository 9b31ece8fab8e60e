// @ts-check
// The column about the visitor; under 1100 px it folds into a sheet.

import { confirmDialog, el, icon } from '../dom.js';
import { fullTime, relativeTime } from '../format.js';
import { formatLocale, onLocaleChange, t } from '../i18n.js';
import { deviceParts, webAddress } from './device.js';
import { byId } from './page.js';

/** @typedef {import('./panel.js').Panel} Panel */

/** The tag that a ban leaves on its conversation. */
const BANNED = 'banned';

export class DetailsView {
  #panel;
  #root = byId('details');
  #about = byId('about');
  #acts = byId('about-acts');
  #opener = byId('thread-more');
  #open = false;
  #shown = '';

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
    this.#opener.addEventListener('click', () => this.#toggle(!this.#open));
    for (const topic of /** @type {const} */ (['list', 'route', 'thread'])) panel.on(topic, () => this.#render());
    onLocaleChange(() => this.#render());
  }

  /** @returns {boolean} whether it stood open as a sheet */
  close() {
    if (!this.#open) return false;
    this.#toggle(false);
    return true;
  }

  /** @param {boolean} open */
  #toggle(open) {
    this.#open = open;
    document.body.classList.toggle('admin--details', open);
    this.#opener.setAttribute('aria-expanded', String(open));
    if (open) /** @type {HTMLElement | null} */ (this.#root.querySelector('button'))?.focus();
    else this.#opener.focus();
  }

  #render() {
    const { route } = this.#panel;
    const item = route.view === 'inbox' ? this.#panel.item(route.conversation) : null;
    this.#root.hidden = item === null;
    if (item === null) {
      this.#open = false;
      document.body.classList.remove('admin--details');
      this.#shown = '';
      return;
    }
    const way = this.#panel.telegram.summary(item.conversation_id);
    const wanted = JSON.stringify([item, way, formatLocale(), document.documentElement.lang]);
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    const lost = [this.#about, this.#acts].some((part) => part.contains(document.activeElement));
    this.#about.replaceChildren(...this.#content(item, way));
    this.#acts.replaceChildren(...this.#buttons(item));
    if (lost) /** @type {HTMLElement | null} */ (this.#root.querySelector('button'))?.focus();
  }

  /** @param {any} item @param {'sent' | 'queued' | null} way */
  #content(item, way) {
    return [
      el('button', { class: 'icon-button details__fold', type: 'button', 'aria-label': t('admin.details.hide'), on: { click: () => this.#toggle(false) } }, icon('close')),
      el('h2', { class: 'details__name', dir: 'auto' }, item.visitor_name),
      el('p', { class: 'details__presence' }, el('span', { class: item.online ? 'dot dot--on' : 'dot', 'aria-hidden': 'true' }),
        t(item.online ? 'admin.presence.online' : 'admin.presence.offline')),
      el('dl', { class: 'details__facts' }, ...facts(item, way).flatMap(([label, value]) => [el('dt', {}, label), el('dd', {}, value)])),
    ];
  }

  /** @param {any} item */
  #buttons(item) {
    const banned = item.tags.includes(BANNED);
    const id = item.conversation_id;
    return [
      el('button', { class: 'button details__ban', type: 'button', on: { click: () => (banned ? this.#panel.acts.unban(id) : this.#ban(item)) } },
        icon('ban'), t(banned ? 'admin.ban.undo' : 'admin.ban.button')),
      el('button', { class: 'button details__delete', type: 'button', on: { click: () => this.#erase(item) } }, icon('trash'), t('admin.delete.button')),
    ];
  }

  /** @param {any} item */
  async #ban(item) {
    const name = item.visitor_name;
    const sure = await confirmDialog({
      title: t('admin.ban.title', { name }), body: t('admin.ban.body', { name }), confirm: t('admin.ban.confirm'), danger: true,
    });
    if (sure) this.#panel.acts.ban(item.conversation_id);
  }

  /** @param {any} item */
  async #erase(item) {
    const sure = await confirmDialog({
      title: t('admin.delete.title', { name: item.visitor_name }),
      body: t('admin.delete.body', { name: item.visitor_name, count: item.head_seq }),
      confirm: t('admin.delete.confirm'),
      danger: true,
    });
    if (sure) this.#panel.acts.erase(item.conversation_id);
  }
}

/** @param {any} item @param {'sent' | 'queued' | null} way @returns {[string, Node | string][]} only what is known */
function facts(item, way) {
  /** @type {[string, Node | string | null][]} */
  const all = [
    ['first_seen', item.created_at ? el('time', { datetime: item.created_at, title: fullTime(item.created_at) }, relativeTime(item.created_at)) : null],
    ['country', named('region', item.country)],
    ['language', named('language', item.locale)],
    ['device', deviceParts(item.user_agent).join(' · ')],
    ['page', address(item.page_url)],
    ['referrer', address(item.referrer)],
    ['site', item.site && item.site !== 'default' ? item.site : null],
    ['continues', item.in_telegram === true ? t('admin.details.in_telegram') : null],
    ['telegram', way && t(`admin.telegram.${way}`)],
    ['messages', item.head_seq === undefined ? null : new Intl.NumberFormat(formatLocale()).format(item.head_seq)],
  ];
  return all.flatMap(([name, value]) => (value ? [[t(`admin.details.${name}`), value]] : []));
}

/** @param {'language' | 'region'} type @param {unknown} tag */
function named(type, tag) {
  if (typeof tag !== 'string' || tag === '') return null;
  try {
    return new Intl.DisplayNames([formatLocale()], { type }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** What a visitor's page claims; only a web address becomes a link. @param {unknown} text */
function address(text) {
  const url = webAddress(text);
  if (!url) return typeof text === 'string' ? text : null;
  return el('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, url.host + (url.pathname === '/' ? '' : url.pathname));
}
