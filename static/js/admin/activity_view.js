// @ts-check
// The audit trail, newest first, page by page.

import { el, icon } from '../dom.js';
import { fullTime, relativeTime } from '../format.js';
import { onLocaleChange, t } from '../i18n.js';
import { codeOf } from './api.js';
import { byId } from './page.js';
import { START, formatRoute } from './route.js';

/** @typedef {import('./panel.js').Panel} Panel */

const PAGE = 50;
const ACTIONS = [
  'request_otp', 'login', 'login_failed', 'login_approved', 'login_denied', 'logout', 'send', 'delete', 'close', 'reopen', 'tag', 'untag',
  'claim', 'release', 'note', 'ban', 'unban', 'canned', 'canned_removed', 'read', 'search', 'export',
];

export class ActivityView {
  #panel;
  #root = byId('activity');
  /** @type {any[]} */
  #entries = [];
  /** @type {string | null} */
  #cursor = null;
  /** @type {'idle' | 'loading' | 'ready' | string} an error code when it failed */
  #state = 'idle';
  #asked = 0;

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
    this.#root.addEventListener('click', (event) => this.#click(event));
    panel.on('route', () => this.#follow());
    onLocaleChange(() => this.#render());
  }

  #follow() {
    const here = this.#panel.route.view === 'activity';
    if (here && this.#state === 'idle') this.#load(false);
    if (!here) this.#state = 'idle';
    this.#root.hidden = !here;
  }

  /** @param {boolean} more */
  async #load(more) {
    const asked = (this.#asked += 1);
    if (!more) this.#entries = [];
    this.#state = 'loading';
    this.#render();
    try {
      const answer = await this.#panel.api.get('/api/admin/activity', { limit: PAGE, cursor: more ? this.#cursor : null });
      if (asked !== this.#asked) return;
      this.#entries = [...this.#entries, ...answer.items];
      this.#cursor = answer.next_cursor ?? null;
      this.#state = 'ready';
    } catch (cause) {
      if (asked !== this.#asked) return;
      this.#state = codeOf(cause);
    }
    this.#render();
  }

  #render() {
    const rows = this.#entries.map((entry) => this.#row(entry));
    const heads = ['time', 'name', 'action', 'conversation', 'ip'].map((name) => el('th', { scope: 'col' }, t(`admin.activity.${name}`)));
    const parts = [
      el('div', { class: 'report__head' },
        el('button', { class: 'icon-button', type: 'button', 'aria-label': t('admin.report.back'), data: { back: '1' } }, icon('back')),
        el('h2', { id: 'activity-title' }, t('admin.activity.title'))),
      rows.length > 0 ? el('table', { class: 'table table--activity' }, el('thead', {}, el('tr', {}, heads)), el('tbody', {}, ...rows)) : null,
      this.#foot(),
    ];
    this.#root.replaceChildren(...parts.filter((part) => part !== null));
  }

  #foot() {
    if (this.#state === 'loading') return el('div', { class: 'report__note' }, el('div', { class: 'skeleton', 'aria-hidden': 'true' }));
    if (this.#state !== 'ready') {
      const words = t(this.#state === 'network' ? 'admin.error.network' : 'admin.activity.failed');
      return el('div', { class: 'report__note' }, el('p', {}, words), el('button', { class: 'button', type: 'button', data: { more: '1' } }, t('admin.error.again')));
    }
    if (this.#entries.length === 0) return el('p', { class: 'report__note' }, t('admin.activity.empty'));
    if (this.#cursor === null) return null;
    return el('button', { class: 'button report__more', type: 'button', data: { more: '1' } }, t('admin.list.more'));
  }

  /** @param {any} entry */
  #row({ created_at, name, ip, action, conversation_id, details }) {
    const cell = (/** @type {string} */ label, /** @type {any[]} */ ...content) => el('td', { data: { label: t(`admin.activity.${label}`) } }, ...content);
    const held = this.#panel.inbox.get(conversation_id ?? null);
    const href = formatRoute({ ...START, status: 'all', conversation: conversation_id ?? null });
    return el('tr', {},
      cell('time', el('time', { datetime: created_at, title: fullTime(created_at) }, relativeTime(created_at))),
      cell('name', el('bdi', {}, name || '–')),
      cell('action', el('span', {}, ACTIONS.includes(action) ? t(`admin.activity.action.${action}`) : action), detailText(details)),
      cell('conversation', conversation_id
        ? el('a', { href, dir: 'auto', data: { conversation: conversation_id } }, held?.visitor_name || t('admin.activity.open'))
        : '–'),
      cell('ip', ip ?? '–'));
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (event.target).closest('[data-back], [data-more], [data-conversation]'));
    if (!target) return;
    if (target.dataset.back) this.#panel.go({ view: 'inbox' });
    else if (target.dataset.more) this.#load(this.#entries.length > 0);
    else if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.#panel.go({ view: 'inbox', conversation: target.dataset.conversation ?? null });
    }
  }
}

/** @param {unknown} details */
function detailText(details) {
  if (!details || typeof details !== 'object') return null;
  const parts = Object.entries(details).filter(([, value]) => value !== null && value !== '')
    .map(([key, value]) => `${key}: ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  return parts.length > 0 ? el('span', { class: 'table__details', dir: 'auto' }, parts.join(', ')) : null;
}
