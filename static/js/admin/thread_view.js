// @ts-check
// The open conversation: its messages, its state, the field for the answer.

import { Composer, forgetDraft } from '../composer.js';
import { announce, el, icon } from '../dom.js';
import { onLocaleChange, t } from '../i18n.js';
import { MessageList } from '../message_list.js';
import { CannedView } from './canned_view.js';
import { ClaimView } from './claim_view.js';
import { webAddress } from './device.js';
import { noteIn } from './notes.js';
import { byId, setText } from './page.js';
import { TagsView } from './tags_view.js';
import { troubleWords } from './telegram_words.js';

/** @typedef {import('./panel.js').Panel} Panel */

const TYPING_REFRESH_MS = 7_500;
const SECOND_MS = 1_000;

export class ThreadView {
  #panel;
  #list;
  #composer;
  #field;
  #tags;
  #claim;
  /** @type {import('../conversation.js').Conversation | null} */
  #shown = null;
  /** @type {string | null} */
  #id = null;
  /** Which search result has been scrolled to, so that it happens once. @type {string | null} */
  #reached = null;
  /** @type {ReturnType<typeof requestAnimationFrame> | null} */
  #frame = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #tick;

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
    this.#tags = new TagsView(panel);
    this.#claim = new ClaimView(panel);
    this.#list = new MessageList({
      root: byId('messages'),
      ownSender: 'admin',
      stateText: (message, delivery) => this.#state(message, delivery),
      authorText: authorOf,
      reactionText: ({ reaction }) => t('admin.thread.reaction', { emoji: reaction }),
      noteText: ({ seq }) => this.#id === null ? '' : troubleWords(panel.telegram.trouble(this.#id, seq), panel.alert),
      typingText: () => this.#typingText(),
      openFile: (path, range) => panel.api.file(path, range),
      onRetry: (clientId) => this.#letters(() => panel.letters.retry(clientId)),
      onDiscard: (clientId) => this.#letters(() => panel.letters.discard(String(this.#id), clientId)),
      onScrollTop: () => this.#earlier(),
      onAtEnd: () => this.#read(),
    });
    const form = composerForm();
    this.#field = /** @type {HTMLTextAreaElement} */ (form.querySelector('textarea'));
    byId('composer').replaceChildren(el('p', { id: 'composer-hint', class: 'composer-hint', role: 'status' }), form);
    form.addEventListener('input', () => this.#hint());
    this.#composer = new Composer({
      form,
      onSend: (text) => this.#send(text),
      // A note is none of the visitor's business, not even that one is being written.
      onTyping: () => this.#id && noteIn(this.#field.value) === null && panel.typing(this.#id),
    });
    new CannedView({ canned: panel.canned, form, onChoice: (content) => this.#insert(content) });
    byId('thread-back').addEventListener('click', () => panel.go({ conversation: null }));
    byId('thread-close').addEventListener('click', () => this.#toggle());
    document.addEventListener('visibilitychange', () => this.#read());
    panel.on('deleted', ({ id }) => forgetDraft(draftKey(id)));
    panel.on('thread', (id) => id === this.#id && this.#later());
    for (const topic of /** @type {const} */ (['route', 'list', 'alert'])) panel.on(topic, () => this.#later());
    onLocaleChange(() => {
      this.#hint();
      this.#later();
    });
  }

  focus() {
    if (!this.#field.disabled) this.#composer.focus();
  }

  #later() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#render();
    });
  }

  #render() {
    const { route } = this.#panel;
    const id = route.view === 'inbox' ? route.conversation : null;
    byId('thread').hidden = id === null;
    if (id !== this.#id) this.#change(id);
    if (id === null) return;
    const thread = this.#panel.threads.get(id);
    const conversation = thread?.conversation ?? null;
    if (conversation !== this.#shown) {
      this.#shown = conversation;
      this.#list.show(conversation);
    } else {
      this.#list.update();
    }
    if (conversation?.maxMessageLength) this.#composer.maxLength = conversation.maxMessageLength;
    this.#head(id);
    this.#note(thread);
    this.#reach(id);
    this.#read();
    clearTimeout(this.#typing);
    if (conversation?.isTyping('visitor')) this.#typing = setTimeout(() => this.#later(), TYPING_REFRESH_MS);
    clearTimeout(this.#tick);
    if (this.#panel.telegram.ticks(id)) this.#tick = setTimeout(() => this.#later(), SECOND_MS);
  }

  /** @param {string | null} id */
  #change(id) {
    this.#id = id;
    this.#shown = null;
    this.#reached = null;
    this.#list.show(null);
    this.#composer.setDraftKey(id === null ? '' : draftKey(id));
    this.#hint();
    // On a touch screen the focus would bring the keyboard up over what is to be read.
    if (id !== null && matchMedia('(pointer: fine)').matches) queueMicrotask(() => this.focus());
  }

  /** @param {string} id */
  #head(id) {
    const item = this.#panel.item(id);
    const name = item?.visitor_name ?? '';
    const missing = ['conversation_not_found', 'not_found'].includes(this.#panel.threads.get(id)?.error ?? '');
    const label = name ? t('admin.thread.reply_to', { name }) : t('admin.thread.reply');
    setText(byId('thread-name'), name || t('admin.thread.unnamed'));
    setText(byId('thread-place'), [placeOf(item), item ? t(item.online ? 'admin.presence.online' : 'admin.presence.offline') : ''].filter(Boolean).join(' · '));
    const closed = item?.status === 'closed';
    setText(byId('thread-close'), t(closed ? 'admin.thread.reopen' : 'admin.thread.close'));
    byId('thread-close').hidden = !item;
    this.#composer.disabled = closed || missing;
    this.#field.placeholder = closed ? t('admin.thread.closed') : label;
    this.#field.setAttribute('aria-label', label);
    this.#tags.show(item);
    this.#claim.show(item);
  }

  /** @param {import('./threads.js').Thread | null} thread */
  #note(thread) {
    const note = byId('thread-note');
    const count = thread?.conversation.messages().length ?? 0;
    const key = thread?.state === 'failed' ? `failed ${thread.error}` : thread?.state === 'loading' && count === 0 ? 'loading' : count === 0 ? 'none' : '';
    if (note.dataset.shown === key && key !== 'none') return;
    note.dataset.shown = key;
    note.hidden = key === '';
    if (key === '') note.replaceChildren();
    else if (key === 'loading') note.replaceChildren(...[60, 40, 50].map((width) => el('div', { class: `skeleton skeleton--${width}`, 'aria-hidden': 'true' })));
    else if (key === 'none') note.replaceChildren(el('p', {}, t('admin.thread.empty')));
    else note.replaceChildren(...this.#failure(/** @type {any} */ (thread)));
  }

  /** @param {import('./threads.js').Thread} thread */
  #failure({ id, error }) {
    if (error === 'conversation_not_found' || error === 'not_found') return [el('p', {}, t('admin.thread.not_found'))];
    const again = el('button', { class: 'button', type: 'button', on: { click: () => this.#panel.threads.open(id) } }, t('admin.error.again'));
    return [el('p', {}, t(error === 'network' ? 'admin.error.network' : 'admin.thread.failed')), again];
  }

  /** @param {string} id */
  #reach(id) {
    const { message } = this.#panel.route;
    const wanted = message === null ? null : `${id} ${message}`;
    if (wanted === null || wanted === this.#reached) return;
    if (this.#list.scrollToSeq(/** @type {number} */ (message))) this.#reached = wanted;
  }

  #read() {
    if (this.#id === null || document.visibilityState !== 'visible' || !this.#list.atEnd || !this.#shown) return;
    this.#panel.markRead(this.#id, this.#shown.contiguousSeq());
  }

  async #earlier() {
    if (this.#id === null) return;
    await this.#panel.threads.earlier(this.#id);
    this.#list.askAgain();
  }

  /** @param {string} text */
  #send(text) {
    if (this.#id === null) return false;
    const note = noteIn(text);
    if (note !== null) {
      if (note !== '') this.#keep(this.#id, text, note);
      return note !== '';
    }
    this.#panel.letters.send(this.#id, text);
    // In the same frame as the key press.
    this.#list.update();
    this.#list.scrollToEnd();
    return true;
  }

  /** Saves a note; the words come back into an empty field when they could not be kept. @param {string} id @param {string} text @param {string} note */
  async #keep(id, text, note) {
    const stored = await this.#panel.acts.note(id, note);
    if (stored) announce(t('admin.notes.saved'));
    else if (id === this.#id && this.#field.value === '') this.#insert(text);
    this.#hint();
  }

  /** @param {string} text */
  #insert(text) {
    this.#composer.text = text;
    this.#composer.focus();
    this.#hint();
  }

  #hint() {
    setText(byId('composer-hint'), noteIn(this.#field.value) === null ? '' : t('admin.thread.is_note'));
  }

  /** @param {() => void} act */
  #letters(act) {
    act();
    this.#list.update();
    this.focus();
  }

  #toggle() {
    if (this.#id === null) return;
    const closed = this.#panel.item(this.#id)?.status === 'closed';
    if (closed) this.#panel.acts.reopen(this.#id);
    else this.#panel.acts.close(this.#id);
  }

  #typingText() {
    if (!this.#shown?.isTyping('visitor')) return '';
    return t('common.message.typing', { name: this.#shown.visitorName });
  }

  /** @param {any} message @param {string} delivery */
  #state(message, delivery) {
    if (delivery === 'failed') return t('common.message.failed', { reason: t(`common.error.${message.reason ?? 'unknown'}`) });
    if (delivery === 'sent') {
      const item = this.#panel.item(this.#id);
      return t(item?.online || item?.in_telegram ? 'common.message.sent' : 'admin.thread.sent_offline');
    }
    return t(`common.message.${delivery}`);
  }
}

/** @param {string} id */
function draftKey(id) {
  return `admin.${id}`;
}

/** @param {any} message */
function authorOf(message) {
  const author = message.author ?? '';
  if (message.via === 'telegram') return author ? t('admin.thread.via_telegram', { name: author }) : 'Telegram';
  return author;
}

/** @param {any} item */
function placeOf(item) {
  const url = webAddress(item?.page_url);
  if (url) return url.host + (url.pathname === '/' ? '' : url.pathname);
  return item?.site && item.site !== 'default' ? item.site : '';
}

/** @returns {HTMLFormElement} */
function composerForm() {
  return el('form', { class: 'composer' },
    el('textarea', { class: 'input', rows: '1', enterkeyhint: 'send', autocomplete: 'off', dir: 'auto' }),
    el('button', { class: 'icon-button composer__send', type: 'submit', 'data-i18n-label': 'common.composer.send' }, icon('send')),
    el('p', { class: 'composer__counter', hidden: true }));
}
