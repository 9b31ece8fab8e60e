import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { readFileSync } from 'node:fs';

import { TelegramWay } from '../../static/js/admin/telegram.js';
import { troubleWords } from '../../static/js/admin/telegram_words.js';
import { useTexts } from '../../static/js/i18n.js';

before(() => useTexts('en', JSON.parse(readFileSync(new URL('../../static/locales/en.json', import.meta.url), 'utf8'))));

const settle = () => new Promise((resolve) => setImmediate(resolve));
const at = (second) => new Date(second * 1000).toISOString();

/** A panel whose conversation has so many messages, a server that answers as told, a clock that the test turns. */
function desk(answer, headSeq = 5) {
  const world = { second: 0, head: headSeq, asked: [], timers: [], answer };
  const api = {
    get: async (path) => {
      world.asked.push(path);
      if (world.answer === null) throw new Error('no connection');
      return world.answer;
    },
  };
  world.way = new TelegramWay({ api, headSeq: () => world.head, changed: () => {} }, {
    now: () => world.second * 1000,
    setTimeout: (run, ms) => {
      world.timers = [{ run, ms }];
      return 1;
    },
    clearTimeout: () => {
      world.timers = [];
    },
  });
  world.words = (seq) => troubleWords(world.way.trouble('c1', seq), null);
  world.pass = async () => {
    world.timers.pop()?.run();
    await settle();
  };
  return world;
}

const well = { enabled: true, sent_seq: 5, failures: [], paused_until: null };

test('when all is well no message says a word about Telegram', async () => {
  const { way, words, timers, asked } = desk(well);
  await way.open('c1');

  assert.deepEqual(asked, ['/api/admin/conversations/c1/telegram']);
  assert.deepEqual([1, 2, 3, 4, 5].map(words), ['', '', '', '', '']);
  assert.equal(way.summary('c1'), 'sent');
  assert.equal(timers.length, 0);
});

test('a flood limit is told in seconds under the newest message, and counts down', async () => {
  const world = desk({ ...well, sent_seq: 3, paused_until: at(30) });
  await world.way.open('c1');

  assert.equal(world.words(5), 'Telegram: waiting 30 s (flood limit)');
  assert.equal(world.words(4), '');
  assert.equal(world.way.ticks('c1'), true);
  assert.equal(troubleWords(world.way.trouble('c1', 5), { code: 'telegram_down' }), 'Telegram: waiting 30 s (no answer)');
  assert.equal(troubleWords(world.way.trouble('c1', 5), { code: 'telegram_forbidden' }), 'Telegram: waiting 30 s (see the notice above)');
  assert.equal(troubleWords(world.way.trouble('c1', 5), { code: 'telegram_rights' }), 'Telegram: waiting 30 s (flood limit)');

  world.second = 29;
  assert.equal(world.words(5), 'Telegram: waiting 1 s (flood limit)');
  world.second = 31;
  assert.equal(world.words(5), '');
  assert.equal(world.way.ticks('c1'), false);
  assert.equal(world.way.summary('c1'), 'queued');
});

test('a message that Telegram did not take says so and why, the others stay quiet', async () => {
  const { way, words } = desk({ ...well, failures: [{ seq: 2, reason: 'message is too long' }] });
  await way.open('c1');

  assert.equal(words(2), 'Telegram: not delivered – message is too long');
  assert.equal(words(5), '');
});

test('six seconds after the last message somebody asks, and goes on asking ever more slowly while it is queued', async () => {
  const world = desk(well);
  await world.way.open('c1');
  world.head = 7;
  world.way.apply({ type: 'message', conversation_id: 'c1', seq: 6 });
  world.way.apply({ type: 'message', conversation_id: 'c1', seq: 7 });
  world.way.apply({ type: 'message', conversation_id: 'elsewhere', seq: 9 });
  assert.equal(world.timers[0].ms, 6000);
  assert.equal(world.way.summary('c1'), 'queued');

  const waits = [];
  for (let i = 0; i < 5; i += 1) {
    await world.pass();
    waits.push(world.timers[0].ms);
  }
  assert.deepEqual(waits, [6000, 12_000, 24_000, 48_000, 60_000]);

  world.answer = { ...well, sent_seq: 7 };
  await world.pass();
  assert.equal(world.way.summary('c1'), 'sent');
  assert.equal(world.timers.length, 0);
  assert.equal(world.asked.length, 7);
});

test('a pushed status is shown at once, and one that was overtaken takes nothing back', async () => {
  const { way, words } = desk({ ...well, sent_seq: 4 });
  await way.open('c1');

  way.apply({ type: 'telegram_status', conversation_id: 'c1', sent_seq: 3, failures: [{ seq: 3, reason: 'blocked' }], paused_until: null });
  assert.equal(words(3), 'Telegram: not delivered – blocked');

  way.apply({ type: 'telegram_status', conversation_id: 'c1', sent_seq: 5, failures: [], paused_until: null });
  assert.equal(words(3), '');
  assert.equal(way.summary('c1'), 'sent');
});

test('without Telegram nobody asks twice', async () => {
  const { way, asked, timers, words } = desk({ enabled: false, sent_seq: 0, failures: [], paused_until: null });
  await way.open('c1');
  way.apply({ type: 'message', conversation_id: 'c1', seq: 6 });
  await way.open('c2');

  assert.equal(asked.length, 1);
  assert.equal(timers.length, 0);
  assert.equal(way.summary('c1'), null);
  assert.equal(words(5), '');
});

test('nothing is claimed while nothing is known', async () => {
  const { way, words } = desk(null);
  await way.open('c1');

  assert.equal(way.summary('c1'), null);
  assert.equal(words(5), '');
  assert.equal(way.summary(null), null);
});
