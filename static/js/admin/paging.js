// @ts-check
// Pages of the server's lists.

/** @typedef {{items: any[], next_cursor?: string | null}} Answer */

/** A search looks at so many candidates at a time; this many empty pages in a row are passed over unasked. */
const MOST_EMPTY = 10;

/**
 * A page of a search may be empty though more follow: goes on until there is something to show.
 * @param {(cursor: string | null) => Promise<Answer>} ask @param {string | null} from
 * @returns {Promise<{items: any[], cursor: string | null}>}
 */
export async function fullPage(ask, from) {
  let cursor = from;
  for (let empty = 0; ; empty += 1) {
    const { items, next_cursor = null } = await ask(cursor);
    if (items.length > 0 || next_cursor === null || empty === MOST_EMPTY) return { items, cursor: next_cursor };
    cursor = next_cursor;
  }
}
