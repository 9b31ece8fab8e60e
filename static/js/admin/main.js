// @ts-check
// Entry of the panel: builds each part once and wires them.

import { chooseLocale, loadLocale, locale, onLocaleChange, setLocale, translatePage } from '../i18n.js';
import { storage } from '../storage.js';
import { ActivityView } from './activity_view.js';
import { Api } from './api.js';
import { Attention } from './attention.js';
import { CannedDialog } from './canned_dialog.js';
import { DetailsView } from './details_view.js';
import { bindKeyboard } from './keyboard.js';
import { ListView } from './list_view.js';
import { LoginView } from './login_view.js';
import { MenuView } from './menu_view.js';
import { NotesView } from './notes_view.js';
import { byId } from './page.js';
import { Panel } from './panel.js';
import { SearchView } from './search_view.js';
import { Session } from './session.js';
import { StageView } from './stage_view.js';
import { StatisticsView } from './statistics_view.js';
import { ThreadView } from './thread_view.js';

await loadLocale(chooseLocale());

const store = storage('admin');
const session = new Session(store);
const api = new Api({ session });
const panel = new Panel({ api, session, store });
const login = new LoginView({ api, session, store });
const views = {
  panel,
  list: new ListView(panel),
  search: new SearchView(panel),
  thread: new ThreadView(panel),
  details: new DetailsView(panel),
  menu: new MenuView(panel, new Attention(panel, store), new CannedDialog(panel.canned)),
};
new StageView(panel);
new NotesView(panel);
new StatisticsView(panel);
new ActivityView(panel);
bindKeyboard(views, () => session.active);
translatePage();

let inside = false;

/**
 * Shows the panel or the login, whichever the session allows.
 * @param {boolean} active @param {import('./session.js').End} [how]
 */
function show(active, how) {
  if (active === inside) return;
  inside = active;
  byId('panel').hidden = !active;
  if (active) {
    login.hide();
    panel.start();
  } else {
    panel.stop();
    login.show(how === 'left' ? 'admin.login.left' : 'admin.login.ended');
  }
}

session.onChange(show);
store.onChange('session', () => session.refresh());

const language = /** @type {HTMLSelectElement} */ (byId('login-language'));
language.value = locale();
language.addEventListener('change', () => setLocale(language.value));
onLocaleChange((code) => {
  language.value = code;
});

if (session.active) show(true);
else login.show('');
