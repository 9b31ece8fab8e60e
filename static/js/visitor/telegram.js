// @ts-check
// "Continue in Telegram": says what it does, and gives the link that does it.
import { el } from '../dom.js';
import { clockTime } from '../format.js';
import { t } from '../i18n.js';

/** @param {() => Promise<{url: string, expires_at: string}>} getLink asked when the visitor has decided to, since each link works once */
export function continueInTelegram(getLink) {
  const asker = /** @type {HTMLElement | null} */ (document.activeElement);
  const state = el('div', { class: 'telegram__state', 'aria-live': 'polite' });
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'telegram-title', 'aria-describedby': 'telegram-body' },
    el('div', { class: 'dialog__content' },
      el('h2', { id: 'telegram-title', class: 'dialog__title' }, t('visitor.telegram.title')),
      el('p', { id: 'telegram-body', class: 'dialog__body' }, t('visitor.telegram.body')),
      state,
      el('div', { class: 'dialog__buttons' },
        el('button', { class: 'button', type: 'button', on: { click: () => dialog.close() } }, t('common.close')))));
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (asker?.isConnected) asker.focus();
  }, { once: true });
  document.body.append(dialog);
  dialog.showModal();
  fill(state, getLink);
}

/** @param {HTMLElement} state @param {() => Promise<{url: string, expires_at: string}>} getLink */
async function fill(state, getLink) {
  state.replaceChildren(el('div', { class: 'skeleton telegram__skeleton' }));
  try {
    const { url, expires_at } = await getLink();
    const link = el('a', { class: 'button button--primary', href: url, target: '_blank', rel: 'noopener noreferrer' }, t('visitor.telegram.open'));
    state.replaceChildren(link, el('p', { class: 'telegram__end' }, t('visitor.telegram.until', { time: clockTime(expires_at) })));
    link.focus();
  } catch {
    const again = el('button', { class: 'button', type: 'button', on: { click: () => fill(state, getLink) } }, t('common.message.retry'));
    state.replaceChildren(el('p', {}, t('visitor.telegram.failed')), again);
  }
}
