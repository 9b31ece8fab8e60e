// @ts-check
// The figures of a period beside those of the period before, without any DOM.

/**
 * @typedef {{date: string, conversations: number, messages_visitor: number, messages_admin: number,
 *   median_response_seconds?: number | null}} Day
 * @typedef {{value: number | null, before: number | null, change: number | null}} Figure
 */

const DAY_MS = 86_400_000;

/**
 * @param {any} answer statistics of the period, with those of the one before it in `previous`
 * @param {number} count length of the period in days
 * @param {number} now milliseconds
 */
export function summarize(answer, count, now) {
  const days = fillDays(answer.by_day ?? [], count, now);
  const previous = answer.previous ?? {};
  return {
    days,
    conversations: figure(sum(days, (day) => day.conversations), previous.conversations),
    messages: figure(sum(days, messagesOf), previous.messages),
    firstResponse: figure(answer.median_first_response_seconds, previous.median_first_response_seconds),
    response: figure(answer.median_response_seconds, previous.median_response_seconds),
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
function messagesOf(day) {
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

/** @param {Day[]} days @param {(day: Day) => number} value */
function sum(days, value) {
  return days.reduce((total, day) => total + (value(day) || 0), 0);
}
