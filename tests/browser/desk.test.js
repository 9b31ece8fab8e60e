// The admin's desk: finding, sorting, counting, and doing it all without a mouse.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertCalm, launch } from './support/browser.js';
import { Gateway } from './support/gateway.js';
import { Admin, Visitor } from './support/people.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

async function desk(t, visitors) {
  const gateway = await Gateway.start(t);
  const oya = await Admin.at(t, browser, gateway);
  await oya.logsIn('Oya');
  const people = {};
  for (const [name, text] of Object.entries(visitors)) {
    people[name] = await Visitor.at(t, browser, gateway);
    await people[name].opens();
    await people[name].starts(name, text);
    await oya.row(name).waitFor();
  }
  return { gateway, oya, people };
}

test('search finds people and words, and leads to the message', async (t) => {
  const { oya } = await desk(t, { Ada: 'The invoice is wrong', Bora: 'Where is the ISPARTA office?' });

  await oya.searches('invo');
  const found = oya.page.locator('#found-rows .row');
  await found.filter({ hasText: 'The invoice is wrong' }).waitFor();
  assert.equal(await found.count(), 1);
  assert.equal(await found.locator('mark').textContent(), 'invo');
  await found.locator('a').click();
  await oya.sees('The invoice is wrong');
  await oya.page.locator('#thread-name', { hasText: 'Ada' }).waitFor();

  await oya.searches('ısparta');
  await found.filter({ hasText: 'ISPARTA' }).waitFor();
  await oya.searches('nosuchword');
  await oya.page.locator('#found-note', { hasText: 'No message contains this.' }).waitFor();
  await oya.searches('');
  await oya.row('Ada').waitFor();
  await oya.row('Bora').waitFor();
  assertCalm(oya.complaints);
});

test('tags are added, filter the list and are taken away', async (t) => {
  const { oya } = await desk(t, { Ada: 'About my bill', Bora: 'About my parcel' });
  await oya.chooses('Ada');

  await oya.addsTag('billing');
  await oya.page.locator('#filter-tag').selectOption('billing');
  await oya.row('Bora').waitFor({ state: 'detached' });
  await oya.row('Ada').waitFor();
  assert.ok(new URL(oya.page.url()).searchParams.get('tag') === 'billing');
  await oya.page.goBack();
  await oya.row('Bora').waitFor();
  await oya.page.getByRole('button', { name: 'Remove the tag billing' }).click();

  await oya.page.locator('#tags .tag__text').waitFor({ state: 'detached' });
  assertCalm(oya.complaints);
});

test('a closed conversation leaves the list, refuses words and comes back', async (t) => {
  const { oya, people } = await desk(t, { Ada: 'One question' });
  await oya.chooses('Ada');

  await oya.closesOrReopens();
  await people.Ada.page.locator('#ended:not([hidden])').waitFor();
  await oya.row('Ada').waitFor({ state: 'detached' });
  await oya.page.locator('#filter-status').selectOption('closed');
  await oya.chooses('Ada');
  assert.ok(await oya.page.locator('#composer textarea').isDisabled());
  await oya.closesOrReopens();

  await oya.page.locator('#composer textarea:enabled').waitFor();
  await people.Ada.page.locator('#ended').waitFor({ state: 'hidden' });
  await people.Ada.writes('Thank you');
  await oya.sees('Thank you');
  assertCalm([...oya.complaints, ...people.Ada.complaints]);
});

test('statistics count what happened, and the audit trail names it', async (t) => {
  const { oya } = await desk(t, { Ada: 'Hello', Bora: 'Good day' });
  await oya.chooses('Ada');
  await oya.answers('Hello Ada');
  await oya.addsTag('greeting');
  await oya.searches('hello');
  await oya.page.locator('#found-rows .row').first().waitFor();

  await oya.goes('statistics');
  await oya.page.locator('#statistics .report__now', { hasText: 'open 2, visitors online 2, of us 1' }).waitFor();
  const figures = oya.page.locator('#statistics .figure__value');
  assert.deepEqual((await figures.allTextContents()).slice(0, 2), ['2', '3']);
  await oya.page.locator('#statistics details').first().locator('summary').click();
  await oya.page.locator('#statistics table').first().waitFor();

  await oya.goes('activity');
  for (const action of ['Searched', 'Added a tag', 'Answered', 'Logged in']) {
    await oya.page.locator('#activity tbody tr', { hasText: action }).first().waitFor();
  }
  const trail = await oya.page.locator('#activity').textContent();
  assert.ok(!trail.includes('Hello Ada'), 'the trail tells what was done, not what was said');
  assert.ok(!trail.includes('127.0.0.1'), 'the trail names the admin’s address, not the proxy’s');
  assertCalm(oya.complaints);
});

test('a wrong code is refused, and logging out ends the session', async (t) => {
  const gateway = await Gateway.start(t);
  const oya = await Admin.at(t, browser, gateway);
  await oya.opens();
  const code = await gateway.codeAfter(() => oya.page.locator('#login-send').click());
  await oya.page.locator('#login-where', { hasText: 'The code is in the terminal' }).waitFor();

  await oya.page.keyboard.type(code === '000000' ? '111111' : '000000');
  await oya.page.locator('#login-error', { hasText: 'wrong' }).waitFor();
  await oya.page.keyboard.type(code);
  await oya.isConnected();
  const before = await oya.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.match(before, /token/);
  await oya.page.locator('#menu-button').click();
  await oya.page.locator('#menu-logout').click();

  await oya.page.locator('#login-notice', { hasText: 'You have logged out.' }).waitFor();
  await oya.page.reload();
  await oya.page.locator('#login-send').waitFor();
});

test('the panel can be used from the keyboard alone', async (t) => {
  const gateway = await Gateway.start(t);
  const ada = await Visitor.at(t, browser, gateway);
  await ada.opens();
  await press(ada.page, 'Tab', () => focusedIs(ada.page, '#welcome-name'));
  await ada.page.keyboard.type('Ada');
  await ada.page.keyboard.press('Tab');
  await ada.page.keyboard.type('Only keys');
  await ada.page.keyboard.press('Shift+Enter');
  await ada.page.keyboard.type('two lines');
  await ada.page.keyboard.press('Enter');
  await ada.isConfirmed('Only keys');
  assert.ok(await focusedIs(ada.page, '#composer-text'));

  const oya = await Admin.at(t, browser, gateway);
  await oya.opens();
  assert.ok(await focusedIs(oya.page, '#login-name'));
  await oya.page.keyboard.type('Oya');
  const code = await gateway.codeAfter(() => oya.page.keyboard.press('Enter'));
  await oya.page.locator('.code__box').first().waitFor();
  await oya.page.keyboard.type(code);
  await oya.row('Ada').waitFor();
  await oya.page.locator('body').press('j');
  assert.ok(await focusedIs(oya.page, '.row__link'));
  await oya.page.keyboard.press('Enter');
  await oya.sees('two lines');
  await press(oya.page, 'r', () => focusedIs(oya.page, '#composer textarea'));
  await oya.page.keyboard.type('Keys are enough');
  await oya.page.keyboard.press('Enter');
  await ada.sees('Keys are enough');
  await oya.page.keyboard.press('Escape');
  assert.ok(await focusedIs(oya.page, '.row__link'));
  await oya.page.keyboard.press('/');
  assert.ok(await focusedIs(oya.page, '#search'));
  await oya.page.keyboard.press('Escape');
  await oya.page.keyboard.press('?');
  await oya.page.locator('#help[open]').waitFor();
  await oya.page.keyboard.press('Escape');
  await oya.page.locator('#help[open]').waitFor({ state: 'detached' });
  assertCalm([...ada.complaints, ...oya.complaints]);
});

/** Presses a key until the condition holds, a few times at most. */
async function press(page, key, condition) {
  for (let times = 0; times < 8; times += 1) {
    if (await condition()) return;
    await page.keyboard.press(key);
  }
  assert.ok(await condition(), `${key} did not lead there`);
}

function focusedIs(page, selector) {
  return page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);
}
