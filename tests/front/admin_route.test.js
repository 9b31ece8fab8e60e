import assert from 'node:assert/strict';
import { test } from 'node:test';

import { deviceParts, webAddress } from '../../static/js/admin/device.js';
import { Outbox } from '../../static/js/admin/outbox.js';
import { START, formatRoute, parseRoute } from '../../static/js/admin/route.js';
import { axisTop, fillDays, figure, summarize } from '../../static/js/admin/statistics.js';

test('every address reads back as what it was written from', () => {
  const routes = [
    START,
    { ...START, status: 'closed', tag: 'a b', site: 'shop', q: 'x&y=ş' },
    { ...START, conversation: '01J/…', message: 12 },
    { ...START, view: 'statistics', days: 7 },
    { ...START, view: 'activity' },
  ];

  for (const route of routes) {
    const address = formatRoute(route);
    assert.deepEqual(parseRoute(address.slice('/admin'.length)), route, address);
  }
  assert.equal(formatRoute(START), '/admin');
});

test('a senseless address is the inbox', () => {
  assert.deepEqual(parseRoute('?view=x&status=y&m=-4&days=1e9&c='), START);
  assert.deepEqual(parseRoute('?m=1.5&days=NaN'), START);
});

test('a letter stays in the outbox until it is confirmed', () => {
  const held = new Map();
  const store = { get: (key) => held.get(key) ?? null, set: (key, value) => held.set(key, value), remove: (key) => held.delete(key) };
  const outbox = new Outbox(store);
  const letter = (id, conversation) => ({ conversation_id: conversation, client_id: id, content: 'x', created_at: '' });

  outbox.add(letter('1', 'a'));
  outbox.add(letter('2', 'a'));
  outbox.add(letter('3', 'b'));
  outbox.mark('2', 'message_too_long');

  assert.deepEqual(new Outbox(store).waiting().map((entry) => entry.client_id), ['1', '3']);
  outbox.mark('2', null);
  assert.equal(outbox.waiting().length, 3);
  assert.equal(outbox.remove('1'), true);
  assert.equal(outbox.remove('1'), false);
  outbox.forget('a');
  assert.deepEqual(outbox.letters().map((entry) => entry.client_id), ['3']);
  outbox.forget('b');
  assert.equal(held.size, 0);
});

test('what lies broken in the outbox is passed over', () => {
  for (const value of [null, 5, 'x', [null, 7, {}, { client_id: 1 }]]) {
    assert.deepEqual(new Outbox({ get: () => value, set() {}, remove() {} }).letters(), []);
  }
});

test('figures stand beside those of the period before', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');
  const by_day = [
    { date: '2026-11-20', conversations: 3, messages_visitor: 4, messages_admin: 2 },
    { date: '2026-11-21', conversations: 3, messages_visitor: 1, messages_admin: 1 },
    { date: '2020-01-01', conversations: 99, messages_visitor: 99, messages_admin: 99 },
  ];
  const previous = { conversations: 2, messages: 4, median_first_response_seconds: 40, median_response_seconds: null };

  const summary = summarize({ by_day, median_first_response_seconds: 30, median_response_seconds: null, previous }, 2, now);

  assert.deepEqual(summary.conversations, { value: 6, before: 2, change: 2 });
  assert.deepEqual(summary.messages, { value: 8, before: 4, change: 1 });
  assert.deepEqual(summary.firstResponse, { value: 30, before: 40, change: -0.25 });
  assert.deepEqual(summary.response, { value: null, before: null, change: null });
  assert.deepEqual(summary.days.map((day) => day.date), ['2026-11-20', '2026-11-21']);
});

test('days without anything are days all the same', () => {
  const days = fillDays([], 3, Date.parse('2026-03-01T00:00:00Z'));

  assert.deepEqual(days.map((day) => day.date), ['2026-02-27', '2026-02-28', '2026-03-01']);
  assert.equal(figure(5, 0).change, null);
});

test('the axis ends at a round number above the greatest', () => {
  assert.deepEqual([0, 1, 3, 11, 20, 51, 999].map(axisTop), [1, 1, 5, 20, 20, 100, 1000]);
});

test('a browser is named for people and only web addresses become links', () => {
  const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0 Mobile/15E148 Safari/604.1';
  const edge = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0';

  assert.deepEqual(deviceParts(phone), ['Chrome', 'iOS']);
  assert.deepEqual(deviceParts(edge), ['Edge', 'Windows']);
  assert.deepEqual(deviceParts('<img src=x>'), []);
  assert.deepEqual(deviceParts(null), []);
  assert.equal(webAddress('https://shop.example/cart?x=1').host, 'shop.example');
  for (const address of ['javascript:alert(1)', 'data:text/html,x', '', null, '/cart', 'file:///etc/passwd']) {
    assert.equal(webAddress(address), null);
  }
});
