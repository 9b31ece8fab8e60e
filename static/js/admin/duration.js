// @ts-check
// Lengths of time in words of the reader's language.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** @param {number} seconds @param {string} locale @returns {string} at most two units, such as "3 min 20 sec" */
export function formatDuration(seconds, locale) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) return unit(whole, 'second', locale);
  if (whole < 10 * MINUTE) return pair(whole, MINUTE, 'minute', 1, 'second', locale);
  if (whole < HOUR) return unit(Math.round(whole / MINUTE), 'minute', locale);
  if (whole < DAY) return pair(whole, HOUR, 'hour', MINUTE, 'minute', locale);
  return unit(Math.round(whole / DAY), 'day', locale);
}

/** @param {number} seconds @param {string} locale @returns {string} one unit, for narrow places */
export function formatShortDuration(seconds, locale) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return unit(whole, 'second', locale);
  if (whole < HOUR) return unit(Math.floor(whole / MINUTE), 'minute', locale);
  if (whole < DAY) return unit(Math.floor(whole / HOUR), 'hour', locale);
  return unit(Math.floor(whole / DAY), 'day', locale);
}

/** @param {number} whole @param {number} size @param {string} name @param {number} smaller @param {string} rest @param {string} locale */
function pair(whole, size, name, smaller, rest, locale) {
  const large = unit(Math.floor(whole / size), name, locale);
  const left = Math.floor((whole % size) / smaller);
  return left === 0 ? large : `${large} ${unit(left, rest, locale)}`;
}

/** @param {number} value @param {string} name @param {string} locale */
function unit(value, name, locale) {
  return new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);
}
