// As much of Telegram as the pages need: it takes what Parley sends, and sends what an operator does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { until } from './until.js';

const TOKEN = '123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const SECRET = 'webhook-secret_of-the-browser-tests';
const GROUP = -1_001_234_567_890;
const CHAT = { id: GROUP, type: 'supergroup', title: 'Support' };
const OLGA = { id: 501, is_bot: false, first_name: 'Olga', language_code: 'en' };
const ME = { id: 123456, is_bot: true, first_name: 'Parley', username: 'parley_test_bot' };

export class Bot {
  /** Every message that Parley has sent, with the id that Telegram gave it. @type {any[]} */
  sent = [];
  /** What it refuses: called with the method and its fields, answers with an error or nothing. */
  refuses = (_method, _fields) => undefined;
  /** Files that can be fetched, by their id. @type {Map<string, Buffer>} */
  files = new Map();
  /** What Olga's reaction to each message is. @type {Map<number, string | null>} */
  #reactions = new Map();
  #server;
  #gateway;
  #messages = 1000;
  #updates = 1;

  /** @param {import('node:test').TestContext} t */
  static async start(t) {
    const bot = new Bot();
    await bot.#listen();
    t.after(() => bot.#server.close());
    return bot;
  }

  /** What a gateway must be told in order to use it. */
  get settings() {
    return {
      TELEGRAM_BOT_TOKEN: TOKEN,
      TELEGRAM_DEFAULT_CHAT_ID: String(GROUP),
      TELEGRAM_WEBHOOK_SECRET: SECRET,
      TELEGRAM_API_URL: `http://127.0.0.1:${this.#server.address().port}`,
      OTP_HASH_SALT: '0123456789abcdef0123456789abcdef',
    };
  }

  /** @param {import('./gateway.js').Gateway} gateway */
  serves(gateway) {
    this.#gateway = gateway;
  }

  /** Runs `ask`, then waits for the login code that it brings. @param {() => Promise<unknown>} ask */
  async codeAfter(ask) {
    return (await this.messageAfter(ask, /\b(\d{6})\b/)).text.match(/\b(\d{6})\b/)[1];
  }

  /** Runs `act`, then waits for the message that it brings. @param {() => Promise<unknown>} act @param {RegExp} words */
  async messageAfter(act, words) {
    const before = this.sent.length;
    await act();
    return until(`${words} in Telegram`, () => this.sent.slice(before).find(({ text }) => words.test(text ?? '')));
  }

  /** Olga answers a message in the group. @param {any} to one of `sent` @param {object} content such as `{text: 'Hello'}` */
  replies(to, content) {
    const reply = { message_id: to.message_id, date: 0, chat: CHAT, from: ME, text: to.text };
    return this.update({ message: { ...this.#message(), ...content, reply_to_message: reply } });
  }

  /** @param {any} to one of `sent` @param {string | null} emoji */
  reacts(to, emoji) {
    const reaction = (wanted) => (wanted ? [{ type: 'emoji', emoji: wanted }] : []);
    const before = this.#reactions.get(to.message_id) ?? null;
    this.#reactions.set(to.message_id, emoji);
    return this.update({
      message_reaction: { chat: CHAT, message_id: to.message_id, user: OLGA, date: now(), old_reaction: reaction(before), new_reaction: reaction(emoji) },
    });
  }

  /** Olga presses a button below a message. @param {any} message one of `sent` @param {string} label a part of it */
  presses(message, label) {
    const button = message.reply_markup?.inline_keyboard.flat().find(({ text }) => text.includes(label));
    assert.ok(button, `no button ${label} below ${message.text}`);
    const chat = message.chat_id === GROUP ? CHAT : { id: message.chat_id, type: 'private', first_name: 'Olga' };
    return this.update({
      callback_query: { id: String(this.#updates), from: OLGA, chat_instance: '1', data: button.callback_data, message: { message_id: message.message_id, date: now(), chat, from: ME, text: message.text } },
    });
  }

  /** @param {object} update */
  async update(update) {
    const response = await fetch(`${this.#gateway.url}/telegram/webhook`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Telegram-Bot-Api-Secret-Token': SECRET },
      body: JSON.stringify({ update_id: (this.#updates += 1), ...update }),
    });
    assert.equal(response.status, 200, await response.text());
  }

  #message() {
    return { message_id: (this.#messages += 1), date: now(), chat: CHAT, from: OLGA };
  }

  async #listen() {
    this.#server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const [, place, method, ...rest] = request.url.split(/[/?]/);
      if (place === 'file') {
        const bytes = this.files.get(rest.at(-1));
        response.writeHead(bytes ? 200 : 404, { 'Content-Type': 'application/octet-stream' }).end(bytes);
        return;
      }
      const fields = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
      const refusal = this.refuses(method, fields);
      const body = refusal ?? { ok: true, result: this.#answer(method, fields) };
      response.writeHead(refusal?.error_code ?? 200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** @param {string} method @param {any} fields */
  #answer(method, fields) {
    switch (method) {
      case 'getMe': return ME;
      case 'getChat': return { ...CHAT, is_forum: false };
      case 'getChatMember': return { status: 'administrator', user: OLGA };
      case 'getFile': return { file_id: fields.file_id, file_unique_id: fields.file_id, file_path: `any/${fields.file_id}`, file_size: this.files.get(fields.file_id)?.length ?? 0 };
      case 'sendMessage': {
        const message = { ...this.#message(), from: ME, text: fields.text };
        this.sent.push({ ...fields, message_id: message.message_id });
        return message;
      }
      default: return true;
    }
  }
}

function now() {
  return Math.floor(Date.now() / 1000);
}
