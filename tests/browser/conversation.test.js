// A visitor on a phone and an admin at a desk: the whole conversation, live, through a power cut, to its deletion.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { PHONE, assertCalm, launch } from './support/browser.js';
import { Gateway } from './support/gateway.js';
import { Admin, Visitor } from './support/people.js';
import { until } from './support/until.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

async function meet(t, { visitorOptions = { viewport: PHONE }, adminOptions = {} } = {}) {
  const gateway = await Gateway.start(t);
  const oya = await Admin.at(t, browser, gateway, adminOptions);
  const ada = await Visitor.at(t, browser, gateway, visitorOptions);
  await oya.logsIn('Oya');
  await ada.opens();
  await ada.starts('Ada', 'It says "expired"');
  await oya.row('Ada').waitFor();
  return { gateway, ada, oya };
}

/** Goes on typing, since at most one sign of it is passed on every three seconds. */
function typesUntilSeen(field, sign) {
  return until('the typing is seen', async () => {
    await field.press('m');
    return sign.isVisible();
  });
}

test('a visitor writes, an admin sees it appear and answers', async (t) => {
  const { ada, oya } = await meet(t);

  await oya.row('Ada').locator('.row__preview', { hasText: 'It says "expired"' }).waitFor();
  await oya.row('Ada').locator('.row__badge', { hasText: '1' }).waitFor();
  await oya.chooses('Ada');
  await oya.sees('It says "expired"');
  await ada.state('Read');
  await oya.answers('Hi Ada, let me look');

  await oya.page.locator('.details__facts dd', { hasText: 'Chrome' }).waitFor();
  await ada.sees('Hi Ada, let me look');
  assert.equal(await ada.page.locator('.message__author').textContent(), 'Oya');
  await oya.state('Read');
  await oya.row('Ada').locator('.row__badge').waitFor({ state: 'hidden' });
  assertCalm([...ada.complaints, ...oya.complaints]);
});

test('both see each other typing, coming and going', async (t) => {
  const { ada, oya } = await meet(t);
  await oya.chooses('Ada');
  await ada.page.locator('#presence', { hasText: 'We are here' }).waitFor();
  await oya.page.locator('#thread-place', { hasText: 'Here now' }).waitFor();

  await oya.answers('Hello');
  await ada.sees('Hello');
  await typesUntilSeen(oya.page.locator('#composer textarea'), ada.page.locator('.typing', { hasText: 'Oya is typing…' }));
  await typesUntilSeen(ada.page.locator('#composer-text'), oya.page.locator('#messages .typing', { hasText: 'Ada is typing…' }));

  await ada.page.goto('about:blank');
  await oya.page.locator('#thread-place', { hasText: 'Not here now' }).waitFor();
  await oya.answers('Still there?');
  await oya.state('Sent, visitor offline');
  await ada.opens();
  await ada.sees('Still there?');
  await oya.page.locator('#thread-place', { hasText: 'Here now' }).waitFor();
  await oya.context.close();
  await ada.page.locator('#presence', { hasText: 'We are away' }).waitFor();
  assertCalm(ada.complaints);
});

test('a reload keeps the conversation, the draft and the place', async (t) => {
  const { ada, oya } = await meet(t);
  await oya.chooses('Ada');
  await oya.answers('Noted');
  await ada.sees('Noted');
  await ada.page.locator('#composer-text').fill('half a thou');
  await oya.page.locator('#composer textarea').fill('half an ans');

  await Promise.all([ada.page.reload(), oya.page.reload()]);

  await ada.sees('Noted');
  await oya.sees('Noted');
  assert.deepEqual(await ada.texts(), ['It says "expired"', 'Noted']);
  assert.equal(await ada.page.locator('#composer-text').inputValue(), 'half a thou');
  assert.equal(await oya.page.locator('#composer textarea').inputValue(), 'half an ans');
  await oya.page.locator('#thread-name', { hasText: 'Ada' }).waitFor();
});

test('killed and started again, everything confirmed is there and both pages go on by themselves', async (t) => {
  const { gateway, ada, oya } = await meet(t);
  await oya.chooses('Ada');
  await oya.answers('Before the cut');
  await ada.sees('Before the cut');

  await gateway.kill();
  await ada.writes('Written in the dark');
  await ada.page.locator('.message--pending', { hasText: 'Written in the dark' }).waitFor();
  await ada.page.locator('#connection', { hasText: /Reconnecting…|Offline/ }).waitFor();
  await oya.page.locator('#connection:not([hidden])').waitFor();
  await gateway.start();

  await ada.isConfirmed('Written in the dark');
  await oya.isConnected();
  await oya.sees('Written in the dark');
  await oya.answers('And there was light');
  await ada.sees('And there was light');
  const all = ['It says "expired"', 'Before the cut', 'Written in the dark', 'And there was light'];
  assert.deepEqual(await ada.texts(), all);
  assert.deepEqual(await oya.texts(), all);
  assertCalm([...ada.complaints, ...oya.complaints], { outage: true });
});

test('a deleted conversation is gone from both pages at once, and from the browser', async (t) => {
  const { gateway, ada, oya } = await meet(t);
  await oya.chooses('Ada');

  await oya.page.locator('.details__delete').click();
  const question = oya.page.locator('dialog[open]');
  await question.locator('h2', { hasText: 'Ada' }).waitFor();
  await question.getByRole('button', { name: 'Cancel' }).click();
  await oya.row('Ada').waitFor();
  await oya.deletes();

  await ada.page.locator('#deleted-title', { hasText: 'This chat was removed' }).waitFor();
  await oya.row('Ada').waitFor({ state: 'detached' });
  await oya.page.locator('#empty-title').waitFor();
  const kept = await ada.page.evaluate(() => JSON.stringify(localStorage));
  assert.ok(!kept.includes('resume_token') && !kept.includes('expired'), kept);
  await ada.opens();
  await ada.page.locator('#welcome-message').waitFor();
  assert.ok(gateway.said.includes('login code is'));
  assertCalm([...ada.complaints, ...oya.complaints]);
});

test('the same conversation works with the panel on a phone and the visitor at a desk', async (t) => {
  const { ada, oya } = await meet(t, { visitorOptions: {}, adminOptions: { viewport: PHONE, hasTouch: true } });

  await oya.chooses('Ada');
  await oya.row('Ada').waitFor({ state: 'hidden' });
  await oya.answers('From the bus');
  await ada.sees('From the bus');
  await oya.page.locator('#thread-back').click();
  await oya.row('Ada').waitFor();
  await oya.page.locator('#thread').waitFor({ state: 'hidden' });
  await oya.chooses('Ada');
  await oya.deletes();
  await ada.page.locator('#deleted-title').waitFor();
  assertCalm([...ada.complaints, ...oya.complaints]);
});

test('no page is wider than a phone', async (t) => {
  const { ada, oya } = await meet(t, { adminOptions: { viewport: PHONE } });
  const long = `${'Donaudampfschifffahrt'.repeat(8)} https://example.com/${'path'.repeat(40)}`;
  await ada.writes(long);
  await ada.isConfirmed('Donaudampf');
  const overflow = ({ page }) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

  assert.equal(await overflow(ada), 0);
  assert.equal(await overflow(oya), 0);
  await oya.chooses('Ada');
  await oya.sees('Donaudampf');
  assert.equal(await overflow(oya), 0);
});

test('what a visitor ends stays readable, and a new chat starts from there', async (t) => {
  const { ada, oya } = await meet(t);

  await ada.page.locator('#settings-button').click();
  await ada.page.locator('#settings-end').click();
  await ada.page.locator('dialog[open] .button--danger').click();

  await ada.page.locator('#ended:not([hidden])').waitFor();
  await ada.sees('It says "expired"');
  await oya.row('Ada').waitFor({ state: 'detached' });
  await ada.page.locator('#ended-new').click();
  await ada.starts('Ada', 'Me again');
  await oya.row('Ada').locator('.row__preview', { hasText: 'Me again' }).waitFor();
});
