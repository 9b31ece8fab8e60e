// @ts-check
// The chats of the person one is: General, the topics, the private chat with the bot.
import { arrange, byId, el, nameOf, time } from './nodes.js';

const COLOURS = { 7322096: 'blue', 16766590: 'yellow', 13338331: 'violet', 9367192: 'green', 16749490: 'rose', 16478047: 'red' };

/** What a row was built from. @type {WeakMap<Node, string>} */
const signatures = new WeakMap();

/** @typedef {{chat: number, thread: number | null}} Place */

/** @param {Place} place */
export const keyOf = (place) => `${place.chat}/${place.thread ?? ''}`;

/** Every place that a person sees, newest topic first. */
export function placesOf(view, person) {
  const own = view.chats.find((chat) => chat.id === person.id);
  const group = person.role === 'operator' ? view.chats.find((chat) => chat.kind !== 'private') : null;
  const places = [];
  if (group) {
    places.push(placeOf(group, null, 'General', '#', 'plain'));
    const topics = group.topics.map((topic) => ({
      ...placeOf(group, topic.id, topic.name, topic.icon ?? initial(topic.name), topic.icon ? 'plain' : COLOURS[topic.color]),
      isClosed: topic.is_closed,
    }));
    places.push(...topics.sort((one, other) => last(other)?.message_id - last(one)?.message_id));
  }
  if (own) places.push({ ...placeOf(own, null, 'Parley', '✈', 'bot'), isPrivate: true });
  return places;
}

function placeOf(chat, thread, title, icon, colour) {
  const isThere = (message) => (message.is_topic_message ? message.message_thread_id : null) === thread;
  return { chat: chat.id, thread, title, icon, colour, bot: chat.bot, commands: chat.commands, messages: chat.messages.filter(isThere) };
}

const last = (place) => place.messages[place.messages.length - 1];
const initial = (name) => [...name.trim()][0]?.toUpperCase() ?? '·';

/** The words of a message in one line. */
export function gist(message) {
  if (!message) return 'Nothing yet';
  if (message.forum_topic_created) return 'The topic was created';
  if (message.forum_topic_closed) return 'The topic was closed';
  if (message.forum_topic_reopened) return 'The topic was opened again';
  if (message.forum_topic_edited) return 'The topic was changed';
  const kinds = ['photo', 'voice', 'audio', 'video_note', 'video', 'document', 'sticker', 'venue', 'location'];
  const kind = kinds.find((name) => message[name]);
  const words = message.text ?? message.caption ?? message.sticker?.emoji;
  return words ?? (kind ? kind[0].toUpperCase() + kind.slice(1).replace('_', ' ') : 'A message');
}

/** @param {any[]} places @param {{open: string, seen: Map<string, number>, me: number, choose: (place: Place) => void}} about */
export function renderList(places, about) {
  const held = new Map([...byId('chats').children].map((node) => [/** @type {HTMLElement} */ (node).dataset.key, node]));
  const nodes = [];
  let section = '';
  for (const place of places) {
    const heading = place.isPrivate ? 'Private' : 'Support, the group';
    if (heading !== section) nodes.push(held.get(heading) ?? el('h2', { class: 'section', 'data-key': heading }, heading));
    section = heading;
    nodes.push(row(place, about, held.get(keyOf(place))));
  }
  arrange(byId('chats'), nodes);
}

function row(place, about, held) {
  const key = keyOf(place);
  const newest = last(place);
  const seen = about.seen.get(key) ?? 0;
  const unread = place.messages.filter((message) => message.message_id > seen && message.from?.id !== about.me).length;
  const by = newest && !newest.forum_topic_created && nameOf(newest) ? `${nameOf(newest).split(' ')[0]}: ` : '';
  const parts = [place.icon, place.title, place.isClosed, by + gist(newest), newest?.date, unread, about.open === key];
  const signature = JSON.stringify(parts);
  if (held && signatures.get(held) === signature) return held;
  const node = held ?? el('button', { type: 'button', 'data-key': key, class: 'chat', onclick: () => about.choose(place) });
  signatures.set(node, signature);
  node.setAttribute('aria-current', String(about.open === key));
  node.replaceChildren(
    el('span', { class: `icon ${place.colour}`, 'aria-hidden': 'true' }, place.icon),
    el('span', { class: 'chat-words' },
      el('span', { class: 'chat-line' },
        el('span', { class: 'chat-title' }, place.title),
        place.isClosed && el('span', { class: 'tag' }, 'closed'),
        newest && el('time', {}, time(newest.date))),
      el('span', { class: 'chat-line' },
        el('span', { class: 'gist' }, by + gist(newest)),
        unread > 0 && el('span', { class: 'unread' }, String(unread), el('span', { class: 'hidden' }, ' unread')))),
  );
  return node;
}
