// @ts-check
// The way of a message to Telegram, and what stands in it, in words.

import { t } from '../i18n.js';

/**
 * @param {ReturnType<import('./telegram.js').TelegramWay['trouble']>} trouble
 * @param {import('./panel.js').Alert | null} alert
 * @returns {string} '' when there is nothing to tell
 */
export function troubleWords(trouble, alert) {
  if (trouble === null) return '';
  if ('waiting' in trouble) {
    return t(alert?.code === 'telegram_down' ? 'admin.telegram.waiting_down' : 'admin.telegram.waiting', { count: trouble.waiting });
  }
  return t('admin.telegram.failed', { reason: trouble.failed });
}
