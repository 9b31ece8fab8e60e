// @ts-check
// The panel's address: which view, which filter, which conversation. The path stays `/admin`.

/**
 * @typedef {'inbox' | 'statistics' | 'activity'} View
 * @typedef {'open' | 'mine' | 'unclaimed' | 'closed' | 'all'} Status
 * @typedef {{view: View, status: Status, tag: string, site: string, q: string,
 *   conversation: string | null, message: number | null, days: number}} Route
 */

const VIEWS = ['inbox', 'statistics', 'activity'];
const STATUSES = ['open', 'mine', 'unclaimed', 'closed', 'all'];
export const PERIODS = [7, 30, 90];

/** @type {Route} */
export const START = Object.freeze({
  view: 'inbox', status: 'open', tag: '', site: '', q: '', conversation: null, message: null, days: 30,
});

/** @param {string} search the query part of the address @returns {Route} */
export function parseRoute(search) {
  const values = new URLSearchParams(search);
  const message = Number(values.get('m'));
  const days = Number(values.get('days'));
  return {
    view: /** @type {View} */ (oneOf(VIEWS, values.get('view'), START.view)),
    status: /** @type {Status} */ (oneOf(STATUSES, values.get('status'), START.status)),
    tag: values.get('tag') ?? '',
    site: values.get('site') ?? '',
    q: values.get('q') ?? '',
    conversation: values.get('c') || null,
    message: Number.isSafeInteger(message) && message > 0 ? message : null,
    days: PERIODS.includes(days) ? days : START.days,
  };
}

/** @param {Route} route @returns {string} the shortest address that names it */
export function formatRoute(route) {
  const values = new URLSearchParams();
  if (route.view !== START.view) values.set('view', route.view);
  if (route.status !== START.status) values.set('status', route.status);
  if (route.tag) values.set('tag', route.tag);
  if (route.site) values.set('site', route.site);
  if (route.q) values.set('q', route.q);
  if (route.view === 'statistics' && route.days !== START.days) values.set('days', String(route.days));
  if (route.conversation) values.set('c', route.conversation);
  if (route.conversation && route.message) values.set('m', String(route.message));
  const query = values.toString();
  return query === '' ? '/admin' : `/admin?${query}`;
}

/** Whose a conversation is, is no matter of the server's: it sends the open ones. @param {Status} status @returns {'open' | 'closed' | 'all'} */
export function serverStatus(status) {
  return status === 'mine' || status === 'unclaimed' ? 'open' : status;
}

/** @param {string[]} allowed @param {string | null} value @param {string} otherwise */
function oneOf(allowed, value, otherwise) {
  return value !== null && allowed.includes(value) ? value : otherwise;
}
