// Claims, notes, saved replies and the login that a colleague approves.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Acts } from '../../static/js/admin/acts.js';
import { Api, ApiError } from '../../static/js/admin/api.js';
import { Approval } from '../../static/js/admin/approval.js';
import { CannedReplies } from '../../static/js/admin/canned.js';
import { Inbox } from '../../static/js/admin/inbox.js';
import { Notes, noteIn } from '../../static/js/admin/notes.js';
import { parseRoute, serverStatus } from '../../static/js/admin/route.js';

const settle = () => new Promise((resolve) => setImmediate(resolve));
const item = (id, more = {}) => ({ conversation_id: id, status: 'open', created_at: '2026-11-21T12:00:00.000Z', ...more });

/** Oya's panel, with a server that answers each path as told. */
function oya(answers) {
  const told = [];
  const asked = [];
  const reply = async (method, path, body) => {
    asked.push({ method, path, body });
    const answer = answers[`${method} ${path}`];
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer(body) : answer;
  };
  const api = Object.fromEntries(['get', 'post', 'put', 'delete'].map((name) => [name, (path, body) => reply(name.toUpperCase(), path, body)]));
  const panel = {
    name: 'Oya', api, inbox: new Inbox(), route: { conversation: 'c1' }, notes: new Notes({ api, changed: () => {} }),
    go: (change) => told.push(['go', change.conversation]),
  };
  for (const id of ['c1', 'c2']) panel.inbox.put(item(id, { waiting_since: id === 'c2' ? '2026-11-21T12:00:00.000Z' : null }));
  const acts = new Acts(panel, { onFrame: () => {}, tell: (topic, detail) => topic !== 'list' && told.push([topic, detail]) });
  return { acts, panel, told, asked };
}

test('a claim is shown, and one that came too late says who was quicker', async () => {
  const { acts, panel, told } = oya({
    'POST /api/admin/conversations/c1/claim': item('c1', { claimed_by: 'Oya' }),
    'POST /api/admin/conversations/c2/claim': item('c2', { claimed_by: 'Olga' }),
    'POST /api/admin/conversations/c1/release': item('c1', { claimed_by: null }),
  });

  await acts.claim('c1');
  assert.equal(panel.inbox.get('c1').claimed_by, 'Oya');
  assert.deepEqual(told, []);

  await acts.claim('c2');
  assert.equal(panel.inbox.get('c2').claimed_by, 'Olga');
  assert.deepEqual(told, [['lost', 'Olga']]);

  await acts.release('c1');
  assert.equal(panel.inbox.get('c1').claimed_by, null);
});

test('the list can be cut down to what is mine and to what is nobody’s', () => {
  const inbox = new Inbox();
  for (const [id, claimed_by] of [['a', 'Oya'], ['b', 'Olga'], ['c', undefined]]) inbox.put(item(id, { claimed_by }));
  const ids = (status) => inbox.list({ status: serverStatus(status), claim: status, me: 'Oya' }).map((held) => held.conversation_id);

  assert.deepEqual(ids(parseRoute('?status=mine').status), ['a']);
  assert.deepEqual(ids(parseRoute('?status=unclaimed').status), ['c']);
  assert.deepEqual(ids(parseRoute('').status), ['a', 'b', 'c']);
  assert.equal(serverStatus('closed'), 'closed');
});

test('a ban closes the conversation and the next one that waits opens', async () => {
  const { acts, panel, told } = oya({ 'POST /api/admin/conversations/c1/ban': item('c1', { status: 'closed', tags: ['banned'] }) });

  assert.equal(await acts.ban('c1'), true);

  assert.deepEqual(panel.inbox.get('c1').tags, ['banned']);
  assert.deepEqual(told, [['go', 'c2']]);
});

test('what was refused is said and changes nothing', async () => {
  const { acts, panel, told } = oya({ 'POST /api/admin/conversations/c1/ban': new ApiError({ code: 'network' }) });

  assert.equal(await acts.ban('c1'), false);

  assert.equal(panel.inbox.get('c1').status, 'open');
  assert.deepEqual(told, [['refused', 'network']]);
});

const note = (seq, content, via = 'web') => ({ conversation_id: 'c1', seq, id: `n${seq}`, author: 'Olga', via, content, created_at: '2026-11-21T12:00:00.000Z' });

test('notes stand in their order whichever way they came, each once', async () => {
  const { panel: { notes } } = oya({ 'GET /api/admin/conversations/c1/notes': { items: [note(1, 'first'), note(2, 'second')] } });
  notes.apply({ type: 'note_added', conversation_id: 'c1', note: note(9, 'of a conversation that nobody opened') });
  const opened = notes.open('c1');
  notes.apply({ type: 'note_added', conversation_id: 'c1', note: note(3, 'third', 'telegram') });
  notes.apply({ type: 'note_added', conversation_id: 'c1', note: note(2, 'second') });
  notes.apply({ type: 'note_added', conversation_id: 'c1' });
  await opened;

  assert.deepEqual(notes.list('c1').map(({ content }) => content), ['first', 'second', 'third']);
  assert.equal(notes.state('c1'), 'ready');
});

test('a note whose answer was lost keeps its id, so that it is stored once', async () => {
  let lost = true;
  const { acts, panel, asked, told } = oya({
    'POST /api/admin/conversations/c1/notes': ({ content }) => {
      if (lost) throw new ApiError({ code: 'network' });
      return { note: note(1, content) };
    },
  });

  assert.equal(await acts.note('c1', 'call back'), false);
  lost = false;
  assert.equal(await acts.note('c1', 'call back'), true);
  assert.equal(await acts.note('c1', 'call back'), true);

  const ids = asked.map(({ body }) => body.client_id);
  assert.equal(ids[0], ids[1]);
  assert.notEqual(ids[1], ids[2]);
  assert.deepEqual(told, [['refused', 'network']]);
  assert.deepEqual(panel.notes.list('c1').map(({ content }) => content), ['call back']);
});

test('a line that begins with two slashes is a note, as in Telegram', () => {
  assert.equal(noteIn('// call back '), 'call back');
  assert.equal(noteIn('//'), '');
  for (const text of ['/hello', 'see https://example.com', ' // no', '']) assert.equal(noteIn(text), null, text);
});

test('saved replies are found by what is typed after the slash', async () => {
  const { panel: { api } } = oya({ 'GET /api/admin/canned': { items: [{ name: 'refund', content: 'b' }, { name: 'hello', content: 'a' }, { name: 're', content: 'c' }] } });
  const canned = new CannedReplies({ api });
  await canned.load();
  const names = (text) => canned.matching(text)?.map(({ name }) => name) ?? null;

  assert.deepEqual(names('/'), ['hello', 're', 'refund']);
  assert.deepEqual(names('/RE'), ['re', 'refund']);
  assert.deepEqual(names('/un'), ['refund']);
  assert.deepEqual(names('/nothing'), []);
  for (const text of ['', 'hello', 'a /re', '//re', '/re fund', '/re\n']) assert.equal(names(text), null, text);
});

test('a saved reply under a new name leaves none under the old', async () => {
  const { panel: { api }, asked } = oya({ 'GET /api/admin/canned': { items: [] } });
  const canned = new CannedReplies({ api });

  await canned.save({ name: 'bye', content: 'Good bye' }, 'hello');
  await canned.save({ name: 'bye', content: 'Bye' }, 'bye');

  assert.deepEqual(asked.filter(({ method }) => method !== 'GET').map(({ method, path, body }) => [method, path, body]), [
    ['PUT', '/api/admin/canned/bye', { content: 'Good bye' }],
    ['DELETE', '/api/admin/canned/hello', undefined],
    ['PUT', '/api/admin/canned/bye', { content: 'Bye' }],
  ]);
});

/** A login page that waits for approval, with a clock that the test turns. */
function waiting(...answers) {
  const world = { asked: [], timers: [], visible: true, ended: [] };
  world.approval = new Approval({
    api: {
      post: async (path, body) => {
        world.asked.push([path, body]);
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    onApproved: ({ token }) => world.ended.push(token),
    onRefused: () => world.ended.push('refused'),
  }, {
    visible: () => world.visible,
    setTimeout: (run, ms) => world.timers.push({ run, ms }),
    clearTimeout: () => world.timers.pop(),
  });
  world.pass = async () => {
    world.timers.pop()?.run();
    await settle();
  };
  return world;
}

test('the browser logs in by itself once somebody has approved', async () => {
  const world = waiting({ approved: false }, { approved: true, token: 't1' });
  world.approval.start('Oya');
  assert.equal(world.timers[0].ms, 2000);
  await world.pass();
  await world.pass();
  await world.pass();

  assert.deepEqual(world.asked, [['/api/admin/login/approval', { name: 'Oya' }], ['/api/admin/login/approval', { name: 'Oya' }]]);
  assert.deepEqual(world.ended, ['t1']);
});

test('a denied login is said once; a busy server is asked when it wants to be', async () => {
  const busy = new ApiError({ code: 'rate_limited', retryAfter: 20 });
  const world = waiting(new ApiError({ code: 'network' }), busy, new ApiError({ code: 'unauthorized' }));
  world.approval.start('');
  const waits = [];
  for (let i = 0; i < 4; i += 1) {
    waits.push(world.timers[0]?.ms);
    await world.pass();
  }

  assert.deepEqual(waits, [2000, 2000, 20_000, undefined]);
  assert.deepEqual(world.asked[0], ['/api/admin/login/approval', {}]);
  assert.deepEqual(world.ended, ['refused']);
});

test('nobody asks from a page that is not looked at, or after the code was typed', async () => {
  const world = waiting({ approved: true, token: 't1' });
  world.approval.start('Oya');
  world.visible = false;
  await world.pass();
  assert.deepEqual(world.asked, []);
  world.visible = true;
  const late = world.pass();
  world.approval.stop();
  await late;

  assert.deepEqual(world.ended, []);
  assert.equal(world.timers.length, 0);
});

test('a file is asked for with the session, and its token is replaced on the way', async () => {
  const grants = [];
  const asked = [];
  const session = { token: 't1', rotate: (used, next) => grants.push([used, next]) };
  const api = new Api({
    session,
    fetch: async (url, { headers }) => {
      asked.push([url, headers.Authorization, headers.Range]);
      return new Response('{"error":"not_found"}', { status: 404, headers: { 'X-New-Token': 't2', 'Retry-After': '2' } });
    },
  });

  const response = await api.file('/files/c1/a1', 'bytes=0-9');

  assert.deepEqual(asked, [['/files/c1/a1', 'Bearer t1', 'bytes=0-9']]);
  assert.deepEqual(grants, [['t1', 't2']]);
  assert.equal(response.headers.get('Retry-After'), '2');
});
