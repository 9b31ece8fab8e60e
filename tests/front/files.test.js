import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Files, inAlbums, kindOf } from '../../static/js/files.js';

const PATH = '/files/c1/a1';
const answer = (status, headers = {}, body = 'bytes') => new Response(body, { status, headers });
const settle = async () => {
  for (let i = 0; i < 8; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A page with a server that answers from a list, and a clock that the test turns. */
function page(...answers) {
  const asked = [];
  const ranges = [];
  const timers = [];
  const blobs = new Map();
  const states = [];
  const files = new Files({
    open: async (path, range) => {
      asked.push(path);
      ranges.push(range);
      const next = answers.shift();
      if (next instanceof Error) throw next;
      return next;
    },
    onChange: (path) => states.push(files.get(path).state),
  }, {
    createObjectURL: (blob) => {
      const url = `blob:${blobs.size}`;
      blobs.set(url, blob);
      return url;
    },
    revokeObjectURL: (url) => blobs.delete(url),
    setTimeout: (run, ms) => timers.push({ run, ms }),
    clearTimeout: (timer) => timers.splice(timer - 1, 1),
  });
  return { files, asked, ranges, timers, blobs, states };
}

test('a picture is fetched once and shown under an address of this page', async () => {
  const { files, asked, blobs, states } = page(answer(200, { 'Content-Type': 'image/png' }));

  files.load(PATH);
  files.load(PATH);
  await settle();
  files.load(PATH);

  assert.deepEqual(asked, [PATH]);
  assert.deepEqual(states, ['loading', 'ready']);
  assert.equal(files.get(PATH).kind, 'image');
  assert.equal(blobs.get(files.get(PATH).url).type, 'image/png');
});

test('a large file comes in parts and is one again', async () => {
  const part = (from, body, total = 11) => answer(206, { 'Content-Type': 'image/png', 'Content-Range': `bytes ${from}-${from + body.length - 1}/${total}` }, body);
  const { files, ranges, blobs } = page(part(0, 'hello '), part(6, 'big'), part(9, 'ly'), part(0, 'half', 8), answer(429, { 'Retry-After': '9' }));

  files.load(PATH);
  await settle();
  await settle();
  assert.equal(await blobs.get(files.get(PATH).url).text(), 'hello bigly');
  assert.deepEqual(ranges, ['bytes=0-4194303', 'bytes=6-4194309', 'bytes=9-4194312']);

  files.load('/files/c1/a2');
  await settle();
  await settle();
  assert.equal(files.get('/files/c1/a2').state, 'failed');
});

test('only what the server vouches for is shown in place; a page or a drawing with scripts is mere bytes', async () => {
  for (const type of ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']) assert.equal(kindOf(type), 'image');
  for (const type of ['audio/ogg', 'audio/mpeg']) assert.equal(kindOf(type), 'audio');
  for (const type of ['image/svg+xml', 'text/html', 'application/xhtml+xml', 'image/png/html', 'audio/', 'video/mp4', '']) {
    const { files, blobs } = page(answer(200, { 'Content-Type': type || 'application/octet-stream' }));
    files.load(PATH);
    await settle();
    assert.equal(files.get(PATH).kind, 'file', type);
    assert.equal(blobs.get(files.get(PATH).url).type, 'application/octet-stream', type);
  }
});

test('what is still on its way is asked for again, when the server said and slower each time', async () => {
  const later = () => answer(404, { 'Retry-After': '2' });
  const { files, asked, timers, states } = page(later(), later(), later(), answer(429, { 'Retry-After': '40' }), answer(200, { 'Content-Type': 'audio/ogg' }));

  files.load(PATH);
  await settle();
  for (let i = 0; i < 4; i += 1) {
    timers.at(-1).run();
    await settle();
  }

  assert.deepEqual(timers.map(({ ms }) => ms), [2000, 2250, 3375, 40_000]);
  assert.equal(asked.length, 5);
  assert.deepEqual(states, ['loading', 'waiting', 'waiting', 'waiting', 'waiting', 'ready']);
});

test('nobody waits for ever: after some minutes it is said, and can be asked for again', async () => {
  const { files, timers } = page(...Array.from({ length: 21 }, () => answer(404, { 'Retry-After': '2' })), answer(200, { 'Content-Type': 'image/gif' }));
  files.load(PATH);
  await settle();
  while (files.get(PATH).state === 'waiting') {
    timers.at(-1).run();
    await settle();
  }
  assert.equal(files.get(PATH).state, 'failed');
  assert.ok(timers.reduce((sum, { ms }) => sum + ms, 0) > 5 * 60_000);

  files.load(PATH);
  await settle();
  assert.equal(files.get(PATH).state, 'ready');
});

test('a refusal and a lost connection are failures that can be tried again', async () => {
  const { files } = page(answer(404), new Error('no connection'), answer(500, { 'Retry-After': '1' }), answer(200, { 'Content-Type': 'image/png' }));
  for (let i = 0; i < 3; i += 1) {
    files.load(PATH);
    await settle();
    assert.equal(files.get(PATH).state, 'failed');
  }
  files.load(PATH);
  await settle();
  assert.equal(files.get(PATH).state, 'ready');
});

test('no other address ever sees the credentials', async () => {
  for (const path of ['https://evil.example/files/c1/a1', '//evil.example/files/c/a', '/files/../api/admin/session', '/api/admin/session', '/files/c1/a1?x', 'files/c1/a1', '']) {
    const { files, asked } = page();
    files.load(path);
    await settle();
    assert.deepEqual(asked, [], path);
    assert.equal(files.get(path).state, 'failed', path);
  }
});

test('whoever leaves the conversation lets go of its files, and of those still on their way', async () => {
  const { files, blobs, timers, states } = page(answer(200, { 'Content-Type': 'image/png' }), answer(404, { 'Retry-After': '2' }), answer(200, { 'Content-Type': 'image/png' }));
  files.load(PATH);
  files.load('/files/c1/a2');
  await settle();
  files.load('/files/c1/a3');

  files.clear();
  await settle();

  assert.equal(blobs.size, 0);
  assert.equal(timers.length, 0);
  assert.equal(files.get(PATH).state, 'idle');
  assert.equal(states.at(-1), 'loading');
});

test('files of one album that follow each other stand together', () => {
  const file = (seq, album, sender = 'admin') => ({ seq, sender, file: { name: `${seq}.png`, url: `/files/c/${seq}`, album } });
  const text = { seq: 3, sender: 'admin', file: null };

  const groups = inAlbums([file(1, 'x'), file(2, 'x'), text, file(4, 'x'), file(5), file(6), file(7, 'y'), file(8, 'y', 'visitor'), file(9, 'y', 'visitor')]);

  assert.deepEqual(groups.map((group) => group.map(({ seq }) => seq)), [[1, 2], [3], [4], [5], [6], [7], [8, 9]]);
});
