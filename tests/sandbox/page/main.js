// @ts-check
// The page of the sandbox: a group, its topics and private chats, seen by the person one chooses to be.
import { act, send, watch } from './api.js';
import { Composer } from './composer.js';
import { gist, keyOf, placesOf, renderList } from './list.js';
import { byId, el, nameOf } from './nodes.js';
import { renderThread } from './thread.js';

const TOAST_MS = 5_000;

let view = null;
let me = 501;
/** The place that is open, by person. @type {Map<number, string>} */
const opened = new Map();
/** The newest message that was seen, by person and place. @type {Map<number, Map<string, number>>} */
const seen = new Map();
/** Answers to buttons that were shown already. @type {Set<string> | null} */
let told = null;

const composer = new Composer({
  onText: (text, context) => {
    const where = here();
    const link = open().isPrivate ? /^https:\/\/t\.me\/\w+\?start=([\w-]+)$/.exec(text) : null;
    if (link) {
      attempt(act({ ...where, do: 'start', text: link[1] }));
      return;
    }
    if (context?.kind === 'edit') attempt(act({ ...where, do: 'edit', message: context.message.message_id, text }));
    else attempt(act({ ...where, do: 'write', message: context?.message.message_id ?? null, text }));
  },
  onFiles: (files, text, context) => {
    for (const file of files) attempt(send({ ...here(), message: context?.message.message_id ?? null, text }, file));
  },
});

const person = () => view.people.find((known) => known.id === me);
const open = () => {
  const places = placesOf(view, person());
  return places.find((place) => keyOf(place) === opened.get(me)) ?? places[0];
};

function here() {
  const place = open();
  const anonymous = /** @type {HTMLInputElement} */ (byId('anonymous')).checked && !place.isPrivate;
  return { as: me, chat: place.chat, thread: place.thread, anonymous };
}

/** Says so when it could not be done. @param {Promise<string | null>} doing */
async function attempt(doing) {
  const failed = await doing;
  if (failed) toast(failed);
}

let toastTimer = 0;
function toast(words) {
  byId('toast').textContent = words;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { byId('toast').textContent = ''; }, TOAST_MS);
}

function render() {
  if (!view) return;
  renderPeople();
  const place = open();
  const key = keyOf(place);
  const mine = seen.get(me) ?? new Map();
  seen.set(me, mine);
  if (document.body.dataset.screen === 'thread' || matchMedia('(min-width: 720px)').matches) {
    mine.set(key, place.messages.at(-1)?.message_id ?? 0);
  }
  renderList(placesOf(view, person()), { open: key, seen: mine, me, choose });
  renderBar(place);
  const canWrite = !place.isPrivate || !['left', 'kicked'].includes(place.bot);
  renderThread(`${me} ${key}`, place, {
    me, canWrite,
    reply: (message) => composer.about({ kind: 'reply', message, words: `Reply to ${nameOf(message)}: ${gist(message)}` }),
    edit: (message) => composer.about({ kind: 'edit', message, words: `Edit: ${gist(message)}` }),
    react: (message, emoji) => attempt(act({ ...here(), do: 'react', message: message.message_id, text: emoji })),
    press: (message, data) => attempt(act({ ...here(), do: 'press', message: message.message_id, text: data })),
  });
  byId('composer').hidden = !canWrite;
  byId('start').hidden = canWrite;
  byId('anonymous').parentElement.hidden = place.isPrivate;
  byId('text').setAttribute('placeholder', place.isPrivate ? 'Message, or the link of “Continue in Telegram”' : 'Message');
  renderEmpty(place);
  const language = navigator.language.startsWith('tr') ? 'tr' : 'en';
  composer.open(`${me} ${key}`, place.commands[language]);
}

function renderPeople() {
  const fieldset = byId('people');
  if (fieldset.children.length > 0) return;
  fieldset.replaceChildren(...view.people.map((known) => el('label', {},
    el('input', { type: 'radio', name: 'me', value: known.id, checked: known.id === me, onchange: () => become(known.id) }),
    el('span', {}, known.name.split(' ')[0], el('small', {}, known.role)))));
}

function become(id) {
  me = id;
  render();
}

function choose(place) {
  opened.set(me, keyOf(place));
  document.body.dataset.screen = 'thread';
  render();
  if (matchMedia('(min-width: 720px)').matches) byId('text').focus();
}

function renderBar(place) {
  byId('bar-icon').textContent = place.icon;
  byId('bar-icon').className = `icon ${place.colour}`;
  byId('bar-title').textContent = place.title;
  const states = { left: 'Not started', kicked: 'The bot is blocked' };
  const topic = place.isClosed ? 'A closed topic' : 'A topic';
  const groups = { left: 'The bot is not here', kicked: 'The bot was removed', member: 'The bot is a member', administrator: 'The bot is an administrator' };
  byId('bar-state').textContent = place.isPrivate ? states[place.bot] ?? 'Private chat with the bot' : place.thread ? topic : groups[place.bot];
  const close = byId('first-act');
  close.hidden = !place.thread && !(place.isPrivate && place.bot === 'member');
  close.textContent = place.isPrivate ? 'Block the bot' : place.isClosed ? 'Reopen topic' : 'Close topic';
  byId('topic-delete').hidden = !place.thread;
}

function renderEmpty(place) {
  byId('empty').hidden = place.messages.length > 0;
  byId('empty').textContent = place.isPrivate
    ? 'Nothing here yet. A bot may write to somebody only after they pressed Start.'
    : 'Nothing here yet. Open the visitor’s page and write: the conversation becomes a topic of its own.';
}

function renderHealth(isThere) {
  const waits = view?.waits_until ? Math.ceil((view.waits_until - Date.now()) / 1000) : 0;
  const words = !isThere ? 'The sandbox has ended' : view?.down ? 'Telegram is down' : waits > 0 ? `The bot waits ${waits} s` : 'Telegram works';
  byId('health').textContent = words;
  byId('health').dataset.well = String(words === 'Telegram works');
}

/** What the person who pressed a button is shown; answers from before the page was opened are old news. */
function renderAnswers() {
  const fresh = told ? view.answers.filter((answer) => !told.has(answer.id)) : [];
  told = new Set(view.answers.map((answer) => answer.id));
  for (const answer of fresh.filter((known) => known.text)) {
    if (!answer.alert) toast(answer.text);
    else {
      byId('alert-words').textContent = answer.text;
      /** @type {HTMLDialogElement} */ (byId('alert')).showModal();
    }
  }
}

byId('back').addEventListener('click', () => {
  document.body.dataset.screen = 'list';
  render();
});
byId('first-act').addEventListener('click', () => {
  const place = open();
  attempt(act({ ...here(), do: place.isPrivate ? 'block' : place.isClosed ? 'reopen_topic' : 'close_topic' }));
});
byId('topic-delete').addEventListener('click', () => attempt(act({ ...here(), do: 'delete_topic' })));
byId('start').addEventListener('submit', (event) => {
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ (byId('start-link'));
  attempt(act({ ...here(), do: 'start', text: field.value.trim().split('start=').pop() }));
  field.value = '';
});
for (const button of document.querySelectorAll('[data-act]')) {
  button.addEventListener('click', () => attempt(act({ do: /** @type {HTMLElement} */ (button).dataset.act })));
}
setInterval(() => { if (view?.waits_until > Date.now() - 2_000) renderHealth(true); }, 1_000);

watch((news) => {
  view = news;
  render();
  renderAnswers();
  renderHealth(true);
}, renderHealth);
