import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LANGUAGES, t, useTexts } from '../../static/js/i18n.js';

const STATIC = fileURLToPath(new URL('../../static/', import.meta.url));
const catalogues = Object.fromEntries(Object.keys(LANGUAGES).map((code) =>
  [code, JSON.parse(readFileSync(join(STATIC, 'locales', `${code}.json`), 'utf8'))]));

const forms = (entry) => (typeof entry === 'string' ? [entry] : Object.values(entry));
const placeholders = (entry) => [...new Set(forms(entry).flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort();

/** Every script and page below static/. */
function sources(folder = STATIC) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.(js|html)$/.test(entry.name) ? [[path, readFileSync(path, 'utf8')]] : [];
  });
}

test('both languages have the same keys, in order', () => {
  for (const [code, catalogue] of Object.entries(catalogues)) {
    assert.deepEqual(Object.keys(catalogue), Object.keys(catalogues.en), code);
    assert.deepEqual(Object.keys(catalogue), Object.keys(catalogue).toSorted(), code);
  }
});

test('both languages have the same placeholders, and no empty text', () => {
  for (const [code, catalogue] of Object.entries(catalogues)) {
    for (const [key, entry] of Object.entries(catalogue)) {
      assert.deepEqual(placeholders(entry), placeholders(catalogues.en[key]), `${code} ${key}`);
      for (const text of forms(entry)) assert.notEqual(text.trim(), '', `${code} ${key}`);
    }
  }
});

test('plural texts have every form their language asks for', () => {
  for (const [code, catalogue] of Object.entries(catalogues)) {
    const { pluralCategories } = new Intl.PluralRules(code).resolvedOptions();
    for (const [key, entry] of Object.entries(catalogue)) {
      if (typeof entry === 'object') assert.deepEqual(Object.keys(entry).sort(), [...pluralCategories].sort(), `${code} ${key}`);
    }
  }
});

test('no text of the catalogue shouts', () => {
  for (const catalogue of Object.values(catalogues)) {
    for (const [key, entry] of Object.entries(catalogue)) {
      for (const text of forms(entry)) assert.doesNotMatch(text, /!|\bOops\b/, key);
    }
  }
});

test('every key that a page or script names has a text', () => {
  for (const [path, source] of sources()) {
    const named = [...source.matchAll(/data-i18n(?:-\w+)?="([^"]+)"|\bt\(\s*'([^']+)'/g)].map((match) => match[1] ?? match[2]);
    for (const key of named) assert.ok(Object.hasOwn(catalogues.en, key), `${key} in ${path}`);
  }
});

/** Keys that are put together at run time, by what stands before the variable part. */
const COMPOSED = ['visitor.chat.notice.', 'common.message.', 'common.error.', 'common.file.waiting.', 'common.file.failed.'];

test('every text of the visitor page and of both pages is used', () => {
  const all = sources().map(([, source]) => source).join('\n');
  const unused = Object.keys(catalogues.en).filter((key) => /^(visitor|common)\./.test(key)
    && !all.includes(`'${key}'`) && !all.includes(`"${key}"`)
    && !COMPOSED.some((start) => key.startsWith(start) && all.includes(`\`${start}\${`)));
  assert.deepEqual(unused, []);
});

test('a text fills its placeholders, chooses its plural, and shows its key when unknown', () => {
  useTexts('en', { hello: 'Hello {name}, {name}', n: { one: '{count} message', other: '{count} messages' } });
  assert.equal(t('hello', { name: '{name}' }), 'Hello {name}, {name}');
  assert.equal(t('hello'), 'Hello {name}, {name}');
  assert.equal(t('n', { count: 1 }), '1 message');
  assert.equal(t('n', { count: 2 }), '2 messages');
  assert.equal(t('toString'), 'toString');
});

test('no script builds HTML out of strings', () => {
  for (const [path, source] of sources()) {
    assert.doesNotMatch(source, /\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b|new Function/, path);
    if (path.endsWith('.html')) assert.doesNotMatch(source, /\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/, path);
  }
});
