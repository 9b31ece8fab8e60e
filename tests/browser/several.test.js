// More than one of somebody: tabs of one visitor, admins at one inbox, messages faster than the limit.
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

test('two tabs of one visitor show the same conversation', async (t) => {
  const gateway = await Gateway.start(t);
  const left = await Visitor.at(t, browser, gateway);
  await left.opens();
  await left.starts('Ada', 'From the left');

  const right = await left.anotherTab();
  await right.opens();
  await right.sees('From the left');
  await right.writes('From the right');

  await left.sees('From the right');
  await left.isConfirmed('From the right');
  await right.isConfirmed('From the right');
  assert.deepEqual(await left.texts(), ['From the left', 'From the right']);
  assert.deepEqual(await right.texts(), ['From the left', 'From the right']);
  assertCalm([...left.complaints, ...right.complaints]);
});

test('two admins see each other’s answers, and the visitor sees who wrote them', async (t) => {
  const gateway = await Gateway.start(t);
  const oya = await Admin.at(t, browser, gateway);
  const kemal = await Admin.at(t, browser, gateway);
  await oya.logsIn('Oya');
  await kemal.logsIn('Kemal');
  const ada = await Visitor.at(t, browser, gateway);
  await ada.opens();
  await ada.starts('Ada', 'Anybody there?');
  await oya.chooses('Ada');
  await kemal.chooses('Ada');

  await oya.answers('I am');
  await kemal.sees('I am');
  await kemal.answers('So am I');

  await oya.sees('So am I');
  await ada.sees('So am I');
  assert.deepEqual(await ada.page.locator('.message__author').allTextContents(), ['Oya', 'Kemal']);
  await kemal.closesOrReopens();
  await oya.row('Ada').waitFor({ state: 'detached' });
  await ada.page.locator('#ended:not([hidden])').waitFor();
  assertCalm([...ada.complaints, ...oya.complaints, ...kemal.complaints]);
});

test('eight messages at once are all kept, in order, and the visitor is told why some wait', async (t) => {
  // Then one a second: most of the eight wait, for as long as it takes to look.
  const gateway = await Gateway.start(t, { WS_USER_BURST: '2' });
  const oya = await Admin.at(t, browser, gateway);
  await oya.logsIn('Oya');
  const ada = await Visitor.at(t, browser, gateway);
  await ada.opens();
  await ada.starts('Ada', 'message 0');
  await oya.chooses('Ada');
  const all = Array.from({ length: 9 }, (_, number) => `message ${number}`);

  await ada.writesAtOnce(all.slice(1));

  await ada.page.locator('#connection', { hasText: 'That was quick.' }).waitFor();
  assert.deepEqual(await ada.texts(), all);
  for (const text of all) await ada.isConfirmed(text);
  await oya.sees('message 8');
  assert.deepEqual(await oya.texts(), all);
  assert.deepEqual(await ada.texts(), all);
  await ada.page.locator('#connection', { hasText: 'That was quick.' }).waitFor({ state: 'hidden' });
  assertCalm([...ada.complaints, ...oya.complaints]);
});

test('a message that is too long is not sent and not lost', async (t) => {
  const gateway = await Gateway.start(t, { MAX_MESSAGE_LEN: '100' });
  const ada = await Visitor.at(t, browser, gateway);
  await ada.opens();
  await ada.starts('Ada', 'short');
  const field = ada.page.locator('#composer-text');

  await field.fill('ş'.repeat(103));
  await ada.page.locator('.composer__counter', { hasText: '3 characters too many' }).last().waitFor();
  await field.press('Enter');
  assert.equal(await field.inputValue(), 'ş'.repeat(103));
  await field.fill('ş'.repeat(100));
  await field.press('Enter');

  await ada.isConfirmed('ş'.repeat(100));
  assert.equal((await ada.texts()).length, 2);
});
