// @ts-check
// Two small charts, drawn as SVG node by node. The table behind each tells the same in words.

import { el } from '../dom.js';
import { axisTop } from './statistics.js';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 180;
const BOTTOM = 22;
const TOP = 8;
const SIDE = 52;
/** Lengths of time that are round and have round halves, in seconds. */
const DURATIONS = [60, 120, 240, 600, 1200, 3600, 7200, 14_400, 28_800, 86_400, 172_800, 345_600, 864_000];

/**
 * @typedef {{label: string, values: (number | null)[], text: string}} Point `text` is the tooltip
 * @typedef {{label: string, width: number, points: Point[], format: (value: number) => string}} Chart `width` in pixels
 */

/**
 * Stacked bars: one for each day, one part for each series.
 * @param {Chart} chart
 */
export function barChart({ label, width, points, format }) {
  const totals = points.map((point) => point.values.reduce((/** @type {number} */ sum, value) => sum + (value ?? 0), 0));
  const { svg, x, y, step } = frame({ label, width, points, format }, axisTop(Math.max(...totals, 0)));
  const bar = Math.max(1, step * 0.7);
  points.forEach((point, index) => {
    let below = 0;
    const group = node('g', {});
    group.append(title(point.text));
    point.values.forEach((value, series) => {
      if (!value) return;
      const top = y(below + value);
      group.append(node('rect', {
        class: `chart__bar chart__bar--${series}`, x: x(index) - bar / 2, y: top, width: bar, height: y(below) - top, rx: Math.min(2, bar / 4),
      }));
      below += value;
    });
    svg.append(group);
  });
  return svg;
}

/**
 * One line of seconds; days without a value leave a gap.
 * @param {Chart} chart
 */
export function lineChart({ label, width, points, format }) {
  const values = points.map((point) => point.values[0]);
  const greatest = Math.max(...values.map((value) => value ?? 0));
  const top = DURATIONS.find((length) => length >= greatest) ?? axisTop(greatest);
  const { svg, x, y } = frame({ label, width, points, format }, top);
  let path = '';
  values.forEach((value, index) => {
    if (value === null) return;
    const begins = index === 0 || values[index - 1] === null;
    path += `${begins ? 'M' : 'L'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  svg.append(node('path', { class: 'chart__line', d: path }));
  points.forEach((point, index) => {
    const value = point.values[0];
    if (value === null) return;
    const dot = node('circle', { class: 'chart__dot', cx: x(index), cy: y(value), r: 3 });
    dot.append(title(point.text));
    svg.append(dot);
  });
  return svg;
}

/**
 * @param {string} summary what opens it @param {string[]} heads @param {string[][]} rows
 */
export function tableBehind(summary, heads, rows) {
  return el('details', { class: 'chart__data' },
    el('summary', {}, summary),
    el('div', { class: 'chart__scroll', tabindex: '0', role: 'region', 'aria-label': summary },
      el('table', { class: 'table' },
        el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
        el('tbody', {}, ...rows.map(([first, ...rest]) => el('tr', {}, el('th', { scope: 'row' }, first), ...rest.map((cell) => el('td', {}, cell))))))));
}

/** @param {Chart} chart @param {number} top value at the upper end of the axis */
function frame({ label, width, points, format }, top) {
  const step = (width - SIDE) / points.length;
  const x = (/** @type {number} */ index) => SIDE + step * (index + 0.5);
  const y = (/** @type {number} */ value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
  const svg = node('svg', { class: 'chart', viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', 'aria-label': label });
  for (const value of [0, top / 2, top]) {
    svg.append(node('line', { class: 'chart__grid', x1: SIDE, x2: width, y1: y(value), y2: y(value) }));
    if (value === 0 || value === top || Number.isInteger(value)) svg.append(text(SIDE - 6, y(value) + 4, 'end', format(value)));
  }
  const middle = Math.floor((points.length - 1) / 2);
  for (const [index, anchor] of /** @type {[number, string][]} */ ([[0, 'start'], [middle, 'middle'], [points.length - 1, 'end']])) {
    const shift = { start: -step / 2, middle: 0, end: step / 2 }[anchor] ?? 0;
    svg.append(text(x(index) + shift, HEIGHT - 5, anchor, points[index].label));
  }
  return { svg, x, y, step };
}

/** @param {number} x @param {number} y @param {string} anchor @param {string} content */
function text(x, y, anchor, content) {
  const made = node('text', { class: 'chart__text', x, y, 'text-anchor': anchor });
  made.textContent = content;
  return made;
}

/** @param {string} content */
function title(content) {
  const made = node('title', {});
  made.textContent = content;
  return made;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function node(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
