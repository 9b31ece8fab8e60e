// @ts-check
// The way of a message to Telegram, and what stands in it, in words.

import { t } from '../i18n.js';

/** Why nothing goes out, where an alert says more than that Telegram asked for patience. @type {Record<string, string>} */
const WAITING = {
  telegram_down: 'admin.telegram.waiting_down',
  telegram_forbidden: 'admin.telegram.waiting_barred',
  telegram_chat_not_found: 'admin.telegram.waiting_barred',
  telegram_unauthorized: 'admin.telegram.waiting_barred',
};

/**
 * @param {ReturnType<import('./telegram.js').TelegramWay['trouble']>} trouble
 * @param {import('./panel.js').Alert | null} alert
 * @returns {string} '' when there is nothing to tell
 */
export function troubleWords(trouble, alert) {
  if (trouble === null) return '';
  if ('waiting' in trouble) {
    return t(WAITING[alert?.code ?? ''] ?? 'admin.telegram.waiting', { count: trouble.waiting });
  }
  return t('admin.telegram.failed', { reason: trouble.failed });
}
