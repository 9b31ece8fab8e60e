import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversation } from '../../static/js/conversation.js';

const ID = 'c1';

/** A small deterministic random source, so that a failing seed can be run again. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function message(seq, extra = {}) {
  return {
    type: 'message', conversation_id: ID, id: `m${seq}`, seq, client_id: `k${seq}`, sender: seq % 2 ? 'visitor' : 'admin',
    content: `text ${seq}`, created_at: new Date(seq * 1000).toISOString(), edited_at: null, ...extra,
  };
}

/** The server's side: a log, and what it answers to `resume` and `history`. */
class Log {
  messages = [];
  pageSize = 7;

  append(extra = {}) {
    const stored = message(this.messages.length + 1, extra);
    this.messages.push(stored);
    return stored;
  }

  edit(seq, at) {
    const edited = { ...this.messages[seq - 1], content: `edited ${at}`, edited_at: new Date(at).toISOString() };
    this.messages[seq - 1] = edited;
    return { ...edited, type: 'message_edited' };
  }

  #history(messages, extra = {}) {
    return {
      type: 'history', conversation_id: ID, visitor_name: 'Ada', status: 'open', messages: messages.map((m) => ({ ...m })),
      head_seq: this.messages.length, read: { visitor: 0, admin: 0 }, ...extra,
    };
  }

  resume(since) {
    if (since === undefined) return this.#history(this.messages.slice(-this.pageSize));
    if (since > this.messages.length) return this.#history(this.messages.slice(0, this.pageSize), { reset: true });
    return this.#history(this.messages.slice(since, since + this.pageSize));
  }

  before(seq) {
    return this.#history(this.messages.slice(Math.max(0, seq - 1 - this.pageSize), seq - 1));
  }
}

function recover(conversation, log) {
  for (let asked = 0; asked < 100; asked += 1) {
    conversation.apply(log.resume(conversation.since()));
    if (!conversation.needsRecovery()) return;
  }
  assert.fail('recovery does not come to an end');
}

const seqs = (conversation) => conversation.confirmed().map((m) => m.seq);
const contents = (list) => list.map((m) => [m.seq, m.content]);

test('confirmed messages stand in the order of seq, the unconfirmed after them', () => {
  const conversation = new Conversation();
  conversation.apply({ type: 'joined', conversation_id: ID, visitor_name: 'Ada', head_seq: 0 });
  conversation.addPending({ client_id: 'p1', content: 'first', created_at: '2026-01-01T00:00:00Z' });
  conversation.addPending({ client_id: 'p2', content: 'second', created_at: '2026-01-01T00:00:01Z' });

  conversation.apply(message(2));
  conversation.apply(message(1));

  assert.deepEqual(conversation.messages().map((m) => m.content), ['text 1', 'text 2', 'first', 'second']);
});

test('the frame with its client_id confirms a pending message, once', () => {
  const conversation = new Conversation({ id: ID });
  conversation.apply({ type: 'joined', conversation_id: ID, head_seq: 0 });
  conversation.addPending({ client_id: 'k1', content: 'text 1', created_at: '2026-01-01T00:00:00Z' });

  const first = conversation.apply(message(1));
  const again = conversation.apply(message(1));
  conversation.addPending({ client_id: 'k1', content: 'text 1', created_at: '2026-01-01T00:00:00Z' });

  assert.deepEqual(first.added.map((m) => m.seq), [1]);
  assert.deepEqual(again, { changed: false, added: [] });
  assert.equal(conversation.messages().length, 1);
  assert.deepEqual(conversation.pending(), []);
});

test('a failed message keeps its text and can be tried again or thrown away', () => {
  const conversation = new Conversation({ id: ID });
  conversation.addPending({ client_id: 'p1', content: 'keep me', created_at: '2026-01-01T00:00:00Z' });

  conversation.fail('p1', 'rate_limited');
  assert.deepEqual(conversation.pending(), []);
  assert.deepEqual(conversation.unconfirmed().map((m) => [m.content, m.state, m.reason]), [['keep me', 'failed', 'rate_limited']]);

  assert.equal(conversation.retry('p1')?.state, 'pending');
  assert.equal(conversation.pending().length, 1);

  conversation.discard('p1');
  assert.deepEqual(conversation.messages(), []);
  assert.equal(conversation.retry('p1'), undefined);
});

test('a hole is a gap until it is filled', () => {
  const conversation = new Conversation({ id: ID });
  conversation.apply({ type: 'joined', conversation_id: ID, head_seq: 0 });
  conversation.apply(message(1));
  conversation.apply(message(4));

  assert.equal(conversation.hasGap(), true);
  assert.equal(conversation.contiguousSeq(), 1);
  assert.equal(conversation.since(), 1);

  conversation.apply(message(3));
  conversation.apply(message(2));

  assert.equal(conversation.hasGap(), false);
  assert.equal(conversation.contiguousSeq(), 4);
});

test('a pong ahead of us, or behind us after a restore, asks for recovery', () => {
  const conversation = new Conversation({ id: ID });
  conversation.apply({ type: 'joined', conversation_id: ID, head_seq: 0 });
  conversation.apply(message(1));

  conversation.apply({ type: 'pong', head_seq: 1 });
  assert.equal(conversation.needsRecovery(1), false);
  assert.equal(conversation.needsRecovery(0), true);

  conversation.apply({ type: 'pong', head_seq: 3 });
  assert.equal(conversation.needsRecovery(), true);
});

test('a live message before the first history does not stand for the history', () => {
  const log = new Log();
  for (let i = 0; i < 20; i += 1) log.append();
  const conversation = new Conversation({ id: ID });
  conversation.apply(message(20));

  assert.equal(conversation.since(), undefined);
  recover(conversation, log);

  assert.deepEqual(seqs(conversation), [14, 15, 16, 17, 18, 19, 20]);
  assert.equal(conversation.before(), 14);
});

test('a first history that ends below a live message leaves a gap, whatever was counted before', () => {
  const log = new Log();
  for (let i = 0; i < 20; i += 1) log.append();
  const early = log.resume(undefined);
  for (let i = 0; i < 3; i += 1) log.append();
  const conversation = new Conversation({ id: ID });
  conversation.apply(message(23));
  assert.equal(conversation.contiguousSeq(), 23);

  conversation.apply(early);

  assert.equal(conversation.contiguousSeq(), 20);
  assert.equal(conversation.hasGap(), true);
});

test('scrolling up loads down to the first message and then asks no more', () => {
  const log = new Log();
  for (let i = 0; i < 20; i += 1) log.append();
  const conversation = new Conversation({ id: ID });
  recover(conversation, log);

  conversation.apply(log.before(conversation.before()));
  assert.equal(conversation.before(), 7);
  conversation.apply(log.before(conversation.before()));

  assert.equal(conversation.before(), null);
  assert.deepEqual(contents(conversation.confirmed()), contents(log.messages));
  assert.equal(conversation.contiguousSeq(), 20);
});

test('an edit that comes before its message wins over the older text', () => {
  const log = new Log();
  for (let i = 0; i < 10; i += 1) log.append();
  const conversation = new Conversation({ id: ID });
  recover(conversation, log);
  const stale = log.before(4);
  const edit = log.edit(2, 5000);

  conversation.apply(edit);
  conversation.apply(stale);
  assert.equal(conversation.confirmed().find((m) => m.seq === 2)?.content, 'edited 5000');

  conversation.apply({ ...message(2, { content: 'older edit', edited_at: new Date(4000).toISOString() }), type: 'message_edited' });
  assert.equal(conversation.confirmed().find((m) => m.seq === 2)?.content, 'edited 5000');
});

test('a history with reset forgets what was held and keeps what is to be sent', () => {
  const old = new Log();
  for (let i = 0; i < 9; i += 1) old.append();
  const conversation = new Conversation({ id: ID });
  conversation.apply({ type: 'joined', conversation_id: ID, head_seq: 0 });
  recover(conversation, old);
  conversation.addPending({ client_id: 'p1', content: 'mine', created_at: '2026-01-01T00:00:00Z' });
  const restored = new Log();
  for (let i = 0; i < 4; i += 1) restored.append({ content: `restored ${i}` });

  recover(conversation, restored);

  assert.deepEqual(contents(conversation.confirmed()), contents(restored.messages));
  assert.equal(conversation.headSeq, 4);
  assert.deepEqual(conversation.pending().map((m) => m.client_id), ['p1']);
});

test('delivery goes from sent to delivered to read', () => {
  const conversation = new Conversation({ id: ID });
  conversation.apply({ type: 'joined', conversation_id: ID, head_seq: 0, admins_online: 0 });
  conversation.apply(message(1));
  const mine = conversation.confirmed()[0];

  assert.equal(conversation.delivery(mine), 'sent');
  conversation.apply({ type: 'presence', conversation_id: ID, admins_online: 1 });
  assert.equal(conversation.delivery(mine), 'delivered');
  conversation.apply({ type: 'presence', conversation_id: ID, admins_online: 0 });
  assert.equal(conversation.delivery(mine), 'delivered');
  conversation.apply({ type: 'read', conversation_id: ID, reader: 'admin', seq: 1 });
  assert.equal(conversation.delivery(mine), 'read');

  conversation.apply(message(3));
  assert.equal(conversation.delivery(conversation.confirmed()[1]), 'sent');
});

test('the longest message is what the server says', () => {
  const conversation = new Conversation();
  assert.equal(conversation.maxMessageLength, null);

  conversation.apply({ type: 'history', conversation_id: ID, messages: [], head_seq: 0, max_message_len: 500 });

  assert.equal(conversation.maxMessageLength, 500);
});

test('an answer says that what stands before it was read', () => {
  const conversation = new Conversation();
  const mine = message(1, { sender: 'visitor' });
  conversation.apply(mine);

  conversation.apply(message(2, { sender: 'admin' }));

  assert.equal(conversation.delivery(mine), 'read');
});

test('a reopened conversation takes messages again', () => {
  const conversation = new Conversation();
  conversation.apply({ type: 'conversation_closed', conversation_id: ID });

  conversation.apply({ type: 'conversation_reopened', conversation_id: ID });

  assert.equal(conversation.status, 'open');
});

test('read marks only go forward', () => {
  const conversation = new Conversation({ id: ID });
  conversation.apply({ type: 'read', reader: 'admin', seq: 5 });
  conversation.apply({ type: 'read', reader: 'admin', seq: 3 });
  conversation.apply({ type: 'read', reader: '__proto__', seq: 9 });

  assert.deepEqual(conversation.read, { visitor: 0, admin: 5 });
});

test('typing ends by itself and by the message that was typed', () => {
  const conversation = new Conversation({ id: ID });
  conversation.apply({ type: 'typing', conversation_id: ID, sender: 'admin' }, 1000);
  assert.equal(conversation.isTyping('admin', 2000), true);
  assert.equal(conversation.isTyping('admin', 60_000), false);

  conversation.apply({ type: 'typing', conversation_id: ID, sender: 'admin' }, 70_000);
  conversation.apply(message(2));
  assert.equal(conversation.isTyping('admin', 70_001), false);
});

test('frames of other conversations, unknown types and rubbish change nothing', () => {
  const conversation = new Conversation({ id: ID });
  const frames = [
    null, 7, 'x', {}, { type: 'nonsense' }, { type: 'message', conversation_id: ID }, { type: 'history', conversation_id: 'other', messages: [] },
    message(1, { conversation_id: 'other' }), { type: 'conversation_deleted', conversation_id: 'other' }, { type: 'read', seq: 'x', reader: 'admin' },
  ];

  for (const frame of frames) assert.equal(conversation.apply(frame).changed, false);

  assert.deepEqual(conversation.messages(), []);
  assert.equal(conversation.status, 'open');
});

test('closing, reopening and deleting are seen', () => {
  const conversation = new Conversation({ id: ID });
  conversation.apply(message(1));
  conversation.apply({ type: 'conversation_closed', conversation_id: ID });
  assert.equal(conversation.status, 'closed');
  conversation.apply({ type: 'conversation_updated', conversation_id: ID, status: 'open', head_seq: 1 });
  assert.equal(conversation.status, 'open');
  conversation.apply({ type: 'conversation_deleted', conversation_id: ID });
  assert.equal(conversation.status, 'deleted');
  assert.deepEqual(conversation.messages(), []);
});

test('whatever is lost, doubled or shuffled on the way, recovery ends with the log', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = randomFrom(seed);
    const log = new Log();
    const before = Math.floor(random() * 30);
    for (let i = 0; i < before; i += 1) log.append();
    const conversation = new Conversation({ id: ID });
    if (random() < 0.7) recover(conversation, log);

    const frames = [];
    for (let i = 0; i < 40; i += 1) {
      if (random() < 0.2 && log.messages.length > 0) {
        frames.push(log.edit(1 + Math.floor(random() * log.messages.length), 1_000_000 + i * 1000));
      } else {
        const clientId = `s${seed}-${i}`;
        conversation.addPending({ client_id: clientId, content: 'mine', created_at: '2026-01-01T00:00:00Z' });
        frames.push(log.append({ client_id: clientId, sender: 'visitor' }));
      }
      if (random() < 0.1) frames.push(log.resume(conversation.since()));
    }
    const onTheWay = frames.filter(() => random() > 0.25).flatMap((frame) => (random() < 0.3 ? [frame, frame] : [frame]));
    onTheWay.sort(() => random() - 0.5);
    for (const frame of onTheWay) conversation.apply(frame);
    recover(conversation, log);

    const held = conversation.confirmed();
    const lost = new Set(frames.filter((frame) => frame.type === 'message_edited' && !onTheWay.includes(frame)).map((frame) => frame.seq));
    const expected = log.messages.slice(-held.length).filter((m) => !lost.has(m.seq));
    assert.deepEqual(contents(held.filter((m) => !lost.has(m.seq))), contents(expected), `seed ${seed}`);
    assert.equal(conversation.hasGap(), false, `seed ${seed}`);
    assert.equal(conversation.contiguousSeq(), log.messages.length, `seed ${seed}`);
    const confirmedIds = new Set(held.map((m) => m.client_id));
    assert.equal(conversation.pending().some((m) => confirmedIds.has(m.client_id)), false, `seed ${seed}`);
  }
});

test('a reaction is shown, changed and taken away, and may come before its message is loaded', () => {
  const log = new Log();
  for (let i = 0; i < 10; i += 1) log.append();
  const conversation = new Conversation({ id: ID });
  recover(conversation, log);
  const react = (seq, reaction) => conversation.apply({ type: 'message_reaction', conversation_id: ID, seq, reaction }).changed;
  const shown = (seq) => conversation.confirmed().find((m) => m.seq === seq)?.reaction ?? null;

  assert.equal(react(8, '👍'), true);
  assert.equal(react(8, '👍'), false);
  assert.equal(shown(8), '👍');
  react(8, '🎉');
  assert.equal(shown(8), '🎉');
  conversation.apply({ ...log.edit(8, 5000), reaction: '🎉' });
  assert.equal(shown(8), '🎉');
  react(8, null);
  assert.equal(shown(8), null);

  assert.equal(react(2, '❤'), false);
  conversation.apply(log.before(conversation.before()));
  assert.equal(shown(2), '❤');
  assert.equal(react('x', '👍'), false);
});

test('a reaction that stands in the history is shown', () => {
  const log = new Log();
  log.append({ reaction: '👍' });
  const conversation = new Conversation({ id: ID });
  recover(conversation, log);

  assert.equal(conversation.confirmed()[0].reaction, '👍');
});
