// English and Turkish: chosen by the browser, switched by people, kept for the next visit.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { assertCalm, launch } from './support/browser.js';
import { Gateway } from './support/gateway.js';
import { Admin, Visitor } from './support/people.js';

const texts = async (code) => JSON.parse(await readFile(new URL(`../../static/locales/${code}.json`, import.meta.url), 'utf8'));
const [en, tr] = await Promise.all([texts('en'), texts('tr')]);

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test('the visitor’s page speaks the browser’s language and can be switched mid-conversation', async (t) => {
  const gateway = await Gateway.start(t);
  const ada = await Visitor.at(t, browser, gateway, { locale: 'tr-TR' });
  await ada.opens();
  await ada.page.locator('#welcome-title', { hasText: tr['visitor.welcome.title'] }).waitFor();
  assert.equal(await ada.page.evaluate(() => document.documentElement.lang), 'tr');
  await ada.starts('İdil Şenışık', 'Günaydın');

  await ada.page.locator('#settings-button').click();
  await ada.page.locator('#settings-language').selectOption('en');
  await ada.page.locator('#settings-title', { hasText: en['visitor.settings.title'] }).waitFor();
  await ada.page.locator('#settings-close').click();

  await ada.state(en['common.message.sent']);
  assert.equal(await ada.page.evaluate(() => document.documentElement.lang), 'en');
  await ada.page.reload();
  await ada.sees('Günaydın');
  await ada.page.locator('#heading', { hasText: en['visitor.chat.title'] }).waitFor();
  assertCalm(ada.complaints);
});

test('the panel is switched to Turkish as a whole', async (t) => {
  const gateway = await Gateway.start(t);
  const oya = await Admin.at(t, browser, gateway);
  await oya.opens();

  await oya.page.locator('#login-language').selectOption('tr');
  await oya.page.locator('#login-send', { hasText: tr['admin.login.send_code'] }).waitFor();
  await oya.logsIn('Oya');
  await oya.page.locator('#empty-title', { hasText: tr['admin.empty.first'] }).waitFor();
  await oya.goes('statistics');
  await oya.page.locator('#statistics-title', { hasText: tr['admin.statistics.title'] }).waitFor();
  await oya.goes('activity');
  await oya.page.locator('#activity tbody tr', { hasText: tr['admin.activity.action.login'] }).first().waitFor();
  assertCalm(oya.complaints);
});
