// @ts-check
// What frames the views: the connection in words, refusals, the empty place, one or two screens.

import { onLocaleChange, t } from '../i18n.js';
import { byId, setText } from './page.js';

/** @typedef {import('./panel.js').Panel} Panel */

const NOTICE_MS = 8_000;
/** Codes with words of their own; every other one is told as a failure on our side. */
const REFUSALS = ['network', 'rate_limited', 'forbidden', 'capacity', 'conversation_not_found', 'conversation_closed', 'invalid_message'];
/** Alerts with words that say what to do; of every other one the detail is told. */
const ALERTS = [
  'telegram_forbidden', 'telegram_rights', 'telegram_chat_not_found', 'telegram_unauthorized', 'telegram_flood', 'telegram_down',
];

export class StageView {
  #panel;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
    for (const topic of /** @type {const} */ (['connection', 'route', 'list'])) panel.on(topic, () => this.#render());
    panel.on('alert', () => this.#alert());
    panel.on('lost', (holder) => this.#say(t('admin.claim.lost', { holder })));
    panel.on('refused', (code) => this.#refused(code));
    panel.on('deleted', ({ open }) => open && this.#say(t('admin.thread.gone')));
    onLocaleChange(() => {
      this.#render();
      this.#alert();
    });
  }

  /** Stands for as long as the trouble does; nobody can wish it away. */
  #alert() {
    const { alert } = this.#panel;
    byId('alert').hidden = alert === null;
    if (alert === null) setText(byId('alert'), '');
    else setText(byId('alert'), ALERTS.includes(alert.code) ? t(`admin.alert.${alert.code}`) : t('admin.alert.other', { detail: alert.detail }));
  }

  #render() {
    const { route, connection, inbox, page } = this.#panel;
    const alone = route.view === 'inbox' && route.conversation === null;
    document.body.classList.toggle('admin--stage', !alone);
    byId('empty').hidden = !alone;
    const waiting = inbox.nextWaiting(null) !== null;
    const state = !page.loaded ? null : inbox.size === 0 ? 'first' : waiting ? 'waiting' : 'quiet';
    setText(byId('empty-title'), state ? t(`admin.empty.${state}`) : '');
    setText(byId('empty-body'), state ? t(`admin.empty.${state}_body`) : '');

    byId('state').dataset.state = connection;
    setText(byId('state-word'), t(`admin.connection.${connection}`));
    const bar = byId('connection');
    bar.hidden = connection === 'live' || connection === 'connecting';
    setText(bar, bar.hidden ? '' : t(`admin.connection.${connection}_bar`));
  }

  /** @param {string} code */
  #refused(code) {
    const name = code === 'not_found' ? 'conversation_not_found' : code;
    this.#say(t(`admin.error.${REFUSALS.includes(name) ? name : 'internal'}`));
  }

  /** @param {string} words */
  #say(words) {
    setText(byId('refusal'), words);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => setText(byId('refusal'), ''), NOTICE_MS);
  }
}
