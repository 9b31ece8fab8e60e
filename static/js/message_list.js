// @ts-check
// A conversation as an ordered list. Rows are changed in place, so focus, selection and scroll position stay.
import { el, icon } from './dom.js';
import { FileViews } from './file_view.js';
import { inAlbums } from './files.js';
import { dayLabel } from './format.js';
import { onLocaleChange, t } from './i18n.js';
import { drawRow } from './message_row.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {import('./conversation.js').Delivery} Delivery */

const GROUP_MS = 2 * 60_000;
// Closer to an edge than this counts as at the edge.
const EDGE_PX = 60;

export class MessageList {
  #options;
  #scroller;
  #files;
  #list = el('ol', { class: 'messages' });
  #jump = el('button', { class: 'jump', type: 'button', hidden: true });
  /** @type {Conversation | null} */
  #conversation = null;
  /** @type {Map<string, {node: HTMLElement, shown: string}>} */
  #rows = new Map();
  /** What was on the screen already, so that new messages can be told. */
  #newestSeq = 0;
  #unseen = 0;
  #wasAtEnd = true;
  #askedAtSeq = /** @type {number | null} */ (null);

  /**
   * `root` becomes the scrolling area; the button that leads to new messages is put behind it.
   * @param {{root: HTMLElement, ownSender: 'visitor' | 'admin', label?: () => string,
   *   stateText?: (message: any, delivery: Delivery) => string, authorText?: (message: any, own: boolean) => string,
   *   reactionText: (message: any) => string, noteText?: (message: any) => string, typingText?: () => string,
   *   openFile: import('./files.js').OpenFile, onRetry?: (clientId: string) => void,
   *   onDiscard?: (clientId: string) => void, onScrollTop?: () => void, onAtEnd?: () => void}} options
   */
  constructor(options) {
    this.#options = options;
    this.#scroller = options.root;
    this.#files = new FileViews({ open: options.openFile, scroller: options.root });
    this.#scroller.classList.add('message-area');
    // Scrolling regions must be reachable by keyboard.
    this.#scroller.tabIndex = 0;
    this.#scroller.setAttribute('role', 'region');
    this.#scroller.replaceChildren(this.#list);
    this.#scroller.after(this.#jump);
    this.#jump.addEventListener('click', () => {
      this.scrollToEnd();
      this.#scroller.focus({ preventScroll: true });
    });
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    // A growing composer, an on-screen keyboard or a file that has come must not hide the end.
    const sizes = new ResizeObserver(() => {
      if (this.#wasAtEnd) this.scrollToEnd();
    });
    sizes.observe(this.#scroller);
    sizes.observe(this.#list);
    onLocaleChange(() => this.#redraw());
    this.#label();
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < EDGE_PX;
  }

  /** @param {Conversation | null} conversation */
  show(conversation) {
    this.#conversation = conversation;
    this.#empty();
    this.#newestSeq = conversation?.confirmed().at(-1)?.seq ?? 0;
    this.#unseen = 0;
    this.#askedAtSeq = null;
    this.#wasAtEnd = true;
    this.update();
  }

  /** Brings the list up to what the conversation holds now. */
  update() {
    const stay = this.#wasAtEnd;
    const anchor = stay ? null : this.#anchor();
    const firstFill = this.#newestSeq === 0;
    const fresh = this.#countFresh();
    this.#fill();
    if (stay || fresh.own) this.scrollToEnd();
    else {
      if (anchor) this.#scroller.scrollTop += anchor.node.offsetTop - anchor.top;
      if (!firstFill) this.#unseen += fresh.others;
    }
    this.#showJump();
  }

  scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#wasAtEnd = true;
    this.#unseen = 0;
    this.#showJump();
  }

  /** @param {number} seq @returns {boolean} whether that message is loaded */
  scrollToSeq(seq) {
    const node = this.#list.querySelector(`[data-seq="${Number(seq)}"]`);
    if (!node) return false;
    this.#wasAtEnd = false;
    node.scrollIntoView({ block: 'center' });
    this.#wasAtEnd = this.atEnd;
    node.classList.add('message--found');
    node.addEventListener('animationend', () => node.classList.remove('message--found'), { once: true });
    return true;
  }

  #scrolled() {
    this.#wasAtEnd = this.atEnd;
    if (this.#wasAtEnd) {
      this.#unseen = 0;
      this.#showJump();
      this.#options.onAtEnd?.();
    }
    this.#askForEarlier();
  }

  #askForEarlier() {
    const before = this.#conversation?.before() ?? null;
    if (this.#scroller.scrollTop > EDGE_PX || before === null || before === this.#askedAtSeq) return;
    this.#askedAtSeq = before;
    this.#options.onScrollTop?.();
  }

  /** A request for earlier messages was lost with its connection: the next scroll may ask again. */
  askAgain() {
    this.#askedAtSeq = null;
  }

  /** @returns {{node: HTMLElement, top: number} | null} a row in view, to hold still while rows above it come */
  #anchor() {
    const top = this.#scroller.scrollTop;
    for (const { node } of this.#rows.values()) {
      if (node.classList.contains('message') && node.isConnected && node.offsetTop + node.offsetHeight > top) {
        return { node, top: node.offsetTop };
      }
    }
    return null;
  }

  #countFresh() {
    const confirmed = this.#conversation?.confirmed() ?? [];
    const pending = this.#conversation?.pending() ?? [];
    let others = 0;
    for (let i = confirmed.length - 1; i >= 0 && confirmed[i].seq > this.#newestSeq; i -= 1) {
      if (confirmed[i].sender !== this.#options.ownSender) others += 1;
    }
    this.#newestSeq = confirmed.at(-1)?.seq ?? 0;
    const last = pending.at(-1);
    return { others, own: last !== undefined && !this.#rows.has(keyOf(last)) };
  }

  #fill() {
    const wanted = this.#wantedRows();
    const keys = new Set(wanted.map((row) => row.key));
    for (const [key, { node }] of this.#rows) {
      if (keys.has(key)) continue;
      node.remove();
      this.#rows.delete(key);
    }
    let place = this.#list.firstChild;
    for (const row of wanted) {
      const node = this.#rowNode(row);
      if (node === place) place = place.nextSibling;
      else this.#list.insertBefore(node, place);
    }
  }

  /** @param {{key: string, shown: string, draw: (node: HTMLElement) => void}} row */
  #rowNode(row) {
    const held = this.#rows.get(row.key);
    if (held?.shown === row.shown) return held.node;
    const node = held?.node ?? el('li');
    const focused = node.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    row.draw(node);
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    this.#rows.set(row.key, { node, shown: row.shown });
    return node;
  }

  #wantedRows() {
    const groups = inAlbums(this.#conversation?.messages() ?? []);
    const rows = [];
    let day = '';
    groups.forEach((messages, index) => {
      const label = dayLabel(messages[0].created_at);
      if (label !== day) rows.push(dayRow(label, messages[0]));
      const startsDay = label !== day;
      day = label;
      rows.push(this.#messageRow(messages, startsDay ? undefined : groups[index - 1]?.at(-1), groups[index + 1]?.[0]));
    });
    const typing = this.#options.typingText?.() ?? '';
    if (typing) rows.push(typingRow(typing));
    return rows;
  }

  /** @param {any[]} messages @param {any} before @param {any} after */
  #messageRow(messages, before, after) {
    const [message] = messages;
    const last = messages[messages.length - 1];
    const conversation = /** @type {Conversation} */ (this.#conversation);
    const sender = senderOf(message, this.#options.ownSender);
    const own = sender === this.#options.ownSender;
    const delivery = conversation.delivery(last);
    const sameAuthor = before !== undefined && this.#sameAuthor(before, message);
    const follows = after !== undefined && this.#sameAuthor(last, after) && near(last, after)
      && (!own || conversation.delivery(after) === delivery);
    /** @type {import('./message_row.js').RowView} */
    const view = {
      messages, own, side: sender === 'system' ? 'system' : own ? 'own' : 'other', delivery, sameAuthor,
      continues: sameAuthor && near(before, message), follows, author: this.#author(message),
      state: own ? this.#options.stateText?.(last, delivery) ?? '' : '',
      note: [...new Set(messages.map((each) => this.#options.noteText?.(each) ?? '').filter(Boolean))].join(' · '),
      reactions: messages.filter((each) => each.reaction)
        .map((each) => ({ emoji: each.reaction, words: this.#options.reactionText(each) })),
    };
    return {
      key: keyOf(message),
      shown: JSON.stringify([messages.map(({ seq, content, edited_at, file }) => [seq, content, edited_at, file?.url]), { ...view, messages: null }]),
      draw: (/** @type {HTMLElement} */ node) => drawRow(node, view, {
        file: (each) => this.#files.node(each), retry: this.#options.onRetry, discard: this.#options.onDiscard,
      }),
    };
  }

  /** @param {any} message @returns {string} */
  #author(message) {
    const own = senderOf(message, this.#options.ownSender) === this.#options.ownSender;
    return this.#options.authorText?.(message, own) ?? (own ? '' : message.author ?? '');
  }

  /** @param {any} a @param {any} b */
  #sameAuthor(a, b) {
    const own = this.#options.ownSender;
    return senderOf(a, own) === senderOf(b, own) && this.#author(a) === this.#author(b);
  }

  #showJump() {
    this.#jump.hidden = this.#wasAtEnd;
    this.#jump.classList.toggle('jump--new', this.#unseen > 0);
    const label = this.#unseen > 0 ? t('common.message.new', { count: this.#unseen }) : t('common.message.to_end');
    this.#jump.replaceChildren(el('span', { class: this.#unseen > 0 ? '' : 'visually-hidden' }, label), icon('down'));
  }

  #label() {
    this.#scroller.setAttribute('aria-label', this.#options.label?.() ?? t('common.message.list'));
  }

  #redraw() {
    this.#label();
    this.#empty();
    this.update();
  }

  #empty() {
    this.#rows.clear();
    this.#files.clear();
    this.#list.replaceChildren();
  }
}

/** @param {any} message an unconfirmed one has its client_id only, and keeps its row when confirmed */
function keyOf(message) {
  return message.client_id ? `c:${message.client_id}` : `s:${message.seq}`;
}

/** @param {any} message @param {string} own an unconfirmed message is ours */
function senderOf(message, own) {
  return message.sender ?? own;
}

/** @param {any} a @param {any} b */
function near(a, b) {
  return Math.abs(Date.parse(b.created_at) - Date.parse(a.created_at)) < GROUP_MS;
}

/** @param {string} label @param {any} first the day's first message */
function dayRow(label, first) {
  return {
    key: `d:${new Date(first.created_at).toDateString()}`,
    shown: label,
    draw: (/** @type {HTMLElement} */ node) => {
      node.className = 'day';
      node.textContent = label;
    },
  };
}

/** @param {string} text */
function typingRow(text) {
  return {
    key: 'typing',
    shown: text,
    draw: (/** @type {HTMLElement} */ node) => {
      node.className = 'typing';
      node.replaceChildren(el('span', { class: 'typing__dots', 'aria-hidden': 'true' }, el('i'), el('i'), el('i')), text);
    },
  };
}
