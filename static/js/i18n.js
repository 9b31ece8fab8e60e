// @ts-check
// Texts of the pages, from the one catalogue that the server reads too.
import { storage } from './storage.js';

/** Languages we write, by code, each under its own name. */
export const LANGUAGES = Object.freeze({ en: 'English', tr: 'Türkçe' });
const FALLBACK = 'en';

const kept = storage('ui');
/** @type {Record<string, string | Record<string, string>>} */
let texts = {};
let current = FALLBACK;
/** @type {Set<(code: string) => void>} */
const listeners = new Set();

/** @returns {string} code of the language on the screen */
export function locale() {
  return current;
}

/** @returns {string} the visitor's own variant of that language (en-GB for en), for dates and numbers */
export function formatLocale() {
  const wanted = globalThis.navigator?.languages ?? [];
  return wanted.find((tag) => tag.split('-')[0].toLowerCase() === current) ?? current;
}

/** @returns {string} stored choice, else the browser's, else the installation's, else English */
export function chooseLocale() {
  const candidates = [
    kept.get('locale'),
    ...(globalThis.navigator?.languages ?? []),
    globalThis.document?.documentElement.dataset.defaultLocale,
  ];
  for (const candidate of candidates) {
    const code = String(candidate ?? '').split('-')[0].toLowerCase();
    if (Object.hasOwn(LANGUAGES, code)) return code;
  }
  return FALLBACK;
}

/** @param {string} code */
export async function loadLocale(code) {
  const response = await fetch(new URL(`../locales/${code}.json`, import.meta.url));
  if (!response.ok) throw new Error(`The texts for ${code} could not be loaded`);
  useTexts(code, await response.json());
}

/**
 * @param {string} code
 * @param {Record<string, string | Record<string, string>>} catalogue
 */
export function useTexts(code, catalogue) {
  texts = catalogue;
  current = code;
  if (globalThis.document) document.documentElement.lang = code;
}

/**
 * Switches the page to another language and remembers the choice.
 * @param {string} code
 */
export async function setLocale(code) {
  await loadLocale(code);
  kept.set('locale', code);
  translatePage();
  for (const listener of listeners) listener(code);
}

/** @param {(code: string) => void} listener */
export function onLocaleChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [params]
 * @returns {string} the text, or the key itself where there is none
 */
export function t(key, params = {}) {
  const entry = Object.hasOwn(texts, key) ? texts[key] : key;
  const form = typeof entry === 'string' ? entry : pluralForm(entry, Number(params.count));
  return form.replace(/\{(\w+)\}/g, (whole, name) =>
    Object.hasOwn(params, name) ? String(params[name]) : whole,
  );
}

/**
 * @param {Record<string, string>} forms
 * @param {number} count
 */
function pluralForm(forms, count) {
  const rule = new Intl.PluralRules(current).select(count);
  return forms[rule] ?? forms.other;
}

const ATTRIBUTES = {
  i18nLabel: 'aria-label',
  i18nPlaceholder: 'placeholder',
  i18nTitle: 'title',
};

/** @param {ParentNode} [root] */
export function translatePage(root = document) {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-i18n]'))) {
    node.textContent = t(/** @type {string} */ (node.dataset.i18n));
  }
  const labelled = '[data-i18n-label], [data-i18n-placeholder], [data-i18n-title]';
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(labelled))) {
    for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
      const key = node.dataset[name];
      if (key) node.setAttribute(attribute, t(key));
    }
  }
}
