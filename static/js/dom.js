// @ts-check
// Building nodes. Text only ever enters the page as text.
import { isSingleEmoji, parseText } from './format.js';
import { t } from './i18n.js';

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * `el('button', {class: 'button', type: 'button', on: {click: save}, data: {seq: 3}}, 'Save')`.
 * An attribute that is `true` stands alone; `false`, `null` and `undefined` leave it out.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {any} the element; its own type is the caller's to know
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (name === 'data') {
      Object.assign(node.dataset, value);
    } else {
      node.setAttribute(name, value === true ? '' : String(value));
    }
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

/**
 * @param {string} name a symbol of icons.svg
 * @returns {SVGSVGElement} for the eye only: give the control its own label
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * Shows a message text: links, line breaks, one emoji alone large; nothing else is interpreted.
 * @param {HTMLElement} node
 * @param {string} text
 */
export function renderText(node, text) {
  const parts = parseText(text).map((token) => {
    if (token.type === 'break') return el('br');
    if (token.type === 'text') return document.createTextNode(token.text);
    return el('a', { href: token.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, token.text);
  });
  node.replaceChildren(...parts);
  node.classList.toggle('text--emoji', isSingleEmoji(text));
}

/** @type {HTMLElement | undefined} */
let region;

/**
 * Tells screen readers, when they have finished what they are saying.
 * @param {string} text
 */
export function announce(text) {
  if (!region) {
    region = el('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
    document.body.append(/** @type {HTMLElement} */ (region));
  }
  const line = el('p', {}, text);
  region?.append(line);
  // Long enough to be read out, short enough not to be found by someone browsing the page.
  setTimeout(() => line.remove(), 5000);
}

/**
 * @param {{title: string, body: string, confirm: string, cancel?: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function confirmDialog({ title, body, confirm, cancel = t('common.cancel'), danger = false }) {
  const asker = /** @type {HTMLElement | null} */ (document.activeElement);
  const yes = el('button', { class: danger ? 'button button--danger' : 'button button--primary', value: 'yes' }, confirm);
  const no = el('button', { class: 'button', value: 'no', autofocus: true }, cancel);
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-body' },
    el('form', { method: 'dialog', class: 'dialog__content' },
      el('h2', { id: 'confirm-title', class: 'dialog__title' }, title),
      el('p', { id: 'confirm-body', class: 'dialog__body' }, body),
      el('div', { class: 'dialog__buttons' }, no, yes)));
  // A form with method="dialog" navigates nowhere, but `form-action 'none'` may still forbid it.
  dialog.addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    dialog.close(/** @type {HTMLButtonElement} */ (event.submitter)?.value ?? 'no');
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (asker?.isConnected) asker.focus();
      resolve(dialog.returnValue === 'yes');
    }, { once: true });
  });
}
