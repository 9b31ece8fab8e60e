// @ts-check
// Language, appearance, sound, and what can be done with the chat.
import { confirmDialog, el } from '../dom.js';
import { LANGUAGES, locale, setLocale, t } from '../i18n.js';
import { setTheme, theme } from '../theme.js';
import { setSound, soundIsOn } from './sound.js';
import { continueInTelegram } from './telegram.js';
import { saveTranscript } from './transcript.js';

export class Settings {
  #chat;
  #requests;
  #dialog;
  #parts;

  /** @param {import('./chat.js').Chat} chat @param {HTMLElement} dialog @param {import('./requests.js').Requests} requests */
  constructor(chat, dialog, requests) {
    this.#chat = chat;
    this.#requests = requests;
    this.#dialog = /** @type {HTMLDialogElement} */ (dialog);
    /** @param {string} id */
    const part = (id) => /** @type {any} */ (document.getElementById(id));
    this.#parts = {
      button: part('settings-button'), language: part('settings-language'), theme: part('settings-theme'),
      sound: part('settings-sound'), chat: part('settings-chat'), download: part('settings-download'), end: part('settings-end'),
      telegram: part('settings-telegram'),
    };
    for (const [code, name] of Object.entries(LANGUAGES)) {
      this.#parts.language.append(el('option', { value: code, lang: code }, name));
    }
    this.#parts.button.addEventListener('click', () => this.#open());
    part('settings-close').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('click', (event) => {
      // The dialog itself is hit only outside of its content: on the backdrop or the padding.
      if (event.target === this.#dialog && isOutside(this.#dialog, event)) this.#dialog.close();
    });
    this.#listen();
  }

  update() {
    const { conversation, phase } = this.#chat;
    this.#parts.chat.hidden = phase !== 'chat' || conversation.id === null;
    this.#parts.end.hidden = conversation.status !== 'open';
    this.#parts.telegram.hidden = !conversation.telegram || conversation.status !== 'open';
  }

  #listen() {
    const { language, theme: themeChoice, sound, download, end, telegram } = this.#parts;
    language.addEventListener('change', () => {
      setLocale(language.value).catch(() => {
        language.value = locale();
      });
    });
    themeChoice.addEventListener('change', () => setTheme(themeChoice.value));
    sound.addEventListener('change', () => setSound(sound.checked));
    download.addEventListener('click', () => {
      this.#dialog.close();
      saveTranscript(this.#chat);
    });
    end.addEventListener('click', () => this.#end());
    telegram.addEventListener('click', () => {
      this.#dialog.close();
      continueInTelegram(() => this.#requests.telegramLink());
    });
  }

  #open() {
    const { language, theme: themeChoice, sound } = this.#parts;
    language.value = locale();
    themeChoice.value = theme();
    sound.checked = soundIsOn();
    this.#dialog.showModal();
  }

  async #end() {
    this.#dialog.close();
    const sure = await confirmDialog({
      title: t('visitor.end.title'), body: t('visitor.end.body'), confirm: t('visitor.end.confirm'), danger: true,
    });
    if (sure) this.#chat.end();
  }
}

/** @param {HTMLElement} node @param {MouseEvent} event */
function isOutside(node, event) {
  const box = node.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
