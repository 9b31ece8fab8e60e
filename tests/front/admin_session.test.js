import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Api, queryString } from '../../static/js/admin/api.js';
import { Session } from '../../static/js/admin/session.js';

/** What two tabs of one browser share. */
function sharedStore() {
  const held = new Map();
  return {
    get: (key) => (held.has(key) ? JSON.parse(held.get(key)) : null),
    set: (key, value) => held.set(key, JSON.stringify(value)),
    remove: (key) => held.delete(key),
  };
}

function loggedIn(store = sharedStore()) {
  const session = new Session(store);
  session.begin({ token: 't1', name: 'Oya', expires_at: '2026-11-22T00:00:00.000Z' });
  return session;
}

/** A server that answers from a list and remembers what it was asked. */
function server(...answers) {
  const asked = [];
  const fetch = async (url, options) => {
    asked.push({ url, method: options.method, token: options.headers.Authorization ?? null, body: options.body ?? null });
    const { status = 200, body = {}, headers = {} } = answers.shift();
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
  };
  return { asked, fetch };
}

test('a session outlives a reload and ends for every tab', () => {
  const store = sharedStore();
  const first = loggedIn(store);
  const second = new Session(store);
  assert.equal(second.token, 't1');
  assert.equal(second.name, 'Oya');

  first.end();
  const told = [];
  second.onChange((active) => told.push(active));
  second.refresh();

  assert.deepEqual(told, [false]);
  assert.equal(second.active, false);
});

test('a damaged store is no session', () => {
  for (const value of [7, 'x', [], {}, { token: '' }, { token: 5 }]) {
    const store = sharedStore();
    store.set('session', value);
    assert.equal(new Session(store).active, false);
  }
});

test('the replaced token is used from the next request on and reaches the other tab', async () => {
  const store = sharedStore();
  const session = loggedIn(store);
  const other = new Session(store);
  const { asked, fetch } = server({ headers: { 'X-New-Token': 't2' } }, {});
  const api = new Api({ session, fetch });

  await api.get('/api/admin/conversations');
  await api.post('/api/admin/ws_ticket');
  other.refresh();

  assert.deepEqual(asked.map((request) => request.token), ['Bearer t1', 'Bearer t2']);
  assert.equal(other.token, 't2');
});

test('the late answer to an old token does not undo a newer one', () => {
  const session = loggedIn();

  session.rotate('t1', 't2');
  session.rotate('t1', 'late');

  assert.equal(session.token, 't2');
});

test('a refused token is tried once more when another tab has replaced it', async () => {
  const store = sharedStore();
  const session = loggedIn(store);
  new Session(store).rotate('t1', 't2');
  const { asked, fetch } = server({ status: 401, body: { error: 'unauthorized' } }, { body: { ok: true } });
  const api = new Api({ session, fetch });

  assert.deepEqual(await api.post('/api/admin/ws_ticket'), { ok: true });
  assert.deepEqual(asked.map((request) => request.token), ['Bearer t1', 'Bearer t2']);
  assert.equal(session.active, true);
});

test('a refused token ends the session', async () => {
  const session = loggedIn();
  const api = new Api({ session, fetch: server({ status: 401, body: { error: 'unauthorized', detail: 'Log in.' } }).fetch });

  await assert.rejects(api.get('/api/admin/conversations'), { code: 'unauthorized', detail: 'Log in.', status: 401 });
  assert.equal(session.active, false);
});

test('a wrong code at login is an error and no end of anything', async () => {
  const session = new Session(sharedStore());
  const told = [];
  session.onChange((active) => told.push(active));
  const api = new Api({ session, fetch: server({ status: 401, body: { error: 'unauthorized' } }).fetch });

  await assert.rejects(api.post('/api/admin/login', { code: '000000' }), { code: 'unauthorized' });
  assert.deepEqual(told, []);
});

test('errors carry code, detail and the seconds to wait', async () => {
  const session = loggedIn();
  const answers = [
    { status: 429, body: { error: 'rate_limited', detail: 'Wait.' }, headers: { 'Retry-After': '17' } },
    { status: 502, body: '<html>proxy</html>' },
    { status: 200, body: 'no json' },
  ];
  const api = new Api({ session, fetch: server(...answers).fetch });

  await assert.rejects(api.post('/api/admin/request_otp'), { code: 'rate_limited', retryAfter: 17 });
  await assert.rejects(api.get('/x'), { code: 'internal', status: 502, retryAfter: null });
  await assert.rejects(api.get('/x'), { code: 'internal', status: 200 });
});

test('a server out of reach is told apart from one that refuses', async () => {
  const api = new Api({ session: loggedIn(), fetch: async () => { throw new TypeError('Failed to fetch'); } });

  await assert.rejects(api.get('/x'), { code: 'network', status: 0 });
});

test('the token never stands in an address', async () => {
  const { asked, fetch } = server({});
  const api = new Api({ session: loggedIn(), fetch });

  await api.get('/api/admin/search', { q: 'a&b=ç', limit: 20, cursor: null });

  assert.equal(asked[0].url, '/api/admin/search?q=a%26b%3D%C3%A7&limit=20');
  assert.equal(queryString({ q: '' }), '');
});
