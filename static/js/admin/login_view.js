// @ts-check
// Login: ask for a code, then six boxes that take a paste and submit themselves.

import { el } from '../dom.js';
import { onLocaleChange, t } from '../i18n.js';
import { Approval } from './approval.js';
import { byId, setText } from './page.js';

/**
 * @typedef {import('./api.js').Api} Api
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./session.js').Store} Store
 */

const DIGITS = 6;
const NAME_KEY = 'name';
/** Where a code went, by the channel that the answer names. @type {Record<string, string>} */
const SENT = {
  terminal: 'admin.login.sent_terminal', telegram: 'admin.login.sent_telegram', telegram_private: 'admin.login.sent_private',
};

export class LoginView {
  #api;
  #session;
  #store;
  #root = byId('login');
  #ask = /** @type {HTMLFormElement} */ (byId('login-ask'));
  #enter = /** @type {HTMLFormElement} */ (byId('login-enter'));
  #name = /** @type {HTMLInputElement} */ (byId('login-name'));
  #send = /** @type {HTMLButtonElement} */ (byId('login-send'));
  #again = /** @type {HTMLButtonElement} */ (byId('login-again'));
  /** @type {HTMLInputElement[]} */
  #boxes = [];
  /** @type {{channel: string, approval: boolean, expires: number, again: number} | null} */
  #sent = null;
  #approval;
  #busy = false;
  #error = '';
  #notice = '';
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;

  /** @param {{api: Api, session: Session, store: Store}} parts */
  constructor({ api, session, store }) {
    this.#api = api;
    this.#session = session;
    this.#store = store;
    this.#approval = new Approval({
      api,
      onApproved: (grant) => session.begin(grant),
      onRefused: () => this.#start(t('admin.login.denied')),
    });
    for (let index = 0; index < DIGITS; index += 1) this.#addBox(index);
    this.#name.value = String(store.get(NAME_KEY) ?? '');
    this.#ask.addEventListener('submit', (event) => this.#request(event));
    this.#again.addEventListener('click', (event) => this.#request(event));
    this.#enter.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    onLocaleChange(() => this.#render());
  }

  /** @param {string} notice key of the words that say why somebody stands here again, or '' */
  show(notice) {
    this.#root.hidden = false;
    this.#sent = null;
    this.#error = '';
    this.#notice = notice;
    this.#render();
    // On a touch screen a focused field would bring the keyboard up over the button.
    const known = this.#name.value !== '' || matchMedia('(pointer: coarse)').matches;
    (known ? this.#send : this.#name).focus();
  }

  hide() {
    this.#root.hidden = true;
    this.#approval.stop();
    clearInterval(this.#clock);
  }

  /** @param {Event} event */
  async #request(event) {
    event.preventDefault();
    if (this.#busy) return;
    this.#busy = true;
    this.#error = '';
    this.#store.set(NAME_KEY, this.#name.value.trim());
    try {
      const { channel, approval = false, expires_in_seconds = 300, retry_after_seconds = 60 } = await this.#api.post('/api/admin/request_otp');
      const now = Date.now();
      this.#sent = { channel, approval, expires: now + expires_in_seconds * 1000, again: now + retry_after_seconds * 1000 };
      this.#notice = '';
      if (approval) this.#approval.start(this.#name.value.trim());
      else this.#approval.stop();
      this.#empty();
      clearInterval(this.#clock);
      this.#clock = setInterval(() => this.#tick(), 1000);
    } catch (cause) {
      this.#error = this.#words(/** @type {any} */ (cause));
    }
    this.#busy = false;
    this.#render();
    if (this.#sent) this.#boxes[0].focus();
  }

  async #submit() {
    const code = this.#boxes.map((box) => box.value).join('');
    if (this.#busy || code.length !== DIGITS) return;
    this.#busy = true;
    this.#error = '';
    this.#render();
    try {
      const name = this.#name.value.trim();
      this.#session.begin(await this.#api.post('/api/admin/login', name ? { code, name } : { code }));
    } catch (cause) {
      this.#error = this.#words(/** @type {any} */ (cause), 'admin.login.wrong_code');
    }
    this.#busy = false;
    this.#empty();
    this.#render();
    if (!this.#session.active) this.#boxes[0].focus();
  }

  /** @param {import('./api.js').ApiError} error @param {string} [wrong] what a refusal means here */
  #words({ code, retryAfter }, wrong = 'admin.error.unauthorized') {
    if (code === 'rate_limited' && retryAfter !== null) return t('admin.login.too_often', { count: Math.ceil(retryAfter / 60) });
    if (code === 'unauthorized' || code === 'invalid_message') return t(wrong);
    if (code === 'forbidden') return t('admin.login.forbidden');
    if (code === 'network') return t('admin.error.network');
    return t(code === 'rate_limited' ? 'admin.error.rate_limited' : 'admin.error.internal');
  }

  #empty() {
    for (const box of this.#boxes) box.value = '';
  }

  #tick() {
    if (this.#sent && Date.now() >= this.#sent.expires) {
      this.#start(t('admin.login.expired'));
      return;
    }
    this.#countDown();
  }

  /** Back to the first step. @param {string} error why */
  #start(error) {
    this.#sent = null;
    this.#error = error;
    this.#approval.stop();
    clearInterval(this.#clock);
    this.#render();
    this.#send.focus();
  }

  #render() {
    this.#ask.hidden = this.#sent !== null;
    this.#enter.hidden = this.#sent === null;
    this.#send.disabled = this.#busy;
    this.#root.setAttribute('aria-busy', String(this.#busy));
    setText(byId('login-error'), this.#error);
    setText(byId('login-notice'), this.#notice ? t(this.#notice) : '');
    byId('login-notice').hidden = this.#notice === '';
    this.#boxes.forEach((box, index) => {
      box.readOnly = this.#busy;
      box.setAttribute('aria-label', t('admin.login.digit', { number: index + 1 }));
    });
    this.#countDown();
  }

  #countDown() {
    if (!this.#sent) return;
    const now = Date.now();
    const wait = Math.ceil((this.#sent.again - now) / 1000);
    setText(byId('login-where'), t(SENT[this.#sent.channel] ?? 'admin.login.sent_telegram'));
    setText(byId('login-approval'), this.#sent.approval ? t('admin.login.approval') : '');
    byId('login-approval').hidden = !this.#sent.approval;
    setText(byId('login-life'), t('admin.login.life', { time: minutes(this.#sent.expires - now) }));
    setText(this.#again, wait > 0 ? t('admin.login.again_in', { time: minutes(wait * 1000) }) : t('admin.login.again'));
    this.#again.disabled = this.#busy || wait > 0;
  }

  /** @param {number} index */
  #addBox(index) {
    const box = /** @type {HTMLInputElement} */ (el('input', {
      class: 'input code__box', inputmode: 'numeric', pattern: '[0-9]', autocomplete: index === 0 ? 'one-time-code' : 'off',
    }));
    box.addEventListener('input', () => this.#typed(index));
    box.addEventListener('focus', () => box.select());
    box.addEventListener('keydown', (event) => this.#key(event, index));
    box.addEventListener('paste', (event) => {
      event.preventDefault();
      this.#fill(0, event.clipboardData?.getData('text') ?? '');
    });
    this.#boxes.push(box);
    byId('login-boxes').append(box);
  }

  /** A phone's suggestion puts the whole code into one box. @param {number} index */
  #typed(index) {
    const { value } = this.#boxes[index];
    this.#boxes[index].value = '';
    this.#fill(digitsOf(value).length >= DIGITS ? 0 : index, value);
  }

  /** @param {number} from @param {string} text */
  #fill(from, text) {
    const digits = digitsOf(text).slice(0, DIGITS - from);
    digits.forEach((digit, offset) => {
      this.#boxes[from + offset].value = digit;
    });
    if (digits.length > 0) this.#boxes[Math.min(from + digits.length, DIGITS - 1)].focus();
    if (this.#boxes.every((box) => box.value !== '')) this.#submit();
  }

  /** @param {KeyboardEvent} event @param {number} index */
  #key(event, index) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
    const emptied = event.key === 'Backspace' && this.#boxes[index].value === '' && index > 0;
    if (emptied) this.#boxes[index - 1].value = '';
    const to = this.#boxes[index + (emptied ? -1 : step)];
    if (!to || (step === 0 && !emptied)) return;
    event.preventDefault();
    to.focus();
  }
}

/** Digits of any script count: an Arabic keyboard types others than ours. @param {string} text @returns {string[]} */
function digitsOf(text) {
  return [...text].flatMap((character) => {
    if (/[0-9]/u.test(character)) return [character];
    if (/[٠-٩]/u.test(character)) return [String(character.charCodeAt(0) - 0x660)];
    return [];
  });
}

/** @param {number} ms @returns {string} such as 4:07 */
function minutes(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
