// @ts-check
// The list of conversations without any DOM: what is known of each, in which order, and who waits.

/**
 * @typedef {{seq: number, sender: string, preview: string, created_at: string}} LastMessage
 * @typedef {{conversation_id: string, site: string, visitor_name: string, status: string, created_at: string,
 *   last_activity_at: string, last_message: LastMessage | null, head_seq: number, unread: number, tags: string[],
 *   online: boolean, waiting_since: string | null, locale?: string, page_url?: string, referrer?: string,
 *   user_agent?: string, country?: string | null, claimed_by: string | null, in_telegram?: boolean, read: {visitor: number, admin: number}}} Item
 * @typedef {{status: string, claim?: string, me?: string, tag?: string, site?: string, text?: string}} Filter
 *   `claim`: `mine` leaves those that are with `me`, `unclaimed` those that are with nobody
 */

const PREVIEW_CHARACTERS = 140;
const TYPING_MS = 6000;
const MINUTE_MS = 60_000;

export class Inbox {
  /** @type {Map<string, Item>} */
  #items = new Map();
  /** @type {Map<string, number>} conversation -> when the visitor's typing is over */
  #typing = new Map();

  /** @param {string | null} id @returns {Item | null} */
  get(id) {
    return (id !== null && this.#items.get(id)) || null;
  }

  get size() {
    return this.#items.size;
  }

  clear() {
    this.#items.clear();
    this.#typing.clear();
  }

  /**
   * Takes a frame in, in any order and any number of times.
   * @param {any} frame @param {number} now milliseconds
   * @returns {boolean} whether the frame was about the list
   */
  apply(frame, now) {
    const id = frame.conversation_id;
    switch (frame.type) {
      case 'conversations':
        for (const item of frame.items ?? []) this.put(item);
        return true;
      case 'conversation_opened':
      case 'conversation_updated':
        this.put(frame.item ?? frame);
        return true;
      case 'message':
        this.#message(frame);
        return true;
      case 'message_edited':
        this.#edited(frame);
        return true;
      case 'read':
        this.#read(frame);
        return true;
      case 'presence':
        if (typeof id === 'string') this.#change(id, { online: frame.online === true });
        return true;
      case 'typing':
        if (frame.sender === 'visitor') this.#typing.set(id, now + TYPING_MS);
        return true;
      case 'conversation_closed':
        this.#change(id, { status: 'closed', waiting_since: null });
        return true;
      case 'conversation_deleted':
        this.remove(id);
        return true;
      default:
        return false;
    }
  }

  /** @param {any} raw an item as the server sends it; a part of one is merged into what is known */
  put(raw) {
    if (!raw || typeof raw.conversation_id !== 'string') return;
    const held = this.#items.get(raw.conversation_id);
    const item = completed({ ...held, ...raw });
    // A list answer may have been on its way while newer pushes arrived.
    if (held && held.head_seq > item.head_seq) {
      Object.assign(item, {
        head_seq: held.head_seq, last_message: held.last_message,
        last_activity_at: held.last_activity_at, waiting_since: held.waiting_since,
      });
    }
    if (held) {
      item.read = {
        visitor: Math.max(held.read.visitor, item.read.visitor),
        admin: Math.max(held.read.admin, item.read.admin),
      };
    }
    item.unread = Math.max(0, item.head_seq - item.read.admin);
    this.#items.set(item.conversation_id, item);
  }

  /** @param {string} id */
  remove(id) {
    this.#items.delete(id);
    this.#typing.delete(id);
  }

  /**
   * Takes the first page of a filter as the truth for the stretch of time it covers: what should stand
   * in it and does not has been deleted or changed while nobody told us.
   * @param {any[]} items newest first @param {Filter} filter @param {boolean} more whether the page is not the last
   */
  reconcile(items, filter, more) {
    const present = new Set(items.map((item) => item.conversation_id));
    const oldest = items.at(-1)?.last_activity_at ?? '';
    for (const item of [...this.#items.values()]) {
      const covered = !more || item.last_activity_at > oldest;
      if (covered && !present.has(item.conversation_id) && matches(item, filter)) this.remove(item.conversation_id);
    }
    for (const item of items) this.put(item);
  }

  /** @param {Filter} filter @returns {Item[]} newest activity first */
  list(filter) {
    return [...this.#items.values()].filter((item) => matches(item, filter)).sort(byActivity);
  }

  /** @param {string} id @param {number} now */
  isTyping(id, now) {
    return (this.#typing.get(id) ?? 0) > now;
  }

  /** @param {string | null} except @returns {Item | null} the open conversation that waits longest */
  nextWaiting(except) {
    let next = null;
    for (const item of this.#items.values()) {
      if (item.status !== 'open' || item.conversation_id === except || !item.waiting_since) continue;
      if (!next || item.waiting_since < /** @type {string} */ (next.waiting_since)) next = item;
    }
    return next;
  }

  /** Open conversations in which something has not been read. */
  unreadConversations() {
    let count = 0;
    for (const item of this.#items.values()) if (item.status === 'open' && item.unread > 0) count += 1;
    return count;
  }

  /** @returns {string[]} */
  tags() {
    return sortedSet([...this.#items.values()].flatMap((item) => item.tags));
  }

  /** @returns {string[]} */
  sites() {
    return sortedSet([...this.#items.values()].map((item) => item.site));
  }

  /** @param {any} message */
  #message(message) {
    const item = this.#items.get(message.conversation_id);
    if (!item || message.seq <= item.head_seq) return;
    const last = { seq: message.seq, sender: message.sender, preview: preview(message), created_at: message.created_at };
    /** @type {Partial<Item>} */
    const change = { head_seq: message.seq, last_message: last, last_activity_at: message.created_at };
    if (message.sender === 'visitor') change.waiting_since = item.waiting_since ?? message.created_at;
    if (message.sender === 'admin') {
      change.waiting_since = null;
      change.read = { ...item.read, admin: Math.max(item.read.admin, message.seq) };
    }
    this.#typing.delete(message.conversation_id);
    this.#change(message.conversation_id, change);
  }

  /** @param {any} message */
  #edited(message) {
    const last = this.#items.get(message.conversation_id)?.last_message;
    if (last?.seq !== message.seq) return;
    this.#change(message.conversation_id, { last_message: { .../** @type {LastMessage} */ (last), preview: preview(message) } });
  }

  /** @param {{conversation_id: string, reader: 'visitor' | 'admin', seq: number}} frame */
  #read({ conversation_id, reader, seq }) {
    const item = this.#items.get(conversation_id);
    if (!item || !Number.isInteger(seq) || (reader !== 'visitor' && reader !== 'admin')) return;
    this.#change(conversation_id, { read: { ...item.read, [reader]: Math.max(item.read[reader], seq) } });
  }

  /** @param {string} id @param {Partial<Item>} change */
  #change(id, change) {
    const item = this.#items.get(id);
    if (!item) return;
    const next = { ...item, ...change };
    next.unread = Math.max(0, next.head_seq - next.read.admin);
    this.#items.set(id, next);
  }
}

/** @param {Item} item @param {Filter} filter */
export function matches(item, { status, claim, me, tag, site, text }) {
  if (status !== 'all' && item.status !== status) return false;
  if (claim === 'mine' && item.claimed_by !== me) return false;
  if (claim === 'unclaimed' && item.claimed_by !== null) return false;
  if (tag && !item.tags.includes(tag)) return false;
  if (site && item.site !== site) return false;
  if (!text) return true;
  const sought = fold(text);
  return fold(item.visitor_name).includes(sought) || fold(item.last_message?.preview ?? '').includes(sought);
}

/**
 * Keeps one row where it is while the others move around it, so that nobody clicks on a row that
 * has just slid under the pointer.
 * @param {Item[]} order @param {string | null} id @param {number} index
 */
export function holdRow(order, id, index) {
  const from = order.findIndex((item) => item.conversation_id === id);
  if (from < 0 || index < 0) return order;
  const held = order.slice();
  const [row] = held.splice(from, 1);
  held.splice(Math.min(index, held.length), 0, row);
  return held;
}

/**
 * @param {string | null | undefined} since @param {number} now milliseconds
 * @returns {'short' | 'medium' | 'long' | null} under 2, under 10, over 10 minutes
 */
export function waitingClass(since, now) {
  if (!since) return null;
  const waited = now - Date.parse(since);
  if (Number.isNaN(waited)) return null;
  if (waited < 2 * MINUTE_MS) return 'short';
  return waited < 10 * MINUTE_MS ? 'medium' : 'long';
}

/** @param {Item} a @param {Item} b */
function byActivity(a, b) {
  if (a.last_activity_at !== b.last_activity_at) return a.last_activity_at < b.last_activity_at ? 1 : -1;
  return a.conversation_id < b.conversation_id ? -1 : 1;
}

/** @param {any} raw @returns {Item} */
function completed(raw) {
  const head = raw.head_seq ?? 0;
  return {
    ...raw,
    site: raw.site ?? 'default',
    visitor_name: raw.visitor_name ?? '',
    status: raw.status ?? 'open',
    last_activity_at: raw.last_activity_at ?? raw.created_at ?? '',
    last_message: raw.last_message ?? null,
    head_seq: head,
    tags: Array.isArray(raw.tags) ? raw.tags : [],
    online: raw.online === true,
    waiting_since: raw.waiting_since ?? null,
    claimed_by: raw.claimed_by ?? null,
    read: raw.read ?? { visitor: 0, admin: head - (raw.unread ?? head) },
  };
}

/** @param {any} message */
function preview(message) {
  const text = String(message.content || message.file?.name || '').replace(/\s+/gu, ' ');
  return [...text.slice(0, PREVIEW_CHARACTERS * 2)].slice(0, PREVIEW_CHARACTERS).join('');
}

/** @param {string} text */
function fold(text) {
  return text.toLocaleLowerCase().normalize('NFKD').replace(/[\u0300-\u036f]/gu, '').replace(/ı/gu, 'i');
}

/** @param {string[]} values */
function sortedSet(values) {
  return [...new Set(values)].sort((a, b) => a.localeCompare(b));
}
