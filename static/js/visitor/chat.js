// @ts-check
// The visitor's side of the contract: join, resume, gaps, resending. No DOM.
import { newClientId } from '../client_id.js';
import { Conversation } from '../conversation.js';
import { RestFallback } from '../rest_fallback.js';
import { Socket } from '../socket.js';
import { Outbox } from './outbox.js';

/** @typedef {'welcome' | 'chat' | 'deleted'} Phase */
/** @typedef {import('../conversation.js').Message} Message */
/** @typedef {{display_name?: string, locale?: string, page_url?: string, referrer?: string, site?: string}} Introduction */

const FALLBACK_AFTER_FAILURES = 3;
// Pushes may overtake each other by a little; only a hole that stays is asked for.
const GAP_PATIENCE_MS = 400;
const RETRY_MS = 5000;
const DEFAULT_MAX_LENGTH = 2000;

export class Chat {
  /** @type {Phase} */
  phase = 'welcome';
  conversation = new Conversation();
  /** The server went back to an earlier state while we held a later one. */
  wasReset = false;
  /** The server takes no chat from here. */
  refused = false;
  /** Highest seq this visitor has had on the screen. */
  #seenSeq = 0;
  #session;
  #listener;
  #introduction;
  #socket;
  #rest;
  #outbox;
  /** Whether this connection has been joined or resumed. */
  #bound = false;
  /** A join without its answer yet: over HTTP the next moment comes before it. */
  #joining = false;
  #wantsEnd = false;
  /** @type {number | undefined | null} what the last resume asked for; null = nothing asked */
  #askedSince = null;
  /** @type {Set<() => void>} */
  #waitingForHistory = new Set();
  /** @type {any} */
  #gapTimer = null;

  /**
   * @param {{session: ReturnType<typeof import('./session.js').visitorSession>, socketUrl: string,
   *   introduction: () => Introduction, onChange: (change: {added: Message[]}) => void}} options
   */
  constructor({ session, socketUrl, introduction, onChange }) {
    this.#session = session;
    this.#listener = onChange;
    this.#introduction = introduction;
    this.#socket = new Socket({
      url: async () => socketUrl,
      onOpen: () => this.#opened(),
      onFrame: (frame) => this.#receive(frame),
      onState: (state) => this.#socketState(state),
      onRefused: ({ failures }) => {
        if (failures >= FALLBACK_AFTER_FAILURES) this.#rest.start();
      },
    });
    this.#rest = new RestFallback({
      credentials: () => session.load(),
      onFrame: (frame) => this.#receive(frame),
      onTick: () => this.#opened(),
    });
    this.#outbox = new Outbox({
      conversation: () => this.conversation,
      send: (frame) => this.#bound && this.#send(frame),
      onSettled: (message) => this.#settled(message),
    });
    session.onChange(() => this.#otherTab());
  }

  /** @returns {'connecting' | 'open' | 'waiting' | 'offline' | 'stopped' | 'polling'} */
  get link() {
    return this.#rest.active && this.#bound ? 'polling' : this.#socket.state;
  }

  /** @returns {'' | 'rate_limited' | 'capacity' | 'reset'} */
  get notice() {
    return this.#outbox.notice || (this.wasReset ? 'reset' : '');
  }

  /** Whether the conversation is known but nothing of it has come yet. */
  get loading() {
    return this.phase === 'chat' && this.#session.load() !== null && this.conversation.since() === undefined;
  }

  /** @returns {number} characters a message may have */
  get maxLength() {
    return this.#session.load()?.max_message_len ?? DEFAULT_MAX_LENGTH;
  }

  get unread() {
    const seen = Math.max(this.#seenSeq, this.conversation.read.visitor);
    return this.conversation.confirmed().filter((m) => m.sender !== 'visitor' && m.seq > seen).length;
  }

  /** Goes on with the conversation this browser knows, if any. */
  resume() {
    const session = this.#session.load();
    if (!session) return;
    const unsent = this.phase === 'chat' ? this.conversation.unconfirmed() : [];
    this.#begin(new Conversation({ id: session.conversation_id, visitorName: session.visitor_name }));
    for (const message of [...this.#session.unconfirmed(), ...unsent]) this.conversation.addPending(message);
    this.#changed();
  }

  /** @param {string} text the first message; it goes out with the join */
  start(text) {
    this.#begin(new Conversation({ visitorName: this.#introduction().display_name ?? '' }));
    this.write(text);
  }

  /** @param {string} text */
  write(text) {
    const message = { client_id: newClientId(), content: text, created_at: new Date().toISOString() };
    this.conversation.addPending(message);
    // Before the join nothing is kept: the welcome form still has the text.
    if (this.#session.load()) this.#session.keepUnconfirmed(message);
    this.#outbox.flush();
    this.#changed();
  }

  /** @param {string} clientId */
  retry(clientId) {
    const message = this.conversation.retry(clientId);
    if (!message) return;
    if (this.#session.load()) this.#session.keepUnconfirmed(message);
    else this.#join();
    this.#outbox.flush();
    this.#changed();
  }

  /** @param {string} clientId */
  discard(clientId) {
    this.conversation.discard(clientId);
    this.#session.forgetUnconfirmed(clientId);
    this.#changed();
  }

  typing() {
    this.#socket.send({ type: 'typing' });
  }

  /** The visitor has the newest message on the screen. */
  seen() {
    const seq = this.conversation.contiguousSeq();
    if (seq <= Math.max(this.#seenSeq, this.conversation.read.visitor) || !this.#bound) return;
    if (!this.#send({ type: 'read', seq })) return;
    this.#seenSeq = seq;
    this.#changed();
  }

  /** @returns {Promise<boolean>} whether there was an answer */
  loadEarlier() {
    const before = this.conversation.before();
    if (before === null || !this.#bound || !this.#send({ type: 'history', before })) return Promise.resolve(false);
    return new Promise((resolve) => {
      const answered = () => done(true);
      const timer = setTimeout(() => done(false), RETRY_MS);
      const done = (/** @type {boolean} */ came) => {
        clearTimeout(timer);
        this.#waitingForHistory.delete(answered);
        resolve(came);
      };
      this.#waitingForHistory.add(answered);
    });
  }

  /** @returns {Promise<boolean>} whether the conversation is now held from its first message */
  async loadAll() {
    while (this.conversation.before() !== null) {
      if (!(await this.loadEarlier())) return false;
    }
    return !this.loading;
  }

  end() {
    this.#wantsEnd = true;
    this.#sendEnd();
  }

  /** Leaves this conversation for the welcome screen; the browser forgets it. */
  leave() {
    this.#session.forget();
    this.#clear('welcome');
  }

  /** @param {Conversation} conversation */
  #begin(conversation) {
    this.#stop();
    this.phase = 'chat';
    this.conversation = conversation;
    this.#socket.start();
  }

  #stop() {
    this.#socket.stop();
    this.#rest.stop();
    this.#outbox.reset();
    this.#bound = false;
    this.#joining = false;
    this.#wantsEnd = false;
    this.wasReset = false;
    this.refused = false;
    this.#seenSeq = 0;
  }

  /** @param {object} frame */
  #send(frame) {
    return this.#socket.send(frame) || this.#rest.send(frame);
  }

  /** A connection stands, or the fallback's moment has come. */
  #opened() {
    if (this.#socket.state === 'open') {
      this.#bound = false;
      this.#joining = false;
      this.#rest.stop();
      this.#outbox.connectionLost();
    }
    if (this.#session.load()) this.#recover();
    else this.#join();
  }

  #join() {
    if (!this.#joining) this.#joining = this.#send({ type: 'join', ...this.#introduction() });
  }

  #recover() {
    const session = this.#session.load();
    if (!session) return;
    this.#askedSince = this.conversation.since();
    const { conversation_id, resume_token } = session;
    this.#send({ type: 'resume', conversation_id, resume_token, since: this.#askedSince });
  }

  /** @param {string} state */
  #socketState(state) {
    if (state !== 'open' && !this.#rest.active) {
      this.#bound = false;
      this.#outbox.connectionLost();
    }
    this.#changed();
  }

  /** @param {any} frame */
  #receive(frame) {
    if (frame?.type === 'error') {
      this.#failed(frame);
      return;
    }
    if (frame?.type === 'joined' && !this.#joined(frame)) return;
    const { changed, added } = this.conversation.apply(frame);
    if (frame?.type === 'history') this.#gotHistory(frame);
    if (frame?.type === 'message' && frame.client_id) this.#confirmed(frame.client_id);
    if (this.conversation.status === 'deleted') {
      this.#deleted();
      return;
    }
    if (frame?.type === 'pong' || this.conversation.hasGap()) this.#lookForGap(frame?.head_seq);
    if (changed) this.#changed(added);
  }

  /** @param {any} frame @returns {boolean} */
  #joined(frame) {
    // Another tab was quicker, and this one has taken over its conversation.
    if (this.#session.load() || this.phase !== 'chat') return false;
    const { conversation_id, resume_token, visitor_name, max_message_len } = frame;
    this.#session.save({ conversation_id, resume_token, visitor_name, max_message_len });
    for (const message of this.conversation.unconfirmed()) this.#session.keepUnconfirmed(message);
    this.conversation.apply(frame);
    this.#joining = false;
    this.refused = false;
    this.#bound = true;
    if (this.conversation.needsRecovery()) this.#recover();
    this.#outbox.connected();
    return true;
  }

  /** @param {any} frame */
  #gotHistory(frame) {
    for (const message of frame.messages ?? []) {
      if (message.client_id) this.#confirmed(message.client_id);
    }
    if (frame.reset) this.wasReset = true;
    if (!this.#bound) {
      this.#bound = true;
      this.#outbox.connected();
    }
    for (const answered of [...this.#waitingForHistory]) answered();
    if (this.conversation.needsRecovery() && this.conversation.since() !== this.#askedSince) this.#recover();
    if (this.#wantsEnd) this.#sendEnd();
  }

  /** @param {string} clientId */
  #confirmed(clientId) {
    this.#session.forgetUnconfirmed(clientId);
    this.#outbox.confirmed(clientId);
    // Whoever writes on has read the notice.
    if (!this.loading) this.wasReset = false;
  }

  /** @param {number} [headSeq] */
  #lookForGap(headSeq) {
    clearTimeout(this.#gapTimer);
    this.#gapTimer = setTimeout(() => {
      if (this.#bound && this.conversation.needsRecovery(headSeq)) this.#recover();
    }, GAP_PATIENCE_MS);
  }

  /** @param {any} frame */
  #failed({ error, client_id: clientId, retry_after_ms: retryAfter = RETRY_MS }) {
    if (error === 'conversation_not_found' && this.#session.load()) {
      this.#deleted();
      return;
    }
    if (error === 'conversation_closed') this.conversation.status = 'closed';
    if (error === 'not_joined') this.#recover();
    if (clientId) this.#outbox.refused(clientId, error, retryAfter);
    else if (!this.#session.load()) this.#joinRefused(error, retryAfter);
    else if (!this.#bound) setTimeout(() => this.#bound || this.#recover(), retryAfter);
    this.#changed();
  }

  /** @param {string} error @param {number} retryAfter */
  #joinRefused(error, retryAfter) {
    this.#joining = false;
    this.refused = error === 'forbidden';
    // Asked every few seconds, it would be refused every few seconds.
    if (this.refused) this.#rest.stop();
    if (this.#outbox.isPassing(error)) {
      this.#outbox.notice = error === 'capacity' || error === 'rate_limited' ? error : '';
      setTimeout(() => {
        if (this.phase === 'chat' && !this.#session.load()) this.#join();
      }, retryAfter);
      return;
    }
    for (const message of this.conversation.pending()) this.conversation.fail(message.client_id, error);
  }

  /** @param {import('../conversation.js').Unconfirmed} message */
  #settled(message) {
    if (this.#session.load()) this.#session.keepUnconfirmed(message);
    this.#changed();
  }

  #sendEnd() {
    if (this.#bound && this.#send({ type: 'end' })) this.#wantsEnd = false;
  }

  #deleted() {
    this.#session.forget();
    this.#clear('deleted');
  }

  /** @param {Phase} phase */
  #clear(phase) {
    this.#stop();
    this.phase = phase;
    this.conversation = new Conversation();
    this.#changed();
  }

  #otherTab() {
    const session = this.#session.load();
    if (session && session.conversation_id !== this.conversation.id) this.resume();
    else if (!session && this.phase === 'chat' && this.conversation.id) {
      // An open conversation is only ever forgotten because it was deleted; an ended one, for a new chat.
      this.#clear(this.conversation.status === 'closed' ? 'welcome' : 'deleted');
    }
  }

  /** @param {Message[]} [added] */
  #changed(added = []) {
    this.#listener({ added });
  }
}
