// @ts-check
// The visitor's own copy of the chat, as a text file.
import { announce, el } from '../dom.js';
import { formatSize, fullTime } from '../format.js';
import { t } from '../i18n.js';

/**
 * Lines of a message after its first are indented, so that no message can pass for another.
 * @param {import('../conversation.js').Message[]} messages
 * @param {{heading: string, visitorName: string, file: (file: {name: string, size: number}) => string}} words
 */
export function transcriptText(messages, { heading, visitorName, file: fileWords }) {
  const lines = messages.map((message) => {
    const author = message.sender === 'visitor' ? visitorName : message.author || t('visitor.team');
    const time = message.created_at.slice(0, 16).replace('T', ' ');
    const { file, content } = message;
    const said = content === file?.name ? '' : content.replace(/\r\n|[\n\r\u2028\u2029]/g, '\n    ');
    return `[${time} UTC] ${oneLine(author)}: ${[file ? oneLine(fileWords(file)) : '', said].filter(Boolean).join(' ')}`;
  });
  return `${oneLine(heading)}\n\n${lines.join('\n')}\n`;
}

/** @param {string} text */
function oneLine(text) {
  return text.replace(/[\r\n\u2028\u2029]+/g, ' ');
}

/** @param {import('./chat.js').Chat} chat */
export async function saveTranscript(chat) {
  if (!(await chat.loadAll())) {
    announce(t('visitor.download.failed'));
    return false;
  }
  const { conversation } = chat;
  const visitorName = conversation.visitorName || t('visitor.name');
  const heading = t('visitor.download.heading', { name: visitorName, time: fullTime(Date.now()) });
  const file = (/** @type {{name: string, size: number}} */ { name, size }) => t('visitor.download.attachment', { name, size: formatSize(size) });
  const text = transcriptText(conversation.confirmed(), { heading, visitorName, file });
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = el('a', { href: url, download: `${t('visitor.download.file')}-${new Date().toISOString().slice(0, 10)}.txt` });
  link.click();
  // The download reads the address after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return true;
}
