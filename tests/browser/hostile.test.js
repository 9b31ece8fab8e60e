// What a visitor or a colleague may type to take a page over is shown as the text that it is.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertCalm, launch } from './support/browser.js';
import { Gateway } from './support/gateway.js';
import { Admin, Visitor } from './support/people.js';
import { until } from './support/until.js';

const PAYLOADS = [
  '<img src=x onerror=window.__x=1>',
  '<svg/onload=window.__x=1>',
  '"><script>window.__x=1</script>',
  "'-alert(1)-'",
  'javascript:window.__x=1',
  'data:text/html,<script>window.__x=1</script>',
  '[click](javascript:window.__x=1)',
  'https://example.com/"onmouseover="window.__x=1',
  '<a href="javascript:window.__x=1">click</a>',
  '\u202Egpj.exe',
  '{{7*7}}${7*7}',
  '<iframe srcdoc="<script>parent.__x=1</script>">',
];
const TAG = '<img src=x onerror=__x=1>';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** @param {import('playwright-core').Page} page */
async function assertUntouched(page) {
  const found = await page.evaluate(() => ({
    ran: globalThis.__x,
    links: [...document.links].map((link) => link.protocol).filter((protocol) => !['http:', 'https:', 'mailto:'].includes(protocol)),
    bare: [...document.links].filter((link) => link.target === '_blank' && !link.rel.includes('noopener')).length,
    planted: document.querySelectorAll('img, iframe, script:not([src]), a[onmouseover], [onerror], [onload]').length,
  }));
  assert.deepEqual(found, { ran: undefined, links: [], bare: 0, planted: 0 });
}

test('messages are text in both pages', async (t) => {
  const gateway = await Gateway.start(t, { WS_USER_MSGS_PER_SEC: '100', WS_USER_BURST: '100' });
  const oya = await Admin.at(t, browser, gateway);
  await oya.logsIn('Oya');
  const ada = await Visitor.at(t, browser, gateway);
  await ada.opens();
  await ada.starts('Ada', 'first');
  await oya.chooses('Ada');

  for (const text of PAYLOADS) await ada.writes(text);
  await oya.holds(1 + PAYLOADS.length);
  for (const [index, text] of PAYLOADS.entries()) {
    await oya.answers(text);
    // Ada's own words are the same, and safe already.
    await oya.holds(1 + PAYLOADS.length + index + 1);
  }
  await ada.sees(PAYLOADS.at(-1));

  const all = ['first', ...PAYLOADS, ...PAYLOADS];
  assert.deepEqual(await oya.texts(), all);
  await ada.page.waitForFunction((count) => document.querySelectorAll('#messages .message__text').length === count, all.length);
  assert.deepEqual(await ada.texts(), all);
  await oya.searches('window');
  await oya.page.locator('#found-rows .row__preview', { hasText: 'onerror=window' }).first().waitFor();
  for (const { page, complaints } of [ada, oya]) {
    await assertUntouched(page);
    await page.reload();
    await page.locator('#messages .message__text').first().waitFor();
    await assertUntouched(page);
    assertCalm(complaints);
  }
});

test('names, addresses and tags are text wherever the panel shows them', async (t) => {
  const gateway = await Gateway.start(t);
  const oya = await Admin.at(t, browser, gateway);
  await oya.logsIn(PAYLOADS[0]);
  const joined = [];
  for (const [index, text] of PAYLOADS.entries()) {
    joined.push(await join(gateway, index, { display_name: text, page_url: text, referrer: text }));
  }

  for (const { conversation_id: id, visitor_name: name } of joined) {
    await oya.page.locator(`#rows .row[data-id="${id}"] a`).click();
    assert.equal(await oya.page.locator(`#rows .row[data-id="${id}"] .row__name`).textContent(), name);
    await oya.page.locator('#thread-name', { hasText: name }).waitFor();
    await until('the details are those of this visitor', async () => await oya.page.locator('.details__name').textContent() === name);
    await assertUntouched(oya.page);
  }
  await oya.addsTag(TAG);
  await oya.page.locator('#filter-tag option', { hasText: TAG }).waitFor({ state: 'attached' });
  await oya.claims();
  await oya.page.locator('#claim .claim__words').waitFor();
  await oya.page.locator('#notes-text').fill(PAYLOADS[2]);
  await oya.page.locator('#notes-form button').click();
  await oya.note(PAYLOADS[2]).filter({ hasText: PAYLOADS[0] }).waitFor();
  await oya.answers(PAYLOADS[1]);
  await oya.page.locator('.details__delete').click();
  await oya.page.locator('dialog[open] h2', { hasText: joined.at(-1).visitor_name }).waitFor();
  await assertUntouched(oya.page);
  await oya.page.keyboard.press('Escape');
  await oya.goes('activity');
  await oya.page.locator('#activity tbody tr', { hasText: PAYLOADS[0] }).first().waitFor();
  await assertUntouched(oya.page);
  assertCalm(oya.complaints);
});

test('a hostile name is text on the page of its own bearer, and in the title', async (t) => {
  const gateway = await Gateway.start(t);
  const oya = await Admin.at(t, browser, gateway);
  await oya.logsIn(PAYLOADS[0]);
  const mallory = await Visitor.at(t, browser, gateway);
  await mallory.opens(`/?${encodeURIComponent(PAYLOADS[0])}#${PAYLOADS[1]}`, { referer: `${gateway.url}/${encodeURIComponent(PAYLOADS[2])}` });

  await mallory.starts(PAYLOADS[1], PAYLOADS[2]);
  await oya.chooses(PAYLOADS[1]);
  await oya.answers(PAYLOADS[0]);

  await mallory.sees(PAYLOADS[0]);
  assert.equal(await mallory.page.locator('.message__author').textContent(), PAYLOADS[0]);
  const typing = mallory.page.locator('.typing', { hasText: PAYLOADS[0] });
  await until('the typing is seen', async () => {
    await oya.page.locator('#composer textarea').press('m');
    return typing.isVisible();
  });
  for (const { page, complaints } of [mallory, oya]) {
    await assertUntouched(page);
    assertCalm(complaints);
  }
});

async function join(gateway, index, body) {
  const answer = await fetch(`${gateway.url}/api/visitor/join`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: gateway.url, 'X-Forwarded-For': `198.51.100.${index + 1}` },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}
