// @ts-check
// The conversation on the screen: header, connection line, messages, composer or ending.
import { Composer, forgetDraft } from '../composer.js';
import { announce, el } from '../dom.js';
import { onLocaleChange, t } from '../i18n.js';
import { MessageList } from '../message_list.js';
import { chime } from './sound.js';
import { saveTranscript } from './transcript.js';

/** @typedef {import('./chat.js').Chat} Chat */
/** @typedef {import('../conversation.js').Message} Message */

// Short losses are nobody's business.
const PATIENCE_MS = 1000;
const CONNECTED_MS = 2000;
const TYPING_CHECK_MS = 1000;

export class ChatScreen {
  #chat;
  #list;
  #composer;
  #parts;
  /** @type {import('../conversation.js').Conversation | null} */
  #shown = null;
  #announced = new Set();
  /** @type {any} */
  #typingTimer = null;
  /** @type {any} */
  #lineTimer = null;
  #lineShown = false;
  #everOpen = false;
  #takenOver = '';
  /** Whose draft is in the field; '' before the join. */
  #draftOf = '';

  /** @param {Chat} chat @param {HTMLElement} root @param {import('./requests.js').Requests} requests */
  constructor(chat, root, requests) {
    this.#chat = chat;
    /** @param {string} id */
    const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
    this.#parts = {
      connection: part('connection'), presence: part('presence'), skeleton: part('skeleton'),
      composer: part('composer'), ended: part('ended'), newChat: part('ended-new'),
    };
    this.#list = new MessageList({
      root: part('messages'),
      ownSender: 'visitor',
      authorText: (message, own) => (own ? '' : message.author || t('visitor.team')),
      stateText: (message, delivery) => stateText(message, delivery),
      reactionText: ({ reaction }) => t('visitor.reaction', { emoji: reaction }),
      typingText: () => this.#typingText(),
      openFile: (path, range) => requests.file(path, range),
      onRetry: (clientId) => this.#act(() => chat.retry(clientId)),
      onDiscard: (clientId) => this.#act(() => chat.discard(clientId)),
      onScrollTop: () => chat.loadEarlier().then((came) => came || this.#list.askAgain()),
      onAtEnd: () => this.#markSeen(),
    });
    this.#composer = new Composer({
      form: /** @type {HTMLFormElement} */ (root.querySelector('#composer')),
      onSend: (text) => chat.write(text),
      onTyping: () => chat.typing(),
    });
    part('ended-download').addEventListener('click', () => saveTranscript(chat));
    part('ended-new').addEventListener('click', () => chat.leave());
    document.addEventListener('visibilitychange', () => this.#markSeen());
    onLocaleChange(() => this.update([]));
  }

  focus() {
    this.#composer.focus();
  }

  /**
   * What was being written on the welcome screen when another tab started the chat goes on here.
   * @param {string} text
   */
  takeOver(text) {
    // Without an id it was this tab that started, and the text is the first message.
    this.#takenOver = this.#chat.conversation.id ? text : '';
  }

  /** @param {Message[]} added */
  update(added) {
    const { conversation } = this.#chat;
    if (this.#chat.phase === 'chat') {
      if (conversation !== this.#shown) this.#showConversation();
      else this.#list.update();
      this.#useDraft();
    } else if (this.#shown) {
      if (this.#shown.id) forgetDraft(this.#shown.id);
      this.#shown = null;
      this.#list.show(null);
    }
    this.#showTakenOver();
    this.#showEnding();
    this.#showPresence();
    this.#showConnection();
    this.#watchTyping();
    this.#parts.skeleton.hidden = !this.#chat.loading || conversation.messages().length > 0;
    this.#tell(added);
    this.#tellFailures();
    this.#markSeen();
    this.#showTitle();
  }

  #showConversation() {
    this.#shown = this.#chat.conversation;
    this.#announced.clear();
    this.#list.show(this.#shown);
    this.#useDraft();
  }

  #useDraft() {
    const id = this.#chat.conversation.id;
    if (id && this.#draftOf !== id) {
      const typed = this.#draftOf === '' ? this.#composer.text : '';
      this.#composer.setDraftKey(id);
      if (typed !== '' && this.#composer.text === '') this.#composer.text = typed;
      this.#draftOf = id;
    } else if (!id && this.#draftOf !== '') {
      this.#composer.setDraftKey('');
      this.#draftOf = '';
    }
    this.#composer.maxLength = this.#chat.maxLength;
  }

  #showTakenOver() {
    if (this.#takenOver === '' || this.#chat.phase !== 'chat' || this.#chat.loading) return;
    // The tabs share the draft: the other one may have sent these very words.
    const sent = this.#chat.conversation.messages().some((message) => message.content === this.#takenOver);
    if (!sent && this.#composer.text === '') this.#composer.text = this.#takenOver;
    this.#takenOver = '';
  }

  /** Acts for a button inside a row that may vanish, and keeps the focus in the page. @param {() => void} act */
  #act(act) {
    act();
    this.#composer.focus();
  }

  #showEnding() {
    const { composer, ended, newChat } = this.#parts;
    const closed = this.#chat.phase === 'chat' && this.#chat.conversation.status === 'closed';
    if (ended.hidden !== closed) return;
    const hadFocus = composer.contains(document.activeElement);
    ended.hidden = !closed;
    composer.hidden = closed;
    if (closed) announce(t('visitor.ended.title'));
    if (closed && hadFocus) newChat.focus();
  }

  #showPresence() {
    const { presence } = this.#parts;
    const here = this.#chat.conversation.adminsOnline > 0;
    const known = this.#chat.phase === 'chat' && (this.#chat.link === 'open' || this.#chat.link === 'polling') && !this.#chat.loading
      && this.#chat.conversation.id;
    presence.hidden = this.#chat.phase !== 'chat';
    if (!known) {
      presence.replaceChildren();
      return;
    }
    presence.replaceChildren(
      el('span', { class: here ? 'dot dot--on' : 'dot', 'aria-hidden': 'true' }),
      t(here ? 'visitor.presence.online' : 'visitor.presence.away'));
  }

  #showConnection() {
    const link = this.#chat.link;
    if (this.#chat.phase !== 'chat') {
      this.#setLine('');
    } else if (this.#chat.refused) {
      this.#setLine(t('visitor.chat.notice.forbidden'));
    } else if (link === 'open' || link === 'polling') {
      clearTimeout(this.#lineTimer);
      this.#lineTimer = null;
      this.#everOpen = true;
      const words = this.#chat.notice ? t(`visitor.chat.notice.${this.#chat.notice}`)
        : link === 'polling' ? t('visitor.chat.notice.polling') : '';
      if (words !== '' || !this.#lineShown) this.#setLine(words);
      else this.#sayConnected();
    } else if (this.#lineShown || link === 'offline') {
      this.#setLine(this.#connectionWords());
    } else {
      this.#lineTimer ??= setTimeout(() => this.#setLine(this.#connectionWords()), PATIENCE_MS);
    }
  }

  /** The loss was told, so its end is told too. */
  #sayConnected() {
    this.#setLine(t('common.connection.connected'));
    this.#lineShown = false;
    this.#lineTimer = setTimeout(() => this.#setLine(''), CONNECTED_MS);
  }

  #connectionWords() {
    const link = this.#chat.link;
    if (link === 'offline') return t('common.connection.offline');
    return t(this.#everOpen ? 'common.connection.reconnecting' : 'common.connection.connecting');
  }

  /** @param {string} words */
  #setLine(words) {
    const { connection } = this.#parts;
    if (connection.textContent !== words) connection.textContent = words;
    this.#lineShown = words !== '';
    clearTimeout(this.#lineTimer);
    this.#lineTimer = null;
  }

  #typingText() {
    if (!this.#chat.conversation.isTyping('admin')) return '';
    const name = this.#chat.conversation.confirmed().findLast((message) => message.sender === 'admin')?.author;
    return t('common.message.typing', { name: name || t('visitor.team') });
  }

  #watchTyping() {
    if (!this.#chat.conversation.isTyping('admin') || this.#typingTimer !== null) return;
    this.#typingTimer = setTimeout(() => {
      this.#typingTimer = null;
      this.update([]);
    }, TYPING_CHECK_MS);
  }

  /** @param {Message[]} added */
  #tell(added) {
    const fromOthers = added.filter((message) => message.sender !== 'visitor' && message.type === 'message');
    if (fromOthers.length === 0) return;
    for (const message of fromOthers) announce(`${message.author || t('visitor.team')}: ${message.content || message.file?.name}`);
    if (document.hidden || !document.hasFocus()) chime();
  }

  #tellFailures() {
    for (const message of this.#chat.conversation.unconfirmed()) {
      const told = this.#announced.has(message.client_id);
      if (message.state === 'failed' && !told) announce(stateText(message, 'failed'));
      if (message.state === 'failed') this.#announced.add(message.client_id);
      else this.#announced.delete(message.client_id);
    }
  }

  #markSeen() {
    if (this.#chat.phase === 'chat' && document.visibilityState === 'visible' && this.#list.atEnd) this.#chat.seen();
  }

  #showTitle() {
    const title = t('visitor.title');
    const count = this.#chat.phase === 'chat' ? this.#chat.unread : 0;
    document.title = count > 0 ? t('visitor.title.unread', { count, title }) : title;
  }
}

/** @param {any} message @param {import('../conversation.js').Delivery} delivery */
function stateText(message, delivery) {
  if (delivery !== 'failed') return t(`common.message.${delivery}`);
  const reason = t(`common.error.${message.reason}`);
  return t('common.message.failed', { reason: reason.startsWith('common.') ? t('common.error.unknown') : reason });
}
