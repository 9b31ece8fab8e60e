// @ts-check
// The messages of one place.
import { arrange, byId, el, formatted, nameOf, time } from './nodes.js';
import { gist } from './list.js';

const EMOJI = ['👍', '❤️', '🎉', '👀', '🙏'];
/** How near to the end counts as the end, in pixels. */
const NEAR = 80;

/** @typedef {{me: number, canWrite: boolean, reply: (message: any) => void, edit: (message: any) => void,
 *   react: (message: any, emoji: string) => void, press: (message: any, data: string) => void}} Acts */

/** What a node was built from. @type {WeakMap<Node, string>} */
const signatures = new WeakMap();
/** @type {Map<string, HTMLElement>} */
let held = new Map();
let heldPlace = '';
let isAtEnd = true;

const scroll = byId('scroll');
scroll.addEventListener('scroll', () => {
  isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
});

/** Who reads the newest message goes on doing so, whatever grows. */
function keepEnd() {
  if (isAtEnd) scroll.scrollTop = scroll.scrollHeight;
}

/** @param {string} key @param {any} place @param {Acts} acts */
export function renderThread(key, place, acts) {
  if (heldPlace !== key) {
    held = new Map();
    isAtEnd = true;
  }
  heldPlace = key;
  const next = new Map();
  let before = null;
  for (const message of place.messages) {
    const id = String(message.message_id);
    const goesOn = Boolean(before) && !isService(before) && nameOf(before) === nameOf(message) && message.date - before.date < 120;
    const signature = JSON.stringify([message, acts.me, goesOn]);
    const known = held.get(id);
    next.set(id, known && signatures.get(known) === signature ? known : built(message, acts, goesOn, signature));
    before = message;
  }
  held = next;
  arrange(byId('messages'), [...next.values()]);
  keepEnd();
}

const isService = (message) => Object.keys(message).some((name) => /^(forum_topic_|migrate_)/.test(name));

function built(message, acts, goesOn, signature) {
  const node = isService(message) ? service(message) : bubble(message, acts, goesOn);
  signatures.set(node, signature);
  return node;
}

function service(message) {
  const created = message.forum_topic_created;
  const words = created ? `${nameOf(message)} created the topic “${created.name}”` : `${gist(message)} by ${nameOf(message)}`;
  return el('li', { class: 'service' }, el('span', {}, words));
}

function bubble(message, acts, goesOn) {
  const isOwn = message.from?.id === acts.me && !message.sender_chat;
  const quoted = message.reply_to_message;
  const isQuote = quoted && !quoted.forum_topic_created;
  return el('li', { class: `message ${isOwn ? 'own' : 'other'} ${goesOn ? 'goes-on' : ''}` },
    el('div', { class: 'bubble' },
      !goesOn && !isOwn && el('p', { class: 'author' }, nameOf(message), message.from?.is_bot && !message.sender_chat && el('span', { class: 'tag' }, 'bot')),
      message.forward_origin && el('p', { class: 'forwarded' }, 'Forwarded'),
      isQuote && el('p', { class: 'quote' }, el('strong', {}, nameOf(quoted)), el('span', {}, gist(quoted))),
      media(message),
      (message.text ?? message.caption) && el('p', { class: 'text' }, ...formatted(message.text ?? message.caption, message.entities ?? message.caption_entities)),
      el('p', { class: 'meta' }, message.edit_date && 'edited ', el('time', {}, time(message.date))),
      acts.canWrite && more(message, acts, isOwn)),
    keyboard(message, acts),
    reactions(message));
}

/** What can be done with a message: folded away behind a button. */
function more(message, acts, isOwn) {
  const list = el('div', { class: 'acts', hidden: true });
  const button = el('button', { type: 'button', class: 'more', 'aria-expanded': 'false', 'aria-label': 'Reply, react, edit' }, '⋯');
  const fold = (isOpen) => {
    list.hidden = !isOpen;
    button.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) list.scrollIntoView({ block: 'nearest' });
  };
  const choice = (label, does, name) => el('button', {
    type: 'button', 'aria-label': name ?? null, onclick: () => { fold(false); does(); },
  }, label);
  const own = message.reactions?.[acts.me];
  list.append(
    choice('Reply', () => acts.reply(message)),
    ...(isOwn && (message.text ?? message.caption) ? [choice('Edit', () => acts.edit(message))] : []),
    ...EMOJI.map((emoji) => choice(emoji, () => acts.react(message, own === emoji ? '' : emoji), own === emoji ? `Take ${emoji} away` : `React with ${emoji}`)),
  );
  button.addEventListener('click', () => fold(list.hidden));
  const root = el('div', { class: 'more-root' }, button, list);
  root.addEventListener('keydown', (event) => {
    if (/** @type {KeyboardEvent} */ (event).key !== 'Escape' || list.hidden) return;
    fold(false);
    button.focus();
  });
  root.addEventListener('focusout', (event) => {
    if (!root.contains(/** @type {Node | null} */ (/** @type {FocusEvent} */ (event).relatedTarget))) fold(false);
  });
  return root;
}

function keyboard(message, acts) {
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (rows.length === 0) return null;
  const key = (button) => (button.url
    ? el('a', { class: 'key', href: /^https?:/.test(button.url) ? button.url : null, target: '_blank', rel: 'noopener noreferrer' }, button.text, el('span', { 'aria-hidden': 'true' }, ' ↗'))
    : el('button', { type: 'button', class: 'key', onclick: () => acts.press(message, button.callback_data) }, button.text));
  return el('div', { class: 'keyboard' }, ...rows.map((row) => el('div', { class: 'keys' }, ...row.map(key))));
}

function reactions(message) {
  const counts = new Map();
  const all = [...Object.values(message.reactions ?? {}), message.bot_reaction].filter(Boolean);
  for (const emoji of all) counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
  if (counts.size === 0) return null;
  return el('p', { class: 'reactions' }, ...[...counts].map(([emoji, count]) => el('span', {}, `${emoji} ${count}`)));
}

function media(message) {
  const source = (file) => `/api/media/${encodeURIComponent(file.file_id)}`;
  const about = (file) => `${file.file_name ?? 'File'} · ${new Intl.NumberFormat().format(file.file_size)} bytes`;
  if (message.photo) {
    const largest = message.photo[message.photo.length - 1];
    return el('img', { class: 'photo', src: source(largest), alt: message.caption ?? 'A picture', onload: keepEnd });
  }
  const sound = message.voice ?? message.audio;
  if (sound) {
    return el('div', { class: 'sound' }, sound.title && el('p', {}, sound.title), el('audio', { controls: true, src: source(sound), preload: 'none' }));
  }
  const film = message.video ?? message.video_note;
  if (film) return el('video', { class: 'photo', controls: true, src: source(film), preload: 'none' });
  if (message.document) {
    return el('a', { class: 'document', href: source(message.document), download: message.document.file_name ?? 'file' }, el('span', { 'aria-hidden': 'true' }, '↓'), about(message.document));
  }
  if (message.sticker) return el('p', { class: 'sticker' }, message.sticker.emoji);
  return null;
}
