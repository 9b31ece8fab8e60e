import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { readFileSync } from 'node:fs';
import {
  clockTime, countCharacters, dayLabel, fullTime, initials, isSingleEmoji, parseText, relativeTime,
} from '../../static/js/format.js';
import { useTexts } from '../../static/js/i18n.js';

const catalogue = (code) => JSON.parse(readFileSync(new URL(`../../static/locales/${code}.json`, import.meta.url), 'utf8'));

beforeEach(() => useTexts('en', catalogue('en')));

const links = (text) => parseText(text).filter((token) => token.type === 'link').map((token) => token.href);
const shown = (text) => parseText(text).map((token) => (token.type === 'break' ? '\n' : token.text)).join('');

test('only http, https and mailto become links', () => {
  assert.deepEqual(links('see https://a.example/x?y=1#z and http://b.example and mailto:us@c.example'),
    ['https://a.example/x?y=1#z', 'http://b.example/', 'mailto:us@c.example']);
  for (const text of ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'ftp://a.example', 'JaVaScRiPt://a',
    'https://', 'http:// a', 'mailto:', 'mailto:nobody', 'www.example.com', 'xhttps:/a']) {
    assert.deepEqual(links(text), [], text);
  }
});

test('punctuation and brackets around a link stay outside of it', () => {
  const cases = {
    'Look at https://a.example/x.': 'https://a.example/x',
    '(https://a.example/x)': 'https://a.example/x',
    'https://a.example/wiki/A_(b)': 'https://a.example/wiki/A_(b)',
    '"https://a.example/x", he said': 'https://a.example/x',
    '<https://a.example/x>': 'https://a.example/x',
    'https://a.example/x?!…': 'https://a.example/x',
    '[see https://a.example/x]': 'https://a.example/x',
  };
  for (const [text, href] of Object.entries(cases)) assert.deepEqual(links(text), [href], text);
});

test('no character of a text is lost or added', () => {
  for (const text of ['a\nb\n\nc', '<b>&amp;</b>', 'x https://a.example. y', '\u202eabc', 'https://https://a.example', '']) {
    assert.equal(shown(text), text);
  }
});

test('a hostile text is read in linear time', () => {
  const texts = ['https://'.repeat(50_000), `https://a${')'.repeat(200_000)}`, `https://a.example/${'('.repeat(200_000)}`, 'mailto:'.repeat(50_000), `${'.'.repeat(400_000)}`];
  for (const text of texts) {
    const started = performance.now();
    parseText(text);
    assert.ok(performance.now() - started < 2000, text.slice(0, 20));
  }
});

test('one emoji alone is told from text', () => {
  for (const text of ['👍', '👍🏽', '❤️', '👨‍👩‍👧‍👦', '🇹🇷', '1️⃣']) assert.equal(isSingleEmoji(text), true, text);
  for (const text of ['', 'a', '1', '#', '👍👍', '👍 ', '👍 ok', '©', '😀'.repeat(30)]) assert.equal(isSingleEmoji(text), false, text);
});

test('times are told from now on back', () => {
  const now = new Date(2026, 10, 21, 16, 0, 0);
  const at = (...parts) => relativeTime(new Date(2026, ...parts), now);

  assert.equal(at(10, 21, 15, 59, 30), 'now');
  assert.equal(at(10, 21, 15, 55), '5 min');
  assert.equal(at(10, 21, 14, 32), '14:32');
  assert.equal(at(10, 20, 14, 32), 'Yesterday 14:32');
  assert.match(at(10, 3, 9, 5), /^(3 Nov|Nov 3)$/);
  assert.match(relativeTime(new Date(2024, 0, 3), now), /2024/);
  assert.equal(relativeTime('no time', now), '');
});

test('a clock a little behind ours does not speak of the future', () => {
  assert.equal(relativeTime(new Date(2026, 10, 21, 16, 0, 20), new Date(2026, 10, 21, 16, 0, 0)), 'now');
});

test('days are named by the calendar, in the language of the page', () => {
  const now = new Date(2026, 10, 21, 0, 30);
  assert.equal(dayLabel(new Date(2026, 10, 21, 0, 1), now), 'Today');
  assert.equal(dayLabel(new Date(2026, 10, 20, 23, 59), now), 'Yesterday');
  useTexts('tr', catalogue('tr'));
  assert.equal(dayLabel(new Date(2026, 10, 20, 23, 59), now), 'Dün');
  assert.match(dayLabel(new Date(2026, 10, 10), now), /10 Kasım/);
  assert.match(fullTime(new Date(2026, 10, 10, 14, 32)), /Kasım 2026.*14:32/);
  assert.equal(clockTime('nonsense'), '');
});

test('initials follow the alphabet of the language', () => {
  assert.equal(initials('ada lovelace'), 'AL');
  assert.equal(initials('  '), '?');
  assert.equal(initials('😀 x y'), '😀Y');
  useTexts('tr', catalogue('tr'));
  assert.equal(initials('irmak ışık'), 'İI');
});

test('characters are counted as the server counts them', () => {
  assert.equal(countCharacters('aé😀👍🏽'), 5);
});
