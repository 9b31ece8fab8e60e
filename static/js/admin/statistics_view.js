// @ts-check
// Statistics: four numbers beside those of the period before, two charts, a table behind each.

import { el, icon } from '../dom.js';
import { formatLocale, onLocaleChange, t } from '../i18n.js';
import { codeOf } from './api.js';
import { barChart, lineChart, tableBehind } from './chart.js';
import { formatDuration, formatShortDuration } from './duration.js';
import { byId } from './page.js';
import { PERIODS } from './route.js';
import { summarize } from './statistics.js';

/**
 * @typedef {import('./panel.js').Panel} Panel
 * @typedef {import('./statistics.js').Figure} Figure
 * @typedef {import('./statistics.js').Day} Day
 */

const WIDEST_PX = 880;
const NARROWEST_PX = 240;

export class StatisticsView {
  #panel;
  #root = byId('statistics');
  #days = 0;
  /** @type {any} */
  #answer = null;
  #error = '';
  #asked = 0;
  #drawnWidth = 0;

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
    panel.on('route', () => this.#follow());
    onLocaleChange(() => this.#render());
    new ResizeObserver(() => {
      if (this.#width() !== this.#drawnWidth) this.#render();
    }).observe(this.#root);
  }

  #follow() {
    const { view, days } = this.#panel.route;
    const leaves = view !== 'statistics';
    if (leaves) this.#days = 0;
    else if (days !== this.#days) this.#load(days);
    this.#root.hidden = leaves;
  }

  /** @param {number} days */
  async #load(days) {
    this.#days = days;
    const asked = (this.#asked += 1);
    this.#answer = null;
    this.#error = '';
    this.#render();
    try {
      const answer = await this.#panel.api.get('/api/admin/statistics', { days });
      if (asked !== this.#asked) return;
      this.#answer = answer;
    } catch (cause) {
      if (asked !== this.#asked) return;
      this.#error = codeOf(cause);
    }
    this.#render();
  }

  #render() {
    if (this.#days === 0) return;
    const focused = document.activeElement?.id;
    this.#drawnWidth = this.#width();
    this.#root.replaceChildren(this.#head(), ...this.#body());
    if (focused === 'statistics-days') byId(focused).focus();
  }

  /** Charts are drawn for the width they stand in, so that their words keep their size. */
  #width() {
    const { paddingLeft, paddingRight } = getComputedStyle(this.#root);
    const inner = this.#root.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
    return Math.min(Math.max(inner, NARROWEST_PX), WIDEST_PX);
  }

  #head() {
    const select = el('select', {
      id: 'statistics-days', class: 'select', 'aria-label': t('admin.statistics.period'),
      on: { change: () => this.#panel.go({ days: Number(select.value) }) },
    }, ...PERIODS.map((days) => el('option', { value: days, selected: days === this.#days }, t('admin.statistics.days', { count: days }))));
    return el('div', { class: 'report__head' },
      el('button', { class: 'icon-button', type: 'button', 'aria-label': t('admin.report.back'), on: { click: () => this.#panel.go({ view: 'inbox' }) } }, icon('back')),
      el('h2', { id: 'statistics-title' }, t('admin.statistics.title')), select);
  }

  /** @returns {Node[]} */
  #body() {
    if (this.#error) {
      return [el('div', { class: 'report__note' },
        el('p', {}, t(this.#error === 'network' ? 'admin.error.network' : 'admin.statistics.failed')),
        el('button', { class: 'button', type: 'button', on: { click: () => this.#load(this.#days) } }, t('admin.error.again')))];
    }
    if (!this.#answer) {
      return [el('div', { class: 'figures', 'aria-hidden': 'true' }, ...[1, 2, 3, 4].map(() => el('div', { class: 'figure skeleton skeleton--figure' })))];
    }
    const summary = summarize(this.#answer, this.#days, Date.now());
    return [
      el('p', { class: 'report__now' }, t('admin.statistics.now', {
        open: count(this.#answer.active_conversations), visitors: count(this.#answer.visitors_online), admins: count(this.#answer.admins_online),
      })),
      el('dl', { class: 'figures' },
        figureCard('conversations', summary.conversations, count),
        figureCard('messages', summary.messages, count),
        figureCard('first_response', summary.firstResponse, duration),
        figureCard('response', summary.response, duration)),
      messagesChart(summary.days, this.#drawnWidth),
      responseChart(summary.days, this.#drawnWidth),
    ];
  }
}

/** @param {string} name @param {Figure} figure @param {(value: number) => string} format */
function figureCard(name, { value, before, change }, format) {
  return el('div', { class: 'figure' },
    el('dt', { class: 'figure__name' }, t(`admin.statistics.${name}`)),
    el('dd', { class: 'figure__value' }, value === null ? '–' : format(value)),
    el('dd', { class: 'figure__change' }, changeText(value, before, change, format)));
}

/** @param {number | null} value @param {number | null} before @param {number | null} change @param {(value: number) => string} format */
function changeText(value, before, change, format) {
  if (value === null) return t('admin.statistics.no_answers');
  if (before === null) return t('admin.statistics.no_before');
  if (change === null) return t('admin.statistics.before', { value: format(before) });
  if (change === 0) return t('admin.statistics.same');
  const percent = new Intl.NumberFormat(formatLocale(), { style: 'percent', signDisplay: 'always', maximumFractionDigits: 0 }).format(change);
  return t('admin.statistics.change', { percent, value: format(before) });
}

/** @param {Day[]} days @param {number} width */
function messagesChart(days, width) {
  const names = [t('admin.statistics.by_visitors'), t('admin.statistics.by_us')];
  const points = days.map((day) => ({
    label: shortDay(day.date),
    values: [day.messages_visitor, day.messages_admin],
    text: `${shortDay(day.date)}: ${names[0]} ${count(day.messages_visitor)}, ${names[1]} ${count(day.messages_admin)}`,
  }));
  const label = t('admin.statistics.messages_per_day');
  return figure(label, [
    el('p', { class: 'legend' }, ...names.map((name, index) => el('span', { class: 'legend__item' }, el('span', { class: `legend__mark legend__mark--${index}`, 'aria-hidden': 'true' }), name))),
    barChart({ label, width, points, format: count }),
    tableBehind(t('admin.statistics.table'), [t('admin.statistics.day'), ...names],
      days.map((day) => [shortDay(day.date), count(day.messages_visitor), count(day.messages_admin)])),
  ]);
}

/** @param {Day[]} days @param {number} width */
function responseChart(days, width) {
  const label = t('admin.statistics.response_per_day');
  const known = days.filter((day) => typeof day.median_response_seconds === 'number');
  if (known.length === 0) return figure(label, [el('p', { class: 'report__none' }, t('admin.statistics.no_answers'))]);
  const points = days.map((day) => {
    const value = day.median_response_seconds ?? null;
    return { label: shortDay(day.date), values: [value], text: `${shortDay(day.date)}: ${value === null ? '–' : duration(value)}` };
  });
  return figure(label, [
    lineChart({ label, width, points, format: (value) => formatShortDuration(value, formatLocale()) }),
    tableBehind(t('admin.statistics.table'), [t('admin.statistics.day'), t('admin.statistics.response')],
      points.map(({ label: day, values: [value] }) => [day, value === null ? '–' : duration(value)])),
  ]);
}

/** @param {string} label @param {Node[]} parts */
function figure(label, parts) {
  return el('figure', { class: 'report__figure' }, el('figcaption', { class: 'report__caption' }, label), ...parts);
}

/** @param {number} value */
function count(value) {
  return new Intl.NumberFormat(formatLocale()).format(value ?? 0);
}

/** @param {number} seconds */
function duration(seconds) {
  return formatDuration(seconds, formatLocale());
}

/** @param {string} date the day as the server counts it, in UTC */
function shortDay(date) {
  return new Intl.DateTimeFormat(formatLocale(), { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`));
}
