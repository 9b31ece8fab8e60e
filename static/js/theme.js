// @ts-check
import { storage } from './storage.js';

/** @typedef {'system' | 'light' | 'dark'} Theme */

const kept = storage('ui');

/** @returns {Theme} */
export function theme() {
  const choice = kept.get('theme');
  return choice === 'light' || choice === 'dark' ? choice : 'system';
}

/** @param {Theme} choice */
export function setTheme(choice) {
  if (choice === 'system') kept.remove('theme');
  else kept.set('theme', choice);
  showTheme();
}

function showTheme() {
  const choice = theme();
  if (choice === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}

kept.onChange('theme', showTheme);
