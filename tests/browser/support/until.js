import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

const LIMIT_MS = 90_000;
const EVERY_MS = 25;

/**
 * Asks again until the answer is truthy, and gives it back.
 * @template T
 * @param {string} what names the condition when it never comes
 * @param {() => T | Promise<T>} condition
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, condition) {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > end) assert.fail(`This did not come true within ${LIMIT_MS / 1000} s: ${what}`);
    await pause(EVERY_MS);
  }
}
