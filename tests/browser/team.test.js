// A team at one desk: who has which conversation, notes among themselves, saved replies, and a visitor nobody wants.
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

async function office(t) {
  const gateway = await Gateway.start(t);
  const ada = await Visitor.at(t, browser, gateway);
  await ada.opens();
  await ada.starts('Ada', 'Is anybody there?');
  const team = {};
  for (const name of ['Oya', 'Ben']) {
    team[name] = await Admin.at(t, browser, gateway);
    await team[name].logsIn(name);
    await team[name].chooses('Ada');
  }
  return { gateway, ada, oya: team.Oya, ben: team.Ben };
}

test('the first claim wins, everybody sees whose it is, and the list can be cut down to it', async (t) => {
  const { oya, ben } = await office(t);

  await oya.claims();
  await oya.claim('You have this one');
  await ben.claim('Ada is with Oya');
  assert.equal(await ben.row('Ada').locator('.row__claim').getAttribute('aria-label'), 'With Oya');
  await ben.page.locator('#filter-status').selectOption('mine');
  await ben.row('Ada').waitFor({ state: 'detached' });
  await ben.page.locator('#rows-note', { hasText: 'No open conversation is with you.' }).waitFor();
  await oya.page.locator('#filter-status').selectOption('mine');
  await oya.row('Ada').waitFor();

  await oya.page.locator('#claim button', { hasText: 'Release' }).click();
  await oya.row('Ada').waitFor({ state: 'detached' });
  await ben.page.locator('#filter-status').selectOption('unclaimed');
  await ben.row('Ada').waitFor();
  await ben.page.locator('#claim button', { hasText: 'Claim' }).waitFor();
  assertCalm([...oya.complaints, ...ben.complaints]);
});

test('a claim that came too late says who was quicker', async (t) => {
  const { oya, ben } = await office(t);
  // The news of Oya's claim does not reach Ben before he presses.
  await ben.page.route('**/claim', async (route) => {
    await oya.claims();
    await oya.claim('You have this one');
    await route.continue();
  }, { times: 1 });

  await ben.claims();

  // First, since it stands for seconds only.
  await ben.page.locator('#refusal', { hasText: 'Oya was quicker' }).waitFor();
  await ben.claim('Ada is with Oya');
  assertCalm([...oya.complaints, ...ben.complaints]);
});

test('notes are for the team alone, from the column and from the field for answers', async (t) => {
  const { ada, oya, ben } = await office(t);

  await oya.page.locator('#notes-text').fill('Paid twice, <b>see</b> https://example.com/42');
  await oya.page.locator('#notes-text').press('Control+Enter');
  await ben.note('Paid twice').waitFor();
  assert.equal(await ben.note('Paid twice').locator('.note__text').textContent(), 'Paid twice, <b>see</b> https://example.com/42');
  await ben.note('Oya').waitFor();
  await ben.page.locator('#composer textarea').fill('// call her back');
  await ben.page.locator('#composer-hint', { hasText: 'the visitor does not see it' }).waitFor();
  await ben.page.locator('#composer textarea').press('Enter');
  await oya.note('call her back').waitFor();
  await oya.page.reload();
  await oya.note('call her back').waitFor();
  assert.equal(await oya.page.locator('#notes-list .note').count(), 2);

  await oya.answers('We look into it.');
  await ada.sees('We look into it.');
  assert.deepEqual(await ada.texts(), ['Is anybody there?', 'We look into it.']);
  assertCalm([...ada.complaints, ...oya.complaints, ...ben.complaints]);
});

test('saved replies are kept in the menu and come by a slash, from the keyboard alone', async (t) => {
  const { ada, oya, ben } = await office(t);
  await oya.page.locator('#menu-button').click();
  await oya.page.locator('#menu-canned').click();
  const dialog = oya.page.locator('#canned[open]');
  await dialog.locator('.replies__none').waitFor();
  for (const [name, content] of [['hello', 'Hello, how can we help?'], ['hours', 'We are here from 9 to 18.']]) {
    await dialog.locator('#canned-name').fill(name);
    await dialog.locator('#canned-content').fill(content);
    await dialog.locator('.replies__save').click();
    await dialog.locator('.replies__item', { hasText: content }).waitFor();
  }
  await dialog.locator('.replies__item', { hasText: '/hours' }).getByRole('button', { name: 'Change' }).click();
  await dialog.locator('#canned-content').fill('We are here from 8 to 20.');
  await dialog.locator('.replies__save').click();
  await dialog.locator('.replies__item', { hasText: '8 to 20' }).waitFor();
  await oya.page.keyboard.press('Escape');

  const field = oya.page.locator('#composer textarea');
  await field.focus();
  await oya.page.keyboard.type('/h');
  assert.equal(await oya.page.locator('#canned-list [role="option"]').count(), 2);
  await oya.page.keyboard.press('ArrowDown');
  const active = await field.getAttribute('aria-activedescendant');
  assert.match(await oya.page.locator(`#${active}[aria-selected="true"]`).textContent(), /hours/);
  await oya.page.keyboard.press('Enter');
  assert.equal(await field.inputValue(), 'We are here from 8 to 20.');
  await oya.page.keyboard.press('Enter');
  await ada.sees('We are here from 8 to 20.');

  await ben.page.reload();
  await ben.isConnected();
  await ben.page.locator('#composer textarea').fill('/');
  await ben.page.locator('#canned-list [role="option"]').first().waitFor();
  await ben.page.keyboard.press('Escape');
  await ben.page.locator('#canned-list').waitFor({ state: 'hidden' });
  await oya.page.locator('#menu-button').click();
  await oya.page.locator('#menu-canned').click();
  await dialog.locator('.replies__item', { hasText: '/hours' }).getByRole('button', { name: 'Remove' }).click();
  await oya.page.locator('dialog[open] .button--danger').click();
  await dialog.locator('.replies__item', { hasText: '/hours' }).waitFor({ state: 'detached' });
  assertCalm([...ada.complaints, ...oya.complaints, ...ben.complaints]);
});

test('a banned visitor’s chat is closed, a new one is refused in calm words, and the ban can be lifted', async (t) => {
  const { ada, oya } = await office(t);

  await oya.bans();
  await ada.page.locator('#ended:not([hidden])').waitFor();
  await ada.page.locator('#ended-new').click();
  await ada.page.locator('#welcome-message').fill('Let me in');
  await ada.page.locator('.welcome__start').click();
  await ada.page.locator('#connection', { hasText: 'We cannot take a new chat from here.' }).waitFor();
  await ada.state('Not sent');

  await oya.page.locator('#filter-status').selectOption('closed');
  await oya.chooses('Ada');
  await oya.page.locator('.details__ban', { hasText: 'Lift the ban' }).click();
  await oya.page.locator('.details__ban', { hasText: 'Ban visitor' }).waitFor();
  await ada.page.getByRole('button', { name: 'Try again' }).click();
  await ada.isConfirmed('Let me in');
  assertCalm([...ada.complaints, ...oya.complaints]);
});
