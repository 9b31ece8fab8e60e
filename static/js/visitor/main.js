// @ts-check
// Entry of the visitor page: texts first, then the screens.
import { chooseLocale, loadLocale, locale, translatePage } from '../i18n.js';
import { storage } from '../storage.js';
import { Chat } from './chat.js';
import { ChatScreen } from './chat_screen.js';
import { Requests } from './requests.js';
import { visitorSession } from './session.js';
import { Settings } from './settings.js';
import { WelcomeScreen } from './welcome_screen.js';

const ADDRESS_LIMIT = 2000;
const kept = storage('visitor');
const query = new URLSearchParams(location.search);
/** One installation may serve several sites; each has its own conversation with this browser. */
const site = /^[a-z0-9-]{1,64}$/.exec(query.get('site') ?? '')?.[0] ?? 'default';

/** @returns {import('./chat.js').Introduction} */
function introduction() {
  const page = query.get('page') || location.href;
  return {
    display_name: kept.get('name', ''),
    locale: locale(),
    page_url: page.slice(0, ADDRESS_LIMIT),
    ...(document.referrer && { referrer: document.referrer.slice(0, ADDRESS_LIMIT) }),
    site,
  };
}

function socketUrl() {
  const url = new URL('/ws/client', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

async function loadTexts() {
  const chosen = chooseLocale();
  await loadLocale(chosen).catch((error) => {
    if (chosen === 'en') throw error;
    return loadLocale('en');
  });
  translatePage();
}

function run() {
  /** @param {string} id */
  const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
  const session = visitorSession(storage(`visitor.${site}`));
  const requests = new Requests(() => session.load());
  const chat = new Chat({
    session,
    socketUrl: socketUrl(),
    introduction,
    onChange: (change) => show(change.added),
  });
  const chatScreen = new ChatScreen(chat, part('chat'), requests);
  const welcome = new WelcomeScreen(part('welcome'), {
    rememberName: (name) => kept.set('name', name),
    name: () => kept.get('name', ''),
    onStart: (text) => {
      chat.start(text);
      chatScreen.focus();
    },
  });
  const settings = new Settings(chat, part('settings'), requests);

  /** @type {string} */
  let phase = '';
  /** @param {import('../conversation.js').Message[]} added */
  function show(added) {
    if (chat.phase !== phase) {
      const from = phase;
      phase = chat.phase;
      for (const name of ['welcome', 'chat', 'deleted']) part(name).hidden = name !== phase;
      if (phase === 'chat' && from === 'welcome') chatScreen.takeOver(welcome.text);
      if (phase === 'welcome' && from !== '') welcome.open();
      if (phase === 'deleted') part('deleted-title').focus();
    }
    // The name and the first words stay in the form until the server has a conversation for them.
    if (chat.conversation.id) welcome.forget();
    chatScreen.update(added);
    settings.update();
  }

  part('deleted-new').addEventListener('click', () => chat.leave());
  show([]);
  part('app').hidden = false;
  welcome.open({ focus: false });
  chat.resume();
}

loadTexts().then(run, () => {
  // No catalogue, no texts: the only sentence that must stand here itself.
  document.body.textContent = 'The page could not be loaded completely. Please check your connection and load it again.';
});
