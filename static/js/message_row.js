// @ts-check
// One row of a conversation: a message, or the files of one album. What is kept between two drawings is the caller's.
import { el, icon, renderText } from './dom.js';
import { clockTime, fullTime } from './format.js';
import { t } from './i18n.js';

/** @typedef {import('./conversation.js').Delivery} Delivery */
/**
 * @typedef {{messages: any[], own: boolean, side: 'own' | 'other' | 'system', delivery: Delivery, continues: boolean,
 *   follows: boolean, sameAuthor: boolean, author: string, state: string, note: string, reactions: {emoji: string, words: string}[]}} RowView
 *   `messages`: more than one only for an album; `note`: what the team should know about its way
 */
/** @typedef {{file: (message: any) => HTMLElement, retry?: (clientId: string) => void, discard?: (clientId: string) => void}} RowParts */

const STATE_ICONS = /** @type {Record<Delivery, string>} */ ({
  pending: 'clock', failed: 'alert', sent: 'check', delivered: 'checks', read: 'checks',
});

/** @param {HTMLElement} node @param {RowView} view @param {RowParts} parts */
export function drawRow(node, view, parts) {
  const { messages, own, side, delivery, continues } = view;
  node.className = `message message--${side}`;
  node.classList.toggle('message--pending', delivery === 'pending');
  node.classList.toggle('message--failed', delivery === 'failed');
  node.classList.toggle('message--continues', continues);
  if (messages[0].seq !== undefined) node.dataset.seq = String(messages[0].seq);
  const body = [files(messages, parts), ...texts(messages)];
  if (side === 'system') {
    node.replaceChildren(...present(body));
    return;
  }
  node.replaceChildren(...present([
    speaker(view),
    ...body,
    reactions(view.reactions),
    meta(view),
    view.note !== '' && el('p', { class: 'message__note' }, icon('alert'), view.note),
    delivery === 'failed' && own && failedActions(messages[0], parts),
  ]));
}

/** @param {(Node | false | null)[]} parts @returns {Node[]} */
function present(parts) {
  return /** @type {Node[]} */ (parts.filter(Boolean));
}

/** @param {RowView} view */
function speaker({ author, own, sameAuthor }) {
  if (author && !own && !sameAuthor) return el('p', { class: 'message__author', dir: 'auto' }, author);
  return el('span', { class: 'visually-hidden' }, `${own ? t('common.message.you') : author}:`);
}

/** @param {any[]} messages @param {RowParts} parts */
function files(messages, parts) {
  const held = messages.filter((message) => message.file);
  if (held.length === 0) return null;
  return el('div', { class: held.length > 1 ? 'message__files message__files--album' : 'message__files' }, held.map(parts.file));
}

/** A file without words has its own name for content, which its card says already. @param {any[]} messages */
function texts(messages) {
  return messages.filter(({ content, file }) => content !== '' && !(file && content === file.name)).map(({ content }) => {
    const bubble = el('div', { class: 'message__text', dir: 'auto' });
    renderText(bubble, content);
    return bubble;
  });
}

/** @param {RowView['reactions']} list */
function reactions(list) {
  if (list.length === 0) return null;
  return el('p', { class: 'message__reactions' }, list.map(({ emoji, words }) => el('span', { class: 'reaction' },
    el('span', { 'aria-hidden': 'true' }, inColour(emoji)), el('span', { class: 'visually-hidden' }, words))));
}

/** Telegram sends a plain ❤, which is a character of text until it is told otherwise. @param {string} emoji */
function inColour(emoji) {
  return [...emoji].length === 1 && !/\p{Emoji_Presentation}/u.test(emoji) ? `${emoji}\ufe0f` : emoji;
}

/** @param {RowView} view */
function meta({ messages, delivery, follows, state, own, author }) {
  const { created_at } = messages[0];
  const edited = messages.some((message) => message.edited_at);
  const time = el('time', { datetime: created_at, title: fullTime(created_at) },
    el('span', { 'aria-hidden': 'true' }, clockTime(created_at)),
    el('span', { class: 'visually-hidden' }, fullTime(created_at)));
  const quiet = follows && delivery !== 'failed' && !edited;
  const words = [own ? author : '', edited ? t('common.message.edited') : '', state].filter(Boolean);
  return el('p', { class: quiet ? 'message__meta visually-hidden' : 'message__meta' },
    time,
    words.length > 0 && ` · ${words.join(' · ')}`,
    own && state !== '' && icon(STATE_ICONS[delivery]));
}

/** @param {any} message @param {RowParts} parts */
function failedActions({ client_id }, { retry, discard }) {
  const button = (/** @type {string} */ name, /** @type {((id: string) => void) | undefined} */ act) =>
    el('button', { class: 'link-button', type: 'button', on: { click: () => act?.(client_id) } }, t(`common.message.${name}`));
  return el('div', { class: 'message__actions' }, button('retry', retry), button('discard', discard));
}
