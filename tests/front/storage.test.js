import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storage } from '../../static/js/storage.js';
import { visitorSession } from '../../static/js/visitor/session.js';

class Backend {
  kept = new Map();
  getItem(name) { return this.kept.get(name) ?? null; }
  setItem(name, value) { this.kept.set(name, value); }
  removeItem(name) { this.kept.delete(name); }
}

test('values are kept under their namespace', () => {
  const backend = new Backend();
  assert.equal(storage('a', backend).set('key', { deep: [1] }), true);
  assert.deepEqual(storage('a', backend).get('key'), { deep: [1] });
  assert.equal(storage('b', backend).get('key'), null);
  storage('a', backend).remove('key');
  assert.equal(backend.kept.size, 0);
});

test('a damaged value is as good as none', () => {
  const backend = new Backend();
  backend.setItem('parley.a.key', '{"cut of');
  assert.equal(storage('a', backend).get('key', 'else'), 'else');
});

test('without storage, or with a full one, this tab remembers by itself', () => {
  const full = new Backend();
  full.setItem = () => { throw new Error('QuotaExceededError'); };
  for (const backend of [null, full]) {
    const kept = storage('a', backend);
    assert.equal(kept.set('key', 7), false);
    assert.equal(kept.get('key'), 7);
    kept.remove('key');
    assert.equal(kept.get('key'), null);
  }
});

test('a newer value that did not fit is not hidden by the older one', () => {
  const backend = new Backend();
  const kept = storage('a', backend);
  kept.set('key', 'old');
  backend.setItem = () => { throw new Error('QuotaExceededError'); };
  kept.set('key', 'new');
  assert.equal(kept.get('key'), 'new');

  delete backend.setItem;
  assert.equal(kept.set('key', 'newest'), true);
  assert.equal(kept.get('key'), 'newest');
});

test('two tabs keep their unsent messages beside each other', () => {
  const backend = new Backend();
  const one = visitorSession(storage('visitor', backend));
  const two = visitorSession(storage('visitor', backend));
  one.keepUnconfirmed({ client_id: 'b', content: 'second', created_at: '2026-01-01T00:00:02Z' });
  two.keepUnconfirmed({ client_id: 'a', content: 'first', created_at: '2026-01-01T00:00:01Z' });
  assert.deepEqual(one.unconfirmed().map((message) => message.content), ['first', 'second']);

  two.forgetUnconfirmed('b');
  two.forgetUnconfirmed('b');
  assert.deepEqual(one.unconfirmed().map((message) => message.client_id), ['a']);
});

test('a session without its token is none', () => {
  const kept = storage('visitor', new Backend());
  kept.set('session', { conversation_id: 'c' });
  kept.set('unconfirmed', ['rubbish', null]);
  assert.equal(visitorSession(kept).load(), null);
  assert.deepEqual(visitorSession(kept).unconfirmed(), []);
});
