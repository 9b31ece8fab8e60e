import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '../../static/js/admin/api.js';
import { Letters } from '../../static/js/admin/letters.js';
import { fullPage } from '../../static/js/admin/paging.js';
import { Threads } from '../../static/js/admin/threads.js';

const ID = 'c1';
const message = (seq, more = {}) => ({
  type: 'message', conversation_id: ID, id: `m${seq}`, seq, client_id: `k${seq}`, sender: 'visitor', content: `text ${seq}`,
  created_at: new Date(Date.UTC(2026, 10, 21, 12, 0, seq)).toISOString(), edited_at: null, ...more,
});

/** A server that holds one conversation and answers by socket and by REST as the contract says. */
class Server {
  log = [];
  asked = [];
  open = true;
  silent = false;
  down = false;

  constructor(count) {
    for (let seq = 1; seq <= count; seq += 1) this.log.push(message(seq));
    this.threads = new Threads({ api: this, live: () => this, changed: () => {} });
  }

  /** Socket. */
  send(frame) {
    if (!this.open) return false;
    this.asked.push(frame);
    if (this.silent || frame.type !== 'history') return true;
    const { since, before = this.log.length + 1 } = frame;
    const messages = since === undefined ? this.log.slice(Math.max(0, before - 51), before - 1) : this.log.slice(since, since + 50);
    const has_more = since === undefined ? before > 51 : since + 50 < this.log.length;
    const answer = { type: 'history', conversation_id: ID, status: 'open', messages, has_more, head_seq: this.log.length, read: { visitor: 0, admin: 0 } };
    queueMicrotask(() => this.threads.apply(answer));
    return true;
  }

  /** REST. */
  async get(path, { cursor, limit }) {
    if (this.down) throw new ApiError({ code: 'network' });
    if (path !== `/api/admin/messages/${ID}`) throw new ApiError({ code: 'conversation_not_found', status: 404 });
    const end = cursor ? Number(cursor) : this.log.length;
    const start = Math.max(0, end - limit);
    return { items: this.log.slice(start, end), next_cursor: start > 0 ? String(start) : null };
  }

  async post(path, body) {
    if (this.down) throw new ApiError({ code: 'network' });
    if (body.content === 'refused') throw new ApiError({ code: 'conversation_closed', status: 409 });
    const held = this.log.find((entry) => entry.client_id === body.client_id);
    if (!held) this.log.push(message(this.log.length + 1, { sender: 'admin', content: body.content, client_id: body.client_id }));
    return { ok: true, message: held ?? this.log.at(-1) };
  }

  seqs() {
    return this.threads.get(ID).conversation.confirmed().map((entry) => entry.seq);
  }
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

for (const way of ['socket', 'REST']) {
  test(`the newest messages come first and earlier ones on demand, by ${way}`, async () => {
    const server = new Server(120);
    server.open = way === 'socket';

    await server.threads.open(ID);
    assert.deepEqual(server.seqs(), range(71, 120));
    await server.threads.earlier(ID);
    assert.deepEqual(server.seqs(), range(21, 120));
    await server.threads.earlier(ID);
    await server.threads.earlier(ID);
    assert.deepEqual(server.seqs(), range(1, 120));
  });

  test(`what was missed is asked for until nothing is missing, by ${way}`, async () => {
    const server = new Server(10);
    await server.threads.open(ID);
    for (let seq = 11; seq <= 180; seq += 1) server.log.push(message(seq));
    server.open = way === 'socket';

    server.threads.apply(message(180));
    await server.threads.recover(ID);

    assert.deepEqual(server.seqs(), range(1, 180));
    assert.equal(server.threads.get(ID).conversation.hasGap(), false);
  });

  test(`a message far back is reached, by ${way}`, async () => {
    const server = new Server(400);
    server.open = way === 'socket';

    await server.threads.reach(ID, 37);

    assert.equal(server.seqs().includes(37), true);
    assert.equal(server.threads.get(ID).conversation.contiguousSeq(), 400);
  });
}

test('a conversation asks the socket one thing at a time', async () => {
  const server = new Server(200);
  await server.threads.open(ID);

  await Promise.all([server.threads.earlier(ID), server.threads.recover(ID), server.threads.earlier(ID)]);

  assert.deepEqual(server.seqs(), range(101, 200));
});

test('a refused frame sends the page by REST', async () => {
  const server = new Server(5);
  server.silent = true;

  const opened = server.threads.open(ID);
  await new Promise((resolve) => setImmediate(resolve));
  server.threads.refuse();
  await opened;

  assert.deepEqual(server.seqs(), range(1, 5));
});

test('a conversation that cannot be loaded says why and can be tried again', async () => {
  const server = new Server(5);
  server.open = false;
  server.down = true;
  await server.threads.open(ID);
  assert.equal(server.threads.get(ID).error, 'network');

  server.down = false;
  await server.threads.open(ID);
  assert.equal(server.threads.get(ID).state, 'ready');

  await server.threads.open('other');
  assert.equal(server.threads.get('other').error, 'conversation_not_found');
});

test('a conversation that was deleted while nobody told us is not shown any more', async () => {
  const server = new Server(5);
  await server.threads.open(ID);
  server.open = false;
  server.get = async () => { throw new ApiError({ code: 'conversation_not_found', status: 404 }); };

  await server.threads.recover(ID);

  assert.equal(server.threads.get(ID).error, 'conversation_not_found');
  assert.deepEqual(server.seqs(), []);
});

function lettersOf(server) {
  const held = new Map();
  const store = { get: (key) => held.get(key) ?? null, set: (key, value) => held.set(key, value), remove: (key) => held.delete(key) };
  const letters = new Letters({
    api: server, live: server, threads: server.threads, store, name: () => 'Oya',
    onFrame: (frame) => {
      server.threads.apply(frame);
      letters.confirm(frame);
    },
  });
  return { letters, held };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test('an answer is shown at once and leaves the outbox when it is confirmed', async () => {
  const server = new Server(1);
  await server.threads.open(ID);
  const { letters, held } = lettersOf(server);

  letters.send(ID, 'hello');
  const { conversation } = server.threads.get(ID);
  assert.equal(conversation.messages().at(-1).content, 'hello');
  assert.equal(held.get('outbox').length, 1);

  const { client_id } = server.asked.at(-1);
  const frame = message(2, { sender: 'admin', client_id });
  server.threads.apply(frame);
  letters.confirm(frame);
  letters.stop();
  assert.equal(held.size, 0);
  assert.deepEqual(conversation.pending(), []);
});

test('without a connection an answer waits and is stored once, however often it is sent', async () => {
  const server = new Server(1);
  await server.threads.open(ID);
  const { letters, held } = lettersOf(server);
  server.open = false;
  server.down = true;

  letters.send(ID, 'patient');
  await settle();
  assert.equal(held.get('outbox').length, 1);

  server.down = false;
  letters.resend();
  letters.resend();
  await settle();
  assert.equal(server.log.filter((entry) => entry.content === 'patient').length, 1);
  assert.equal(held.size, 0);
});

test('a refused answer keeps its text, says why, and can be given up', async () => {
  const server = new Server(1);
  await server.threads.open(ID);
  const { letters, held } = lettersOf(server);
  server.open = false;

  letters.send(ID, 'refused');
  await settle();
  const [failed] = server.threads.get(ID).conversation.unconfirmed();
  assert.equal(failed.reason, 'conversation_closed');
  assert.equal(failed.content, 'refused');

  letters.resend();
  await settle();
  assert.equal(held.get('outbox')[0].failed, 'conversation_closed');

  letters.discard(ID, failed.client_id);
  assert.equal(held.size, 0);
  assert.deepEqual(server.threads.get(ID).conversation.unconfirmed(), []);
});

test('empty pages in between are passed over', async () => {
  const pages = { null: { items: [], next_cursor: 'a' }, a: { items: [], next_cursor: 'b' }, b: { items: [1], next_cursor: 'c' } };

  assert.deepEqual(await fullPage(async (cursor) => pages[cursor], null), { items: [1], cursor: 'c' });
  const endless = await fullPage(async () => ({ items: [], next_cursor: 'again' }), null);
  assert.deepEqual(endless, { items: [], cursor: 'again' });
});
