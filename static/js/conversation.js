// @ts-check
// What is known of one conversation, whatever order the frames came in. No DOM, no network.

/**
 * @typedef {'visitor' | 'admin' | 'system'} Sender
 * @typedef {{type?: string, conversation_id?: string, id?: string, seq: number, client_id?: string | null,
 *   sender: Sender, via?: string, author?: string, message_type?: string, content: string,
 *   created_at: string, edited_at?: string | null, reaction?: string | null,
 *   file?: {name: string, size: number, mime: string, url: string, album?: string} | null}} Message
 * @typedef {{client_id: string, content: string, created_at: string, author?: string, sender?: Sender,
 *   state?: 'pending' | 'failed', reason?: string}} Unconfirmed
 * @typedef {'pending' | 'failed' | 'sent' | 'delivered' | 'read'} Delivery
 */

// A `typing` frame comes at most every 3 s; one may be lost.
const TYPING_MS = 7000;

export class Conversation {
  id = /** @type {string | null} */ (null);
  visitorName = '';
  status = /** @type {'open' | 'closed' | 'deleted'} */ ('open');
  headSeq = 0;
  adminsOnline = 0;
  online = false;
  /** Whether the visitor may be offered to go on in Telegram. */
  telegram = false;
  read = { visitor: 0, admin: 0 };
  /** @type {number | null} characters, as the server last said */
  maxMessageLength = null;

  /** @type {Map<number, Message>} */
  #confirmed = new Map();
  /** Edits of messages that are not loaded yet. @type {Map<number, Message>} */
  #edits = new Map();
  /** Reactions as last pushed, those to messages that are not loaded yet among them. @type {Map<number, string | null>} */
  #reactions = new Map();
  /** @type {Map<string, number>} */
  #seqOfClientId = new Map();
  /** @type {Unconfirmed[]} */
  #unconfirmed = [];
  /** The seq just before the oldest loaded message; null until a history said where we stand. @type {number | null} */
  #base = null;
  #contiguous = 0;
  /** @type {Message[] | null} */
  #sorted = null;
  #delivered = { visitor: 0, admin: 0 };
  /** @type {Map<string, number>} */
  #typingSince = new Map();

  /** @param {{id?: string | null, visitorName?: string}} [known] */
  constructor({ id = null, visitorName = '' } = {}) {
    this.id = id;
    this.visitorName = visitorName;
  }

  /**
   * Takes in any frame; frames of other conversations and unknown ones change nothing.
   * @param {any} frame
   * @param {number} [now] milliseconds
   * @returns {{changed: boolean, added: Message[]}} `added`: messages not held before
   */
  apply(frame, now = Date.now()) {
    const unchanged = { changed: false, added: [] };
    if (!frame || typeof frame !== 'object') return unchanged;
    const of = frame.conversation_id ?? frame.item?.conversation_id;
    if (of && this.id && of !== this.id) return unchanged;
    switch (frame.type) {
      case 'joined': return this.#joined(frame);
      case 'history': return this.#history(frame);
      case 'message':
      case 'message_edited': return this.#message(frame);
      case 'message_reaction': return this.#changedIf(this.#react(frame));
      case 'read': return this.#changedIf(this.#markRead(frame.reader, frame.seq));
      case 'typing': this.#typingSince.set(frame.sender, now); return this.#changedIf(true);
      case 'presence': this.#presence(frame); return this.#changedIf(true);
      case 'pong': this.#raiseHead(frame.head_seq); return unchanged;
      case 'conversation_opened':
      case 'conversation_updated': return this.#changedIf(this.#item(frame.item ?? frame));
      case 'conversation_closed': this.status = 'closed'; return this.#changedIf(true);
      case 'conversation_reopened': this.status = 'open'; return this.#changedIf(true);
      case 'conversation_deleted': this.status = 'deleted'; this.reset(); return this.#changedIf(true);
      default: return unchanged;
    }
  }

  /** @returns {(Message | Unconfirmed)[]} confirmed by seq, then the unconfirmed in the order they were written */
  messages() {
    return [...this.confirmed(), ...this.#unconfirmed];
  }

  /** @returns {Message[]} */
  confirmed() {
    this.#sorted ??= [...this.#confirmed.values()].sort((a, b) => a.seq - b.seq);
    return this.#sorted;
  }

  /** @param {Unconfirmed} message */
  addPending(message) {
    const known = this.#seqOfClientId.has(message.client_id)
      || this.#unconfirmed.some((other) => other.client_id === message.client_id);
    if (!known) this.#unconfirmed.push({ state: 'pending', ...message });
  }

  /** @param {string} clientId @param {string} reason */
  fail(clientId, reason) {
    this.#change(clientId, { state: 'failed', reason });
  }

  /** @param {string} clientId @returns {Unconfirmed | undefined} the message, pending again */
  retry(clientId) {
    return this.#change(clientId, { state: 'pending', reason: undefined });
  }

  /** @param {string} clientId */
  discard(clientId) {
    this.#unconfirmed = this.#unconfirmed.filter((message) => message.client_id !== clientId);
  }

  /** @returns {Unconfirmed[]} those still to be sent or on their way */
  pending() {
    return this.#unconfirmed.filter((message) => message.state === 'pending');
  }

  /** @returns {Unconfirmed[]} pending and failed, for keeping across a reload */
  unconfirmed() {
    return [...this.#unconfirmed];
  }

  /** @returns {number} highest seq without a hole from the oldest loaded message on */
  contiguousSeq() {
    const from = this.#base ?? (this.confirmed()[0]?.seq ?? 1) - 1;
    this.#contiguous = Math.max(this.#contiguous, from);
    while (this.#confirmed.has(this.#contiguous + 1)) this.#contiguous += 1;
    return this.#contiguous;
  }

  /** @returns {number | undefined} what to ask `resume` with; undefined asks for the newest */
  since() {
    return this.#base === null ? undefined : this.contiguousSeq();
  }

  /** @returns {number | null} what to ask `history` with as `before`; null when all is loaded */
  before() {
    return this.#base !== null && this.#base > 0 ? this.#base + 1 : null;
  }

  hasGap() {
    return (this.confirmed().at(-1)?.seq ?? 0) > this.contiguousSeq();
  }

  /**
   * Whether what we hold is not what the server has: something is missing, or its store went back to a backup.
   * @param {number} [headSeq]
   */
  needsRecovery(headSeq = this.headSeq) {
    return this.hasGap() || headSeq !== this.contiguousSeq();
  }

  /** Forgets what the server told; what we still have to send stays. */
  reset() {
    this.#confirmed.clear();
    this.#edits.clear();
    this.#reactions.clear();
    this.#seqOfClientId.clear();
    this.#sorted = null;
    this.#base = null;
    this.#contiguous = 0;
    this.headSeq = 0;
    this.read = { visitor: 0, admin: 0 };
    this.#delivered = { visitor: 0, admin: 0 };
  }

  /** @param {Sender} sender @param {number} [now] */
  isTyping(sender, now = Date.now()) {
    return now - (this.#typingSince.get(sender) ?? -Infinity) < TYPING_MS;
  }

  /**
   * How far a message has come on its way to the other side.
   * @param {any} message
   * @returns {Delivery}
   */
  delivery(message) {
    if (message.seq === undefined) return message.state;
    const reader = message.sender === 'visitor' ? 'admin' : 'visitor';
    if (this.read[reader] >= message.seq) return 'read';
    return this.#delivered[reader] >= message.seq ? 'delivered' : 'sent';
  }

  /** @param {boolean} changed @returns {{changed: boolean, added: Message[]}} */
  #changedIf(changed) {
    return { changed, added: [] };
  }

  /** @param {any} frame */
  #joined(frame) {
    this.id = frame.conversation_id ?? this.id;
    this.visitorName = frame.visitor_name ?? this.visitorName;
    this.status = 'open';
    this.telegram = frame.telegram ?? this.telegram;
    // A conversation that has just begun is held from its start.
    this.#base ??= 0;
    this.#raiseHead(frame.head_seq);
    this.#presence(frame);
    return this.#changedIf(true);
  }

  /** @param {any} frame */
  #history(frame) {
    if (frame.reset) this.reset();
    this.id ??= frame.conversation_id;
    this.visitorName = frame.visitor_name ?? this.visitorName;
    this.status = frame.status ?? this.status;
    this.maxMessageLength = frame.max_message_len ?? this.maxMessageLength;
    this.telegram = frame.telegram ?? this.telegram;
    const messages = Array.isArray(frame.messages) ? frame.messages : [];
    this.#extendDown(messages.length > 0 ? messages[0].seq - 1 : null, frame.head_seq);
    const added = messages.filter((/** @type {Message} */ message) => !this.#confirmed.has(message.seq));
    for (const message of messages) this.#put(message);
    this.#raiseHead(frame.head_seq);
    this.#markRead('visitor', frame.read?.visitor);
    this.#markRead('admin', frame.read?.admin);
    this.#presence(frame);
    return { changed: true, added };
  }

  /**
   * @param {number | null} base
   * @param {number} headSeq
   */
  #extendDown(base, headSeq) {
    if (base === null) {
      if (this.#base === null && headSeq === 0) this.#base = 0;
      return;
    }
    if (this.#base !== null && base >= this.#base) return;
    if (this.#base === null) this.#setAsideUpTo(base);
    this.#base = base;
    this.#contiguous = 0;
  }

  /**
   * Live frames that came before the first history may lie below it, with a hole between.
   * @param {number} base
   */
  #setAsideUpTo(base) {
    for (const [seq, message] of this.#confirmed) {
      if (seq > base) continue;
      this.#confirmed.delete(seq);
      if (message.edited_at) this.#edits.set(seq, message);
    }
    this.#sorted = null;
  }

  /** @param {any} frame */
  #message(frame) {
    if (!Number.isInteger(frame.seq)) return this.#changedIf(false);
    this.#typingSince.delete(frame.sender);
    // Who answers has read what stands before; the server moves the mark with the message and sends no frame of its own.
    this.#markRead(frame.sender, frame.seq);
    if (this.#base !== null && frame.seq <= this.#base) {
      // Not loaded: the history that brings it may have been read before the edit.
      if (frame.edited_at) this.#edits.set(frame.seq, frame);
      return this.#changedIf(false);
    }
    const isNew = !this.#confirmed.has(frame.seq);
    const changed = this.#put(frame);
    this.#raiseHead(frame.seq);
    this.#noteDelivered();
    return { changed, added: changed && isNew ? [frame] : [] };
  }

  /** @param {Message} message @returns {boolean} whether anything is new */
  #put(message) {
    const edit = this.#edits.get(message.seq);
    const newest = edit && isNewer(edit, message) ? edit : message;
    this.#edits.delete(message.seq);
    const held = this.#confirmed.get(message.seq);
    if (held && !isNewer(newest, held)) return false;
    const pushed = this.#reactions.get(message.seq);
    this.#confirmed.set(message.seq, pushed === undefined ? newest : { ...newest, reaction: pushed });
    this.#sorted = null;
    if (newest.client_id) {
      this.#seqOfClientId.set(newest.client_id, newest.seq);
      this.discard(newest.client_id);
    }
    return true;
  }

  /** @param {{seq?: any, reaction?: any}} frame @returns {boolean} */
  #react({ seq, reaction }) {
    if (!Number.isInteger(seq)) return false;
    const emoji = typeof reaction === 'string' && reaction !== '' ? reaction : null;
    this.#reactions.set(seq, emoji);
    const held = this.#confirmed.get(seq);
    if (!held || (held.reaction ?? null) === emoji) return false;
    this.#confirmed.set(seq, { ...held, reaction: emoji });
    this.#sorted = null;
    return true;
  }

  /** @param {string} clientId @param {Partial<Unconfirmed>} change */
  #change(clientId, change) {
    const index = this.#unconfirmed.findIndex((message) => message.client_id === clientId);
    if (index === -1) return undefined;
    this.#unconfirmed[index] = { ...this.#unconfirmed[index], ...change };
    return this.#unconfirmed[index];
  }

  /** @param {any} item */
  #item(item) {
    this.visitorName = item.visitor_name ?? this.visitorName;
    this.status = item.status ?? this.status;
    this.#raiseHead(item.head_seq);
    this.#markRead('visitor', item.read?.visitor);
    this.#markRead('admin', item.read?.admin);
    this.#presence(item);
    return true;
  }

  /** @param {any} seq */
  #raiseHead(seq) {
    if (Number.isInteger(seq)) this.headSeq = Math.max(this.headSeq, seq);
  }

  /** @param {any} reader @param {any} seq @returns {boolean} */
  #markRead(reader, seq) {
    if (reader !== 'visitor' && reader !== 'admin') return false;
    const side = /** @type {'visitor' | 'admin'} */ (reader);
    if (!(seq > this.read[side])) return false;
    this.read[side] = seq;
    return true;
  }

  /** @param {any} frame */
  #presence(frame) {
    if (Number.isInteger(frame.admins_online)) this.adminsOnline = frame.admins_online;
    if (typeof frame.online === 'boolean') this.online = frame.online;
    this.#noteDelivered();
  }

  /** What is confirmed while the other side is there has reached it. */
  #noteDelivered() {
    const newest = this.confirmed().at(-1)?.seq ?? 0;
    if (this.adminsOnline > 0) this.#delivered.admin = Math.max(this.#delivered.admin, newest);
    if (this.online) this.#delivered.visitor = Math.max(this.#delivered.visitor, newest);
  }
}

/** @param {Message} message @param {Message} held */
function isNewer(message, held) {
  return (message.edited_at ?? '') > (held.edited_at ?? '');
}
