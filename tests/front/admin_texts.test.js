import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';

const STATIC = new URL('../../static/', import.meta.url);
const read = (path) => readFile(new URL(path, STATIC), 'utf8');
const catalogue = async (code) => JSON.parse(await read(`locales/${code}.json`));

async function sources() {
  const names = (await readdir(new URL('js/admin/', STATIC))).map((name) => `js/admin/${name}`);
  return Promise.all(['admin.html', ...names].map(async (name) => ({ name, text: await read(name) })));
}

/** Keys that are put together at run time, by what stands before the variable part. */
const COMPOSED = [
  'admin.activity.', 'admin.activity.action.', 'admin.alert.', 'admin.connection.', 'admin.details.', 'admin.empty.', 'admin.error.',
  'admin.help.', 'admin.statistics.', 'admin.telegram.',
];

test('every text the panel asks for is in both languages', async () => {
  const [en, tr] = await Promise.all(['en', 'tr'].map(catalogue));
  const asked = new Set();
  for (const { text } of await sources()) {
    for (const [, key] of text.matchAll(/['"]((?:admin|common)\.[a-z0-9_.]*[a-z0-9])['"]/gu)) asked.add(key);
  }

  assert.ok(asked.size > 100);
  for (const key of asked) {
    assert.ok(key in en, `en lacks ${key}`);
    assert.ok(key in tr, `tr lacks ${key}`);
  }
});

test('every text of the panel is used', async () => {
  const all = (await sources()).map(({ text }) => text).join('\n');
  const unused = Object.keys(await catalogue('en')).filter((key) => key.startsWith('admin.') && !all.includes(key)
    && !COMPOSED.some((start) => key.startsWith(start) && all.includes(start)));

  assert.deepEqual(unused, []);
});

test('both languages have the same blanks to fill in', async () => {
  const [en, tr] = await Promise.all(['en', 'tr'].map(catalogue));
  const blanks = (entry) => [...new Set(JSON.stringify(entry).match(/\{\w+\}/gu) ?? [])].sort();
  for (const key of Object.keys(en).filter((name) => name.startsWith('admin.'))) {
    assert.deepEqual(blanks(tr[key]), blanks(en[key]), key);
  }
});

test('the panel builds no markup from text and has no inline style or script', async () => {
  for (const { name, text } of await sources()) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/u, name);
    assert.doesNotMatch(text, /\sstyle=|\son[a-z]+="|<script>|setAttribute\('style'/u, name);
  }
});
