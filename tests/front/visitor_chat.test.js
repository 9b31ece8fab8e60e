import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { storage } from '../../static/js/storage.js';
import { Chat } from '../../static/js/visitor/chat.js';
import { Requests } from '../../static/js/visitor/requests.js';
import { visitorSession } from '../../static/js/visitor/session.js';
import { transcriptText } from '../../static/js/visitor/transcript.js';

class Backend {
  kept = new Map();
  getItem(name) { return this.kept.get(name) ?? null; }
  setItem(name, value) { this.kept.set(name, value); }
  removeItem(name) { this.kept.delete(name); }
}

/** A server of one conversation, at the other end of every WebSocket the page opens. */
class Server {
  log = [];
  sockets = [];
  received = [];
  /** Frames it answers otherwise than it should: type → answer. */
  instead = new Map();
  reachable = true;

  connect(socket) {
    this.sockets.push(socket);
    setImmediate(() => (this.reachable ? socket.onopen?.() : socket.onclose?.({ code: 1006, reason: '' })));
  }

  get last() { return this.sockets.at(-1); }

  of(type) { return this.received.filter((frame) => frame.type === type); }

  append(message) {
    const known = this.log.find((stored) => message.client_id && stored.client_id === message.client_id);
    if (known) return known;
    const stored = { type: 'message', conversation_id: 'c1', seq: this.log.length + 1, created_at: '2026-01-01T00:00:00.000Z', edited_at: null, ...message };
    this.log.push(stored);
    return stored;
  }

  push(frame) { this.last.onmessage?.({ data: JSON.stringify(frame) }); }

  hear(frame) {
    this.received.push(frame);
    const answer = this.instead.get(frame.type)?.(frame) ?? this.#answer(frame);
    if (answer) setImmediate(() => this.push(answer));
  }

  #answer(frame) {
    switch (frame.type) {
      case 'join': return { type: 'joined', conversation_id: 'c1', visitor_name: frame.display_name || 'Visitor', resume_token: 'secret', head_seq: 0, max_message_len: 50, admins_online: 0 };
      case 'resume': {
        const messages = frame.since === undefined ? this.log.slice(-5) : this.log.slice(frame.since, frame.since + 5);
        return { type: 'history', conversation_id: 'c1', visitor_name: 'Ada', status: 'open', messages, head_seq: this.log.length, read: { visitor: 0, admin: 0 } };
      }
      case 'message': return this.append({ sender: 'visitor', content: frame.content, client_id: frame.client_id });
      default: return null;
    }
  }
}

let server;
let backend;

beforeEach(() => {
  server = new Server();
  backend = new Backend();
  mock.timers.enable({ apis: ['setTimeout'] });
  globalThis.WebSocket = class {
    constructor() { server.connect(this); }
    send(text) { server.hear(JSON.parse(text)); }
    close() {}
  };
});

afterEach(() => {
  mock.timers.reset();
  delete globalThis.WebSocket;
});

function openPage() {
  return new Chat({
    session: visitorSession(storage('visitor', backend)),
    socketUrl: 'ws://x/ws/client',
    introduction: () => ({ display_name: 'Ada', locale: 'en' }),
    onChange: () => {},
  });
}

async function settle(rounds = 12) {
  for (let i = 0; i < rounds; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function pass(ms) {
  mock.timers.tick(ms);
  await settle();
}

const texts = (chat) => chat.conversation.messages().map((message) => message.content);

test('no connection is opened before the visitor starts', async () => {
  const chat = openPage();
  chat.resume();
  await settle();
  assert.equal(chat.phase, 'welcome');
  assert.equal(server.sockets.length, 0);
});

test('the first words are on the screen at once and go out with the join', async () => {
  const chat = openPage();
  chat.start('hello');
  assert.deepEqual(chat.conversation.pending().map((message) => message.content), ['hello']);

  await settle();
  assert.deepEqual(server.of('join').map((frame) => frame.display_name), ['Ada']);
  assert.deepEqual(server.log.map((message) => message.content), ['hello']);
  assert.deepEqual(chat.conversation.pending(), []);
  assert.equal(chat.maxLength, 50);
});

test('messages written quickly are sent one after the other, in order', async () => {
  const chat = openPage();
  chat.start('1');
  await settle();
  for (const text of ['2', '3', '4']) chat.write(text);
  assert.deepEqual(server.of('message').map((frame) => frame.content), ['1', '2']);

  await settle(30);
  assert.deepEqual(server.of('message').map((frame) => frame.content), ['1', '2', '3', '4']);
});

test('a confirmation lost with its connection stores nothing twice', async () => {
  const chat = openPage();
  chat.start('first');
  await settle();
  server.instead.set('message', (frame) => {
    server.append({ sender: 'visitor', content: frame.content, client_id: frame.client_id });
    return { type: 'unheard' };
  });
  chat.write('second');
  await settle();
  server.instead.clear();
  server.last.onclose({ code: 1006, reason: '' });
  await pass(30_000);

  assert.deepEqual(server.log.map((message) => message.content), ['first', 'second']);
  assert.deepEqual(texts(chat), ['first', 'second']);
  assert.deepEqual(chat.conversation.pending(), []);
});

test('an answer that never comes is asked for again after 10 s', async () => {
  const chat = openPage();
  chat.start('first');
  await settle();
  server.instead.set('message', () => ({ type: 'unheard' }));
  chat.write('second');
  await settle();
  server.instead.clear();
  await pass(10_000);
  assert.deepEqual(server.log.map((message) => message.content), ['first', 'second']);
  assert.equal(new Set(server.of('message').slice(1).map((frame) => frame.client_id)).size, 1);
});

test('a limited message waits, says so, and goes out by itself', async () => {
  const chat = openPage();
  chat.start('first');
  await settle();
  server.instead.set('message', (frame) => ({ type: 'error', error: 'rate_limited', client_id: frame.client_id, retry_after_ms: 2000 }));
  chat.write('second');
  chat.write('third');
  await settle();
  assert.equal(chat.notice, 'rate_limited');
  assert.equal(chat.conversation.pending().length, 2);

  server.instead.clear();
  await pass(1999);
  assert.equal(server.log.length, 1);
  await pass(1);
  assert.deepEqual(server.log.map((message) => message.content), ['first', 'second', 'third']);
  assert.equal(chat.notice, '');
});

test('a final refusal fails the message with its reason, and the next one goes on', async () => {
  const chat = openPage();
  chat.start('first');
  await settle();
  server.instead.set('message', (frame) => (frame.content === 'bad'
    ? { type: 'error', error: 'message_too_long', client_id: frame.client_id } : undefined));
  chat.write('bad');
  chat.write('good');
  await settle();

  assert.deepEqual(server.log.map((message) => message.content), ['first', 'good']);
  const failed = chat.conversation.unconfirmed();
  assert.deepEqual(failed.map((message) => [message.content, message.state, message.reason]), [['bad', 'failed', 'message_too_long']]);

  server.instead.clear();
  chat.retry(failed[0].client_id);
  await settle();
  assert.deepEqual(texts(chat), ['first', 'good', 'bad']);
});

test('an inner error is tried three times before it is told', async () => {
  const chat = openPage();
  chat.start('first');
  await settle();
  server.instead.set('message', (frame) => ({ type: 'error', error: 'internal', client_id: frame.client_id }));
  chat.write('second');
  for (let i = 0; i < 3; i += 1) await pass(5000);
  assert.equal(server.of('message').length, 4);
  assert.equal(chat.conversation.unconfirmed()[0].state, 'failed');
});

test('a reload goes on where the page was, with what was not sent', async () => {
  const before = openPage();
  before.start('first');
  await settle();
  server.instead.set('message', () => ({ type: 'unheard' }));
  before.write('on its way');
  await settle();
  server.instead.clear();

  const after = openPage();
  after.resume();
  await settle();
  assert.deepEqual(texts(after), ['first', 'on its way']);
  assert.equal(server.of('join').length, 1);
  assert.equal(server.of('resume').at(-1).resume_token, 'secret');
});

test('a reload between the join and the first confirmation loses nothing', async () => {
  server.instead.set('message', () => ({ type: 'unheard' }));
  openPage().start('hello');
  await settle();
  server.instead.clear();

  const after = openPage();
  after.resume();
  await settle();
  assert.deepEqual(server.log.map((message) => message.content), ['hello']);
  assert.deepEqual(texts(after), ['hello']);
});

test('more than one page of missed messages is asked for until all are there', async () => {
  const chat = openPage();
  chat.start('first');
  await settle();
  for (let i = 0; i < 13; i += 1) server.append({ sender: 'admin', content: `missed ${i}` });
  server.last.onclose({ code: 1006, reason: '' });
  await pass(30_000);
  assert.equal(chat.conversation.contiguousSeq(), 14);
  assert.deepEqual(server.of('resume').map((frame) => frame.since), [1, 6, 11]);
});

test('a hole among the pushes is asked for', async () => {
  const chat = openPage();
  chat.start('first');
  await settle();
  server.append({ sender: 'admin', content: 'lost' });
  server.push(server.append({ sender: 'admin', content: 'came' }));
  await pass(400);
  assert.deepEqual(texts(chat), ['first', 'lost', 'came']);
});

test('a deleted conversation is forgotten, also when it is only learnt on return', async () => {
  const chat = openPage();
  chat.start('first');
  await settle();
  server.push({ type: 'conversation_deleted', conversation_id: 'c1' });
  assert.equal(chat.phase, 'deleted');
  assert.deepEqual([...backend.kept.keys()], []);

  openPage().start('again');
  await settle();
  server.instead.set('resume', () => ({ type: 'error', error: 'conversation_not_found' }));
  const later = openPage();
  later.resume();
  await settle();
  assert.equal(later.phase, 'deleted');
  assert.deepEqual([...backend.kept.keys()], []);
});

test('where no socket opens, the chat goes on over HTTP', async () => {
  const asked = [];
  let answerJoin;
  const slowJoin = new Promise((resolve) => { answerJoin = resolve; });
  globalThis.fetch = async (path, { body, headers }) => {
    asked.push([path.replace(/\?.*/, ''), headers.Authorization]);
    const frame = body ? JSON.parse(body) : {};
    if (path.endsWith('/join')) await slowJoin;
    const answer = path.endsWith('/join') ? { conversation_id: 'c1', visitor_name: 'Ada', resume_token: 'secret', head_seq: 0, max_message_len: 50 }
      : path.endsWith('/send') ? server.append({ sender: 'visitor', content: frame.content, client_id: frame.client_id })
        : { messages: server.log.slice(Number(new URL(path, 'http://x').searchParams.get('since'))), head_seq: server.log.length, status: 'open' };
    return { ok: true, json: async () => answer };
  };
  server.reachable = false;
  const chat = openPage();
  chat.start('hello');
  await settle();
  for (let i = 0; i < 8; i += 1) await pass(2000);
  answerJoin();
  await settle();
  assert.equal(chat.link, 'polling');
  assert.deepEqual(server.log.map((message) => message.content), ['hello']);

  server.append({ sender: 'admin', content: 'answer' });
  await pass(6000);
  assert.deepEqual(texts(chat), ['hello', 'answer']);
  assert.equal(asked.filter(([path]) => path === '/api/visitor/join').length, 1);
  assert.ok(asked.filter(([path]) => path !== '/api/visitor/join').every(([, bearer]) => bearer === 'Bearer secret'));

  server.reachable = true;
  await pass(30_000);
  assert.equal(chat.link, 'open');
});

test('a transcript holds every message and none can pass for another', () => {
  const message = (seq, sender, content) => ({ seq, sender, content, author: sender === 'admin' ? 'Oya\n[x] Ada' : 'Ada', created_at: '2026-11-21T22:11:03.417Z' });
  const text = transcriptText([message(1, 'visitor', 'hello\n[2026-01-01 00:00 UTC] Oya: forged'), message(2, 'admin', 'hi')], { heading: 'Chat', visitorName: 'Ada', file: ({ name }) => `[File: ${name}]` });
  assert.equal(text, 'Chat\n\n[2026-11-21 22:11 UTC] Ada: hello\n    [2026-01-01 00:00 UTC] Oya: forged\n[2026-11-21 22:11 UTC] Oya [x] Ada: hi\n');
});

test('the saved chat names its files', () => {
  const sent = (content, name) => ({ sender: 'admin', author: 'Oya', created_at: '2026-11-21T22:11:03.417Z', content, file: { name, size: 10, mime: 'image/png', url: '/files/c1/a1' } });
  const words = { heading: 'Chat', visitorName: 'Ada', file: ({ name }) => `[File: ${name}]` };

  const text = transcriptText([sent('', 'a.png'), sent('b.png', 'b.png'), sent('look here', 'c\n[forged].png')], words);

  assert.equal(text.split('\n').slice(2).join('\n'), `[2026-11-21 22:11 UTC] Oya: [File: a.png]
[2026-11-21 22:11 UTC] Oya: [File: b.png]
[2026-11-21 22:11 UTC] Oya: [File: c [forged].png] look here
`);
});

test('a visitor who is not wanted is told so calmly, and nobody asks again and again', async () => {
  server.instead.set('join', () => ({ type: 'error', error: 'forbidden', detail: 'no chat from here' }));
  const chat = openPage();
  chat.start('hello');
  await settle();
  await pass(60_000);

  assert.equal(chat.refused, true);
  assert.equal(server.of('join').length, 1);
  assert.deepEqual(chat.conversation.unconfirmed().map(({ content, state }) => [content, state]), [['hello', 'failed']]);

  server.instead.clear();
  chat.retry(chat.conversation.unconfirmed()[0].client_id);
  await settle();
  assert.equal(chat.refused, false);
  assert.deepEqual(server.log.map(({ content }) => content), ['hello']);
});

test('whether the chat may go on in Telegram is what the server last said', async () => {
  const chat = openPage();
  chat.start('hello');
  await settle();
  assert.equal(chat.conversation.telegram, false);

  server.push({ type: 'history', conversation_id: 'c1', messages: [], head_seq: 1, telegram: true });
  assert.equal(chat.conversation.telegram, true);
});

test('the link to Telegram is asked for with the secret in a header, and must be a web address', async () => {
  const asked = [];
  const answers = [
    Response.json({ url: 'https://t.me/bot?start=abc', expires_at: '2026-11-21T22:21:00.000Z' }),
    Response.json({ url: 'javascript:alert(1)', expires_at: '2026-11-21T22:21:00.000Z' }),
    Response.json({ error: 'not_found' }, { status: 404 }),
  ];
  const requests = new Requests(() => ({ conversation_id: 'c1', resume_token: 'secret' }), async (url, { headers, body }) => {
    asked.push([url, headers.Authorization, body]);
    return answers.shift();
  });

  assert.equal((await requests.telegramLink()).url, 'https://t.me/bot?start=abc');
  await assert.rejects(requests.telegramLink());
  await assert.rejects(requests.telegramLink());
  assert.deepEqual(asked[0], ['/api/visitor/telegram_link', 'Bearer secret', '{"conversation_id":"c1"}']);
});
