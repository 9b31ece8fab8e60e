// @ts-check
// The figures of a period beside those of the period before, without any DOM.

/**
 * @typedef {{date: string, conversations: number, messages_visitor: number, messages_admin: number,
 *   median_response_seconds?: number | null}} Day
 * @typedef {{value: number | null, before: number | null, change: number | null}} Figure
 */

const DAY_MS = 86_400_000;

/**
 * @param {any} recent statistics of the period
 * @param {any} both statistics of the period and the one before it
 * @param {number} days length of the period
 * @param {number} now milliseconds
 */
export function summarize(recent, both, days, now) {
  const all = fillDays(both.by_day ?? [], days * 2, now);
  const before = all.slice(0, days);
  const period = all.slice(days);
  return {
    days: period,
    conversations: figure(sum(period, 'conversations'), sum(before, 'conversations')),
    messages: figure(messages(period), messages(before)),
    firstResponse: figure(recent.median_first_response_seconds, recent.previous?.median_first_response_seconds),
    response: figure(recent.median_response_seconds, recent.previous?.median_response_seconds),
  };
}

/**
 * One entry for each UTC day up to today, also for those on which nothing happened.
 * @param {Day[]} known @param {number} count @param {number} now @returns {Day[]}
 */
export function fillDays(known, count, now) {
  const byDate = new Map(known.map((day) => [day.date, day]));
  return Array.from({ length: count }, (_, index) => {
    const date = new Date(now - (count - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    return byDate.get(date) ?? { date, conversations: 0, messages_visitor: 0, messages_admin: 0, median_response_seconds: null };
  });
}

/**
 * @param {number | null | undefined} value @param {number | null | undefined} before
 * @returns {Figure} `change` as a fraction, null when there is nothing to compare with
 */
export function figure(value, before) {
  const known = value ?? null;
  const earlier = before ?? null;
  const change = known === null || earlier === null || earlier === 0 ? null : (known - earlier) / earlier;
  return { value: known, before: earlier, change };
}

/** @param {Day} day */
export function messagesOf(day) {
  return (day.messages_visitor ?? 0) + (day.messages_admin ?? 0);
}

/**
 * A round number at or above the greatest value, so that the axis can be read.
 * @param {number} greatest
 */
export function axisTop(greatest) {
  if (!(greatest > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(greatest));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= greatest) ?? 10;
  return step * power;
}

/** @param {Day[]} days @param {'conversations'} key */
function sum(days, key) {
  return days.reduce((total, day) => total + (day[key] ?? 0), 0);
}

/** @param {Day[]} days */
function messages(days) {
  return days.reduce((total, day) => total + messagesOf(day), 0);
}
