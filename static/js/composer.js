// @ts-check
// The field people write in: grows, counts, keeps drafts, sends on Enter.
import { announce } from './dom.js';
import { countCharacters } from './format.js';
import { onLocaleChange, t } from './i18n.js';
import { storage } from './storage.js';

const TYPING_EVERY_MS = 3000;
const COUNTER_FROM = 0.9;
const drafts = storage('draft');

/**
 * Expects a form with a `textarea`, a submit button and a `.composer__counter`.
 * `onSend` may return false: the text was not taken and stays.
 */
export class Composer {
  #form;
  #field;
  #counter;
  #maxLength;
  #onSend;
  #onTyping;
  #draftKey = '';
  #lastTyping = 0;

  /**
   * @param {{form: HTMLFormElement, maxLength?: number, draftKey?: string, onSend: (text: string) => boolean | void,
   *   onTyping?: () => void}} options
   */
  constructor({ form, maxLength = 2000, draftKey = '', onSend, onTyping = () => {} }) {
    this.#form = form;
    this.#field = /** @type {HTMLTextAreaElement} */ (form.querySelector('textarea'));
    this.#counter = /** @type {HTMLElement} */ (form.querySelector('.composer__counter'));
    this.#maxLength = maxLength;
    this.#onSend = onSend;
    this.#onTyping = onTyping;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#field.addEventListener('keydown', (event) => this.#keydown(event));
    this.#field.addEventListener('input', () => this.#input());
    onLocaleChange(() => this.#showCount());
    this.setDraftKey(draftKey);
  }

  /** @returns {string} */
  get text() {
    return this.#field.value;
  }

  /** @param {string} text */
  set text(text) {
    this.#field.value = text;
    this.#keepDraft();
    this.#fit();
  }

  /** @param {number} maxLength */
  set maxLength(maxLength) {
    this.#maxLength = maxLength;
    this.#showCount();
  }

  /** @param {boolean} disabled */
  set disabled(disabled) {
    for (const control of this.#form.elements) /** @type {HTMLButtonElement} */ (control).disabled = disabled;
  }

  /**
   * Each conversation keeps its own draft: the field shows that of `key`.
   * @param {string} key
   */
  setDraftKey(key) {
    this.#draftKey = key;
    this.#field.value = key ? drafts.get(key, '') : '';
    this.#fit();
  }

  focus() {
    this.#field.focus();
  }

  clear() {
    this.text = '';
  }

  #input() {
    this.#keepDraft();
    this.#fit();
    const now = Date.now();
    if (this.#field.value.trim() === '' || now - this.#lastTyping < TYPING_EVERY_MS) return;
    this.#lastTyping = now;
    this.#onTyping();
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    // On a phone Enter breaks the line, as everywhere else there; the button sends.
    const onTouch = matchMedia('(pointer: coarse)').matches;
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || onTouch) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #send() {
    const text = this.#field.value.trim();
    const over = countCharacters(text) - this.#maxLength;
    if (over > 0) announce(t('common.composer.over', { count: over }));
    if (text === '' || over > 0) {
      this.focus();
      return;
    }
    if (this.#onSend(text) === false) return;
    this.#lastTyping = 0;
    this.clear();
    this.focus();
  }

  #keepDraft() {
    if (!this.#draftKey) return;
    if (this.#field.value === '') drafts.remove(this.#draftKey);
    else drafts.set(this.#draftKey, this.#field.value);
  }

  #fit() {
    // The height follows the text; the style sheet caps it at five lines.
    this.#field.style.height = 'auto';
    const border = this.#field.offsetHeight - this.#field.clientHeight;
    if (this.#field.scrollHeight > 0) this.#field.style.height = `${this.#field.scrollHeight + border}px`;
    this.#showCount();
  }

  #showCount() {
    const left = this.#maxLength - countCharacters(this.#field.value);
    const near = left <= this.#maxLength * (1 - COUNTER_FROM);
    this.#counter.hidden = !near;
    this.#counter.textContent = !near ? ''
      : left < 0 ? t('common.composer.over', { count: -left }) : t('common.composer.left', { count: left });
    this.#counter.classList.toggle('composer__counter--over', left < 0);
    this.#field.setAttribute('aria-invalid', String(left < 0));
  }
}

/** @param {string} key */
export function forgetDraft(key) {
  drafts.remove(key);
}
