// @ts-check
// How times, names and message texts are shown. No DOM here.
import { formatLocale, t } from './i18n.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formatters = new Map();

/**
 * Making a formatter costs a hundred times more than using it.
 * @param {Date} date
 * @param {Intl.DateTimeFormatOptions} options
 */
function formatDate(date, options) {
  const key = `${formatLocale()} ${JSON.stringify(options)}`;
  const formatter = formatters.get(key) ?? new Intl.DateTimeFormat(formatLocale(), options);
  formatters.set(key, formatter);
  return formatter.format(date);
}

/** @typedef {Date | string | number} Moment */

/**
 * @param {Moment} moment
 * @returns {Date | null} null for what is no time at all
 */
function asDate(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? null : date;
}

/**
 * @param {Date} date
 * @param {Date} now
 * @returns {number} 0 today, 1 yesterday … by the calendar of this browser
 */
function daysAgo(date, now) {
  const midnight = (/** @type {Date} */ d) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate());
  return Math.round((midnight(now) - midnight(date)) / (24 * HOUR));
}

/**
 * "now", "5 min", "14:32", "Yesterday 14:32", then a date.
 * @param {Moment} moment
 * @param {Moment} [now]
 */
export function relativeTime(moment, now = Date.now()) {
  const date = asDate(moment);
  const today = asDate(now);
  if (!date || !today) return '';
  const age = today.getTime() - date.getTime();
  if (age < MINUTE) return t('common.time.now');
  if (age < HOUR) return t('common.time.minutes', { count: Math.floor(age / MINUTE) });
  const days = daysAgo(date, today);
  if (days === 0) return clockTime(date);
  if (days === 1) return t('common.time.yesterday_at', { time: clockTime(date) });
  return shortDate(date, today);
}

/** @param {Moment} moment */
export function clockTime(moment) {
  const date = asDate(moment);
  if (!date) return '';
  return formatDate(date, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

/** @param {Moment} moment */
export function fullTime(moment) {
  const date = asDate(moment);
  if (!date) return '';
  return formatDate(date, {
    weekday: 'long', day: 'numeric', month: 'long', year: 'numeric',
    hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
  });
}

/**
 * @param {Date} date
 * @param {Date} now
 */
function shortDate(date, now) {
  const year = date.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return formatDate(date, { day: 'numeric', month: 'short', year });
}

/**
 * @param {Moment} moment
 * @param {Moment} [now]
 */
export function dayLabel(moment, now = Date.now()) {
  const date = asDate(moment);
  const today = asDate(now);
  if (!date || !today) return '';
  const days = daysAgo(date, today);
  if (days === 0) return t('common.day.today');
  if (days === 1) return t('common.day.yesterday');
  const year = date.getFullYear() === today.getFullYear() ? undefined : 'numeric';
  return formatDate(date, { weekday: 'long', day: 'numeric', month: 'long', year });
}

/**
 * @param {string} name
 * @returns {string} at most two letters
 */
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  if (words.length === 0) return '?';
  const ends = words.length === 1 ? [words[0]] : [words[0], words[words.length - 1]];
  return ends.map((word) => [...word][0].toLocaleUpperCase(formatLocale())).join('');
}

/** @param {number} bytes @returns {string} such as 1.4 MB */
export function formatSize(bytes) {
  const step = bytes < 1000 ? 0 : bytes < 1_000_000 ? 1 : 2;
  const options = { style: 'unit', unit: ['byte', 'kilobyte', 'megabyte'][step], maximumFractionDigits: step === 2 ? 1 : 0 };
  return new Intl.NumberFormat(formatLocale(), /** @type {Intl.NumberFormatOptions} */ (options)).format(bytes / 1000 ** step);
}

/** @param {string} text @returns {number} length as the server counts it: Unicode scalar values */
export function countCharacters(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * @typedef {{type: 'text', text: string} | {type: 'link', text: string, href: string} | {type: 'break'}} Token
 */

const LINK = /\b(?:https?:\/\/|mailto:)[^\s<>"]+/giu;
const PUNCTUATION = new Set('.,;:!?\'*_~…’”»');
const BRACKETS = /** @type {Record<string, string>} */ ({ ')': '(', ']': '[', '}': '{' });

/**
 * Line breaks and links; nothing else is formatted.
 * @param {string} text
 * @returns {Token[]}
 */
export function parseText(text) {
  /** @type {Token[]} */
  const tokens = [];
  text.split(/\r\n|\r|\n/).forEach((line, index) => {
    if (index > 0) tokens.push({ type: 'break' });
    parseLine(line, tokens);
  });
  return tokens;
}

/**
 * @param {string} line
 * @param {Token[]} tokens
 */
function parseLine(line, tokens) {
  let done = 0;
  for (const match of line.matchAll(LINK)) {
    const start = match.index ?? 0;
    const address = withoutTrailingPunctuation(match[0]);
    const href = safeHref(address);
    if (!href) continue;
    if (start > done) tokens.push({ type: 'text', text: line.slice(done, start) });
    tokens.push({ type: 'link', text: address, href });
    done = start + address.length;
  }
  if (done < line.length) tokens.push({ type: 'text', text: line.slice(done) });
}

/**
 * Leaves out the full stop that ends the sentence and the bracket that was opened before the link.
 * @param {string} address
 */
function withoutTrailingPunctuation(address) {
  /** @type {Record<string, number>} */
  const surplus = {};
  for (const [closing, opening] of Object.entries(BRACKETS)) {
    surplus[closing] = address.split(closing).length - address.split(opening).length;
  }
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1];
    if (last in BRACKETS && surplus[last] > 0) surplus[last] -= 1;
    else if (!PUNCTUATION.has(last)) break;
    end -= 1;
  }
  return address.slice(0, end);
}

/**
 * @param {string} address
 * @returns {string | null}
 */
function safeHref(address) {
  try {
    const url = new URL(address);
    return url.protocol === 'mailto:' && !url.pathname.includes('@') ? null : url.href;
  } catch {
    return null;
  }
}

// The longest emoji in use (a family with skin tones) has 41 UTF-16 units.
const LONGEST_EMOJI = 41;
const EMOJI = /\p{Emoji_Presentation}|\p{Emoji}\ufe0f/u;

/** @param {string} text */
export function isSingleEmoji(text) {
  if (text === '' || text.length > LONGEST_EMOJI || !EMOJI.test(text)) return false;
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text);
  return [...graphemes].length === 1;
}
