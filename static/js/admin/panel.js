// @ts-check
// What the panel knows and does. The views show it and call it; it touches no DOM but the address.

import { Acts, conversationPath } from './acts.js';
import { codeOf } from './api.js';
import { CannedReplies } from './canned.js';
import { Inbox } from './inbox.js';
import { Letters } from './letters.js';
import { Live } from './live.js';
import { Notes } from './notes.js';
import { fullPage } from './paging.js';
import { START, formatRoute, parseRoute, serverStatus } from './route.js';
import { TelegramWay } from './telegram.js';
import { Threads } from './threads.js';

/**
 * @typedef {import('./api.js').Api} Api
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./route.js').Route} Route
 * @typedef {'list' | 'thread' | 'route' | 'connection' | 'opened' | 'deleted' | 'refused' |
 *   'lost' | 'notes' | 'alert'} Topic
 * @typedef {{code: string, detail: string, since: string}} Alert something between us and Telegram that only people can mend
 */

const PAGE = 100;
/** How often at most a message of a conversation that is not held makes the list load again. */
const UNKNOWN_MS = 5_000;
/** On AWS a message that is stored while a panel connects may not reach it: so it asks again when it is known everywhere. */
const SETTLED_MS = 3_000;

export class Panel {
  inbox = new Inbox();
  adminsOnline = 0;
  /** @type {Route} */
  route = START;
  /** @type {{cursor: string | null, loading: boolean, loaded: boolean, error: string | null}} */
  page = { cursor: null, loading: false, loaded: false, error: null };
  /** @type {Alert | null} */
  alert = null;

  #api;
  #session;
  #live;
  /** @type {Map<Topic, Set<(detail?: any) => void>>} */
  #listeners = new Map();
  #announced = new Set();
  #listAsked = 0;
  #unknownAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #settled;
  #popped = () => this.#enter(parseRoute(location.search));

  /** @param {{api: Api, session: Session, store: import('./session.js').Store}} parts */
  constructor({ api, session, store }) {
    this.#api = api;
    this.#session = session;
    this.#live = new Live({
      api,
      onOpen: () => this.#opened(),
      onFrame: (frame) => this.#frame(frame),
      onState: () => this.#tell('connection'),
      onEnded: () => session.end(),
      poll: () => this.#poll(),
    });
    this.threads = new Threads({ api, live: () => this.#live, changed: (id) => this.#tell('thread', id) });
    this.letters = new Letters({
      api, store, live: this.#live, threads: this.threads, name: () => session.name, onFrame: (frame) => this.#frame(frame),
    });
    this.notes = new Notes({ api, changed: (id) => this.#tell('notes', id) });
    this.telegram = new TelegramWay({ api, headSeq: (id) => this.#headSeq(id), changed: (id) => this.#tell('thread', id) });
    this.canned = new CannedReplies({ api });
    this.acts = new Acts(this, { onFrame: (frame) => this.#frame(frame), tell: (topic, detail) => this.#tell(topic, detail) });
  }

  get connection() {
    return this.#live.state;
  }

  get api() {
    return this.#api;
  }

  get name() {
    return this.#session.name;
  }

  /** @param {Topic} topic @param {(detail?: any) => void} listener */
  on(topic, listener) {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
  }

  start() {
    this.page = { cursor: null, loading: true, loaded: false, error: null };
    addEventListener('popstate', this.#popped);
    this.#live.start();
    this.#enter(parseRoute(location.search));
    if (!this.#plain()) this.loadList().catch(() => null);
    this.canned.load().catch(() => null);
    this.#greet();
  }

  stop() {
    removeEventListener('popstate', this.#popped);
    clearTimeout(this.#settled);
    this.#live.stop();
    this.letters.stop();
    this.inbox.clear();
    this.threads.clear();
    this.notes.clear();
    this.telegram.clear();
    this.#alarm(null);
    // What is still on the screen, hidden, goes with the session.
    this.#tell('thread', this.route.conversation);
    this.#announced.clear();
  }

  async logout() {
    // The server closes the socket before it answers; that must not pass for a session that ended by itself.
    this.#live.stop();
    await this.#api.post('/api/admin/logout').catch(() => null);
    this.#session.end('left');
  }

  /** @returns {import('./inbox.js').Filter} */
  get filter() {
    const { status, tag, site, q } = this.route;
    return { status: serverStatus(status), claim: status, me: this.name, tag, site, text: q };
  }

  /** @param {string | null} id what is known of a conversation, even when the list does not hold it */
  item(id) {
    const held = this.inbox.get(id);
    const thread = this.threads.get(id);
    if (held || thread?.state !== 'ready') return held;
    const { visitorName, status, headSeq, online } = thread.conversation;
    return { conversation_id: id, visitor_name: visitorName, status, head_seq: headSeq, online, tags: [] };
  }

  /**
   * Goes somewhere: the address, then the views, then the loading.
   * @param {Partial<Route>} change @param {{replace?: boolean}} [options]
   */
  go(change, { replace = false } = {}) {
    const leaving = 'conversation' in change || (change.view && change.view !== this.route.view);
    const route = { ...this.route, ...(leaving ? { message: null } : {}), ...change };
    const address = formatRoute(route);
    if (address !== formatRoute(this.route)) history[replace ? 'replaceState' : 'pushState'](null, '', address);
    this.#enter(route);
  }

  /** @param {{more?: boolean}} [options] */
  async loadList({ more = false } = {}) {
    const asked = (this.#listAsked += 1);
    const { status, tag, site, q } = this.route;
    const cursor = more ? this.page.cursor : null;
    this.page = { ...this.page, loading: true, error: null };
    this.#tell('list');
    try {
      const wanted = serverStatus(status);
      const query = { status: wanted === 'all' ? null : wanted, tag, site, q, limit: PAGE };
      const page = await fullPage((from) => this.#api.get('/api/admin/conversations', { ...query, cursor: from }), cursor);
      if (asked !== this.#listAsked) return;
      this.#listed(page, more);
    } catch (cause) {
      if (asked === this.#listAsked) this.page = { ...this.page, loading: false, error: codeOf(cause) };
      this.#tell('list');
      throw cause;
    }
  }

  /** @param {string} id @param {number} seq */
  markRead(id, seq) {
    const read = this.inbox.get(id)?.read ?? this.threads.get(id)?.conversation.read;
    if (!read || read.admin >= seq) return;
    this.#frame({ type: 'read', conversation_id: id, reader: 'admin', seq });
    if (this.#live.send({ type: 'read', conversation_id: id, seq })) return;
    this.#api.post(`${conversationPath(id)}/read`, { seq }).catch(() => null);
  }

  /** @param {string} id */
  typing(id) {
    this.#live.send({ type: 'typing', conversation_id: id });
  }

  /** @param {Route} route */
  #enter(route) {
    const before = this.route;
    this.route = route;
    const filtered = ['status', 'tag', 'site', 'q'].some((key) => /** @type {any} */ (before)[key] !== /** @type {any} */ (route)[key]);
    if (filtered && this.page.loaded) this.loadList().catch(() => null);
    const id = route.conversation;
    if (id !== null && (id !== before.conversation || route.message !== before.message || !this.threads.get(id))) {
      this.#show(id, route.message);
    }
    if (id === null && before.conversation !== null) this.telegram.open(null);
    this.#tell('route');
  }

  /** @param {string} id @param {number | null} message */
  #show(id, message) {
    if (message) this.threads.reach(id, message);
    else this.threads.open(id);
    const item = this.inbox.get(id);
    if (item) this.threads.know([item]);
    else this.#fetch(id);
    this.letters.show(id);
    this.notes.open(id);
    this.telegram.open(id);
  }

  /** A conversation that the list has not reached yet, or that its filter leaves out. @param {string} id */
  async #fetch(id) {
    const item = await this.#api.get(conversationPath(id)).catch(() => null);
    if (item === null) return;
    this.inbox.put(item);
    this.threads.know([item]);
    this.#tell('list');
  }

  #plain() {
    const { tag, site, q } = this.route;
    return !tag && !site && !q;
  }

  #opened() {
    this.#ask();
    clearTimeout(this.#settled);
    this.#settled = setTimeout(() => this.#live.open && this.#ask(), SETTLED_MS);
  }

  #ask() {
    const { conversation } = this.route;
    const status = serverStatus(this.route.status);
    this.#live.send({ type: 'subscribe', limit: PAGE, ...(status === 'all' ? {} : { status }) });
    if (!this.#plain()) this.loadList().catch(() => null);
    if (conversation) {
      this.threads.open(conversation);
      this.notes.open(conversation);
      this.telegram.open(conversation);
    }
    this.letters.resend();
  }

  async #poll() {
    await this.loadList();
    const { conversation } = this.route;
    if (conversation) await Promise.all([this.threads.open(conversation), this.notes.open(conversation), this.telegram.open(conversation)]);
    this.letters.resend();
    await this.#greet();
  }

  /** What the session says beside itself: whether there is Telegram, and whether it is in trouble. */
  async #greet() {
    const { telegram, alert } = await this.#api.get('/api/admin/session').catch(() => ({}));
    if (typeof telegram === 'boolean') this.telegram.enabled = telegram;
    if (alert !== undefined) this.#alarm(alert);
  }

  /** @param {Alert | null} alert */
  #alarm(alert) {
    this.alert = alert;
    this.#tell('alert');
  }

  /** @param {string} id */
  #headSeq(id) {
    return Math.max(this.inbox.get(id)?.head_seq ?? 0, this.threads.get(id)?.conversation.headSeq ?? 0);
  }

  /** @param {any} frame */
  #frame(frame) {
    const known = this.inbox.get(frame.conversation_id) !== null;
    if (typeof frame.admins_online === 'number') this.adminsOnline = frame.admins_online;
    if (frame.type === 'conversations') this.#subscribed(frame);
    else if (this.inbox.apply(frame, Date.now())) this.#tell('list');
    this.threads.apply(frame);
    this.notes.apply(frame);
    this.telegram.apply(frame);
    if (frame.alert !== undefined) this.#alarm(frame.alert);

    if (frame.type === 'message') {
      this.letters.confirm(frame);
      if (!known) this.#unknown();
    }
    if (frame.type === 'conversation_opened') this.#announce(frame.item ?? frame);
    if (frame.type === 'conversation_deleted') this.#deleted(frame.conversation_id);
    if (frame.type === 'error') this.#refused(frame);
  }

  /** @param {any} frame the answer to `subscribe`: the first page of the status asked for */
  #subscribed(frame) {
    if (this.#plain()) this.#listed({ items: frame.items, cursor: frame.next_cursor ?? null }, false);
    else for (const item of frame.items) this.inbox.put(item);
    this.threads.know(frame.items);
    this.#tell('list');
  }

  /** @param {{items: any[], cursor: string | null}} page @param {boolean} more */
  #listed({ items, cursor }, more) {
    // The words of a search are matched by the server in ways the page cannot repeat: nothing is missed there.
    if (more || this.route.q) for (const item of items) this.inbox.put(item);
    else this.inbox.reconcile(items, this.filter, cursor !== null);
    this.threads.know(items);
    this.page = { cursor, loading: false, loaded: true, error: null };
    this.#tell('list');
  }

  #unknown() {
    const now = Date.now();
    if (now - this.#unknownAt < UNKNOWN_MS) return;
    this.#unknownAt = now;
    this.loadList().catch(() => null);
  }

  /** @param {any} item */
  #announce(item) {
    if (this.#announced.has(item.conversation_id)) return;
    this.#announced.add(item.conversation_id);
    this.#tell('opened', item);
  }

  /** @param {string} id */
  #deleted(id) {
    this.threads.forget(id);
    this.letters.forget(id);
    this.notes.forget(id);
    const open = this.route.conversation === id;
    if (open) this.go({ conversation: null }, { replace: true });
    this.#tell('deleted', { id, open });
  }

  /** @param {any} frame */
  #refused(frame) {
    if (frame.error === 'unauthorized') this.#session.end();
    else if (frame.client_id) this.letters.fail(frame.client_id, frame.error);
    else this.threads.refuse();
  }

  /** @param {Topic} topic @param {any} [detail] */
  #tell(topic, detail) {
    for (const listener of this.#listeners.get(topic) ?? []) listener(detail);
  }
}
