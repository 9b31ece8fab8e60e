import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Inbox, holdRow, waitingClass } from '../../static/js/admin/inbox.js';

const OPEN = { status: 'open' };
const ALL = { status: 'all' };
const at = (minute) => `2026-11-21T12:${String(minute).padStart(2, '0')}:00.000Z`;

function item(id, minute, more = {}) {
  return {
    conversation_id: id, site: 'default', visitor_name: id.toUpperCase(), status: 'open', created_at: at(0),
    last_activity_at: at(minute), last_message: null, head_seq: 0, unread: 0, tags: [], online: false,
    waiting_since: null, read: { visitor: 0, admin: 0 }, ...more,
  };
}

function message(id, seq, minute, sender = 'visitor', content = `text ${seq}`) {
  return { type: 'message', conversation_id: id, id: `${id}${seq}`, seq, sender, content, created_at: at(minute) };
}

function inboxOf(...items) {
  const inbox = new Inbox();
  inbox.apply({ type: 'conversations', items }, 0);
  return inbox;
}

const ids = (list) => list.map((entry) => entry.conversation_id);

test('a new conversation stands on top and a message lifts its own', () => {
  const inbox = inboxOf(item('a', 1), item('b', 2));

  inbox.apply({ type: 'conversation_opened', ...item('c', 3) }, 0);
  inbox.apply(message('a', 1, 4), 0);

  assert.deepEqual(ids(inbox.list(OPEN)), ['a', 'c', 'b']);
});

test('unread is what stands above the mark, whatever order frames come in', () => {
  const frames = [message('a', 1, 1), message('a', 2, 2), message('a', 3, 3), { type: 'read', conversation_id: 'a', reader: 'admin', seq: 2 }];
  for (const order of permutations(frames)) {
    const inbox = inboxOf(item('a', 0));
    for (const frame of [...order, ...order]) inbox.apply(frame, 0);

    assert.equal(inbox.get('a').unread, 1);
    assert.equal(inbox.get('a').last_message.seq, 3);
  }
});

test('a visitor waits since the oldest message without an answer', () => {
  const inbox = inboxOf(item('a', 0));

  inbox.apply(message('a', 1, 1), 0);
  inbox.apply(message('a', 2, 5), 0);
  assert.equal(inbox.get('a').waiting_since, at(1));

  inbox.apply(message('a', 3, 6, 'admin'), 0);
  assert.equal(inbox.get('a').waiting_since, null);
  assert.equal(inbox.get('a').unread, 0);
});

test('a system message neither starts nor ends the waiting', () => {
  const inbox = inboxOf(item('a', 0));
  inbox.apply(message('a', 1, 1, 'system'), 0);
  assert.equal(inbox.get('a').waiting_since, null);

  inbox.apply(message('a', 2, 2), 0);
  inbox.apply(message('a', 3, 3, 'system'), 0);
  assert.equal(inbox.get('a').waiting_since, at(2));
});

test('a list answer that was overtaken by pushes does not take them back', () => {
  const inbox = inboxOf(item('a', 0));
  inbox.apply(message('a', 1, 5), 0);
  inbox.apply({ type: 'read', conversation_id: 'a', reader: 'visitor', seq: 1 }, 0);

  inbox.apply({ type: 'conversations', items: [item('a', 0, { tags: ['billing'] })] }, 0);

  assert.equal(inbox.get('a').head_seq, 1);
  assert.equal(inbox.get('a').waiting_since, at(5));
  assert.equal(inbox.get('a').read.visitor, 1);
  assert.deepEqual(inbox.get('a').tags, ['billing']);
});

test('closed leaves the open list, reopened returns, deleted is gone', () => {
  const inbox = inboxOf(item('a', 1, { waiting_since: at(1) }), item('b', 2));

  inbox.apply({ type: 'conversation_closed', conversation_id: 'a' }, 0);
  assert.deepEqual(ids(inbox.list(OPEN)), ['b']);
  assert.deepEqual(ids(inbox.list({ status: 'closed' })), ['a']);
  assert.equal(inbox.nextWaiting(null), null);

  inbox.apply({ type: 'conversation_updated', ...item('a', 1) }, 0);
  assert.deepEqual(ids(inbox.list(OPEN)), ['b', 'a']);

  inbox.apply({ type: 'conversation_deleted', conversation_id: 'b' }, 0);
  assert.equal(inbox.get('b'), null);
});

test('frames about conversations that are not held change nothing', () => {
  const inbox = inboxOf(item('a', 1));

  for (const type of ['presence', 'read', 'typing', 'conversation_closed', 'conversation_deleted', 'message', 'message_edited']) {
    inbox.apply({ type, conversation_id: 'elsewhere', reader: 'admin', seq: 1 }, 0);
  }
  inbox.apply({ type: 'conversation_updated' }, 0);

  assert.equal(inbox.apply({ type: 'pong' }, 0), false);
  assert.deepEqual(ids(inbox.list(ALL)), ['a']);
});

test('typing ends by itself and at the message', () => {
  const inbox = inboxOf(item('a', 1));

  inbox.apply({ type: 'typing', conversation_id: 'a', sender: 'visitor' }, 1000);
  assert.equal(inbox.isTyping('a', 6999), true);
  assert.equal(inbox.isTyping('a', 7000), false);

  inbox.apply({ type: 'typing', conversation_id: 'a', sender: 'visitor' }, 8000);
  inbox.apply(message('a', 1, 2), 8100);
  assert.equal(inbox.isTyping('a', 8200), false);
});

test('only an edit of the newest message changes the preview', () => {
  const inbox = inboxOf(item('a', 1));
  inbox.apply(message('a', 1, 1), 0);
  inbox.apply(message('a', 2, 2), 0);

  inbox.apply({ ...message('a', 1, 1, 'visitor', 'old'), type: 'message_edited' }, 0);
  assert.equal(inbox.get('a').last_message.preview, 'text 2');

  inbox.apply({ ...message('a', 2, 2, 'visitor', 'new\n\n text'), type: 'message_edited' }, 0);
  assert.equal(inbox.get('a').last_message.preview, 'new text');
});

test('a preview is cut between characters, never inside one', () => {
  const inbox = inboxOf(item('a', 1));

  inbox.apply(message('a', 1, 1, 'visitor', '🙂'.repeat(500)), 0);

  assert.equal(inbox.get('a').last_message.preview, '🙂'.repeat(140));
});

test('the list is filtered by status, tag, site and words', () => {
  const inbox = inboxOf(
    item('a', 1, { tags: ['billing'], visitor_name: 'İpek' }),
    item('b', 2, { site: 'shop', last_message: { seq: 1, sender: 'visitor', preview: 'Süresi doldu', created_at: at(2) } }),
    item('c', 3, { status: 'closed' }),
  );

  assert.deepEqual(ids(inbox.list({ status: 'open', tag: 'billing' })), ['a']);
  assert.deepEqual(ids(inbox.list({ status: 'all', site: 'shop' })), ['b']);
  assert.deepEqual(ids(inbox.list({ status: 'all', text: 'ipek' })), ['a']);
  assert.deepEqual(ids(inbox.list({ status: 'all', text: 'suresi' })), ['b']);
  assert.deepEqual(inbox.tags(), ['billing']);
  assert.deepEqual(inbox.sites(), ['default', 'shop']);
});

test('the next conversation is the one that waits longest', () => {
  const inbox = inboxOf(
    item('a', 9, { waiting_since: at(5) }), item('b', 8, { waiting_since: at(3) }),
    item('c', 7, { waiting_since: at(1), status: 'closed' }), item('d', 6),
  );

  assert.equal(inbox.nextWaiting(null).conversation_id, 'b');
  assert.equal(inbox.nextWaiting('b').conversation_id, 'a');
});

test('the first page takes away what was deleted while nobody told us', () => {
  const inbox = inboxOf(item('a', 9), item('b', 8), item('c', 3), item('d', 9, { status: 'closed' }));

  inbox.reconcile([item('a', 9), item('e', 5)], OPEN, true);

  assert.deepEqual(ids(inbox.list(ALL)), ['a', 'd', 'e', 'c']);

  inbox.reconcile([item('a', 9)], OPEN, false);
  assert.deepEqual(ids(inbox.list(OPEN)), ['a']);
});

test('the row under the pointer stays where it is', () => {
  const order = [item('c', 3), item('a', 2), item('b', 1)];

  assert.deepEqual(ids(holdRow(order, 'a', 0)), ['a', 'c', 'b']);
  assert.deepEqual(ids(holdRow(order, 'c', 9)), ['a', 'b', 'c']);
  assert.deepEqual(ids(holdRow(order, 'gone', 1)), ['c', 'a', 'b']);
});

test('waiting is told in three steps', () => {
  const now = Date.parse(at(30));

  assert.equal(waitingClass(null, now), null);
  assert.equal(waitingClass('yesterday', now), null);
  assert.equal(waitingClass(at(29), now), 'short');
  assert.equal(waitingClass(at(28), now), 'medium');
  assert.equal(waitingClass(at(20), now), 'long');
});

function permutations(values) {
  if (values.length < 2) return [values];
  return values.flatMap((value, index) => permutations(values.toSpliced(index, 1)).map((rest) => [value, ...rest]));
}
