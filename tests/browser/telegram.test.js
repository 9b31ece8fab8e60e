// What the pages show of Telegram: files and reactions from there, what did not arrive there, and the ways over to it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { Bot } from './support/bot.js';
import { PHONE, assertCalm, launch } from './support/browser.js';
import { Gateway } from './support/gateway.js';
import { Admin, Visitor } from './support/people.js';
import { picture, sound } from './support/pictures.js';
import { until } from './support/until.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Ada writes from her phone, Oya sits at the panel, Olga is in Telegram. */
async function office(t, settings = {}) {
  const bot = await Bot.start(t);
  const gateway = await Gateway.start(t, { ...bot.settings, ...settings });
  bot.serves(gateway);
  const oya = await Admin.at(t, browser, gateway);
  await oya.logsIn('Oya', bot);
  const ada = await Visitor.at(t, browser, gateway, { viewport: PHONE });
  await ada.opens();
  const first = await bot.messageAfter(() => ada.starts('Ada', 'It says expired'), /It says expired/);
  await oya.chooses('Ada');
  return { bot, gateway, oya, ada, first };
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function isShown(page, name) {
  const shown = page.locator(`img[alt="${name}"]`).first();
  await shown.waitFor();
  await until(`${name} is drawn`, () => shown.evaluate((image) => image.complete && image.naturalWidth > 0));
}

test('a picture, a recording and a document from Telegram are in both pages, in place where that is safe', async (t) => {
  const { bot, oya, ada, first } = await office(t);
  bot.files.set('photo1', picture(320, 200, [47, 111, 237]));
  bot.files.set('voice1', sound());
  bot.files.set('page1', Buffer.from('<!doctype html><script>window.__x = 1</script>'));

  await bot.replies(first, { photo: [{ file_id: 'photo1', file_unique_id: 'u1', width: 320, height: 200, file_size: 900 }], caption: 'Press here' });
  await bot.replies(first, { voice: { file_id: 'voice1', file_unique_id: 'u2', duration: 1, mime_type: 'audio/ogg', file_size: 8044 } });
  await bot.replies(first, { document: { file_id: 'page1', file_unique_id: 'u3', file_name: 'guide.html', mime_type: 'text/html', file_size: 46 } });

  for (const { page } of [ada, oya]) {
    await page.locator('#messages .file--image img').waitFor();
    const name = await page.locator('#messages .file--image img').getAttribute('alt');
    await isShown(page, name);
    await page.locator('#messages audio').waitFor();
    await page.locator('.message', { hasText: 'Press here' }).waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download guide.html' }).click()]);
    assert.equal(download.suggestedFilename(), 'guide.html');
    assert.match(await readFile(await download.path(), 'utf8'), /window\.__x/);
    assert.equal(await page.evaluate(() => globalThis.__x), undefined);
  }
  const cut = await ada.page.evaluate(() => [...document.querySelectorAll('.file')].filter((file) => file.getBoundingClientRect().right > innerWidth - 16).length);
  assert.equal(cut, 0, 'nothing is wider than a phone');
  await ada.page.locator('.file__open').click();
  await ada.page.locator('dialog.viewer[open] img').waitFor();
  await ada.page.keyboard.press('Escape');
  await ada.page.locator('dialog.viewer').waitFor({ state: 'detached' });
  assert.ok(await ada.page.evaluate(() => document.activeElement.matches('.file__open')), 'the focus is back where it was');
  await ada.page.reload();
  await ada.page.locator('#messages .file--image img').waitFor();
  assertCalm([...ada.complaints, ...oya.complaints], { outage: true });
});

test('a picture that is on its way says so, and one that cannot be had says so too', async (t) => {
  const { bot, ada, first } = await office(t);
  let reachable = false;
  bot.files.set('photo1', picture(320, 200, [26, 127, 75]));
  bot.refuses = (method) => (method === 'getFile' && !reachable ? { ok: false, error_code: 500, description: 'Internal Server Error' } : undefined);

  await bot.replies(first, { photo: [{ file_id: 'photo1', file_unique_id: 'u1', width: 320, height: 200, file_size: 900 }] });

  await ada.page.locator('.file__note', { hasText: 'The picture is on its way.' }).waitFor();
  const before = await ada.page.locator('#messages .file').boundingBox();
  reachable = true;
  await ada.page.locator('#messages .file--image img').waitFor();
  const after = await ada.page.locator('#messages .file').boundingBox();
  assert.deepEqual([after.width, after.height], [before.width, before.height]);

  await bot.replies(first, { photo: [{ file_id: 'nowhere', file_unique_id: 'u2', width: 320, height: 200, file_size: 900 }] });
  await ada.page.locator('.file__note', { hasText: 'The picture could not be loaded.' }).waitFor();
  await ada.page.getByRole('button', { name: 'Try again' }).waitFor();
});

test('a reaction from Telegram stands at the message, and goes when it is taken back', async (t) => {
  const { bot, oya, ada, first } = await office(t);

  await bot.reacts(first, '👍');
  await ada.page.locator('.message', { hasText: 'It says expired' }).locator('.reaction', { hasText: 'Our team reacted with 👍' }).waitFor();
  await oya.page.locator('.reaction', { hasText: 'Your team reacted with 👍' }).waitFor();
  await ada.page.reload();
  await ada.page.locator('.reaction').waitFor();

  await bot.reacts(first, null);
  await ada.page.locator('.reaction').waitFor({ state: 'detached' });
  assertCalm([...ada.complaints, ...oya.complaints]);
});

test('delivery to Telegram is told as it is: held up, refused, and quiet when all is well', async (t) => {
  const { bot, oya, ada } = await office(t);
  await oya.page.locator('#about dd', { hasText: 'Everything sent' }).waitFor();
  assert.equal(await oya.page.locator('.message__note').count(), 0);

  bot.refuses = (method, { text = '' }) => {
    if (method !== 'sendMessage') return undefined;
    if (text.includes('unwanted')) return { ok: false, error_code: 400, description: 'Bad Request: message is not wanted' };
    if (text.includes('too much')) return { ok: false, error_code: 429, description: 'Too Many Requests: retry after 40', parameters: { retry_after: 40 } };
    return undefined;
  };
  await ada.writes('an unwanted word');
  const note = (text) => oya.page.locator('.message', { hasText: text }).locator('.message__note');
  await note('an unwanted word').filter({ hasText: 'Telegram: not delivered' }).waitFor();
  await ada.writes('this is too much');
  await note('this is too much').filter({ hasText: /Telegram: waiting \d+ s \(flood limit\)/ }).waitFor();
  assert.equal(await ada.page.locator('.message__note').count(), 0);
});

test('trouble with Telegram stands above the panel in words, and goes when it is over', async (t) => {
  const { bot, oya, ada } = await office(t);
  bot.refuses = () => ({ ok: false, error_code: 502, description: 'Bad Gateway' });

  await ada.writes('hello?');
  await oya.alert('Telegram does not answer.');
  await oya.page.reload();
  await oya.alert('Telegram does not answer.');

  await bot.messageAfter(async () => {
    bot.refuses = () => undefined;
  }, /hello\?/);
  await oya.page.locator('#alert').waitFor({ state: 'hidden' });
});

test('a login is approved with a button in Telegram, and the browser goes in by itself', async (t) => {
  const bot = await Bot.start(t);
  const gateway = await Gateway.start(t, { ...bot.settings, TELEGRAM_ADMIN_IDS: '501' });
  bot.serves(gateway);
  const oya = await Admin.at(t, browser, gateway);
  await oya.opens();
  await oya.page.locator('#login-name').fill('Oya');

  const asked = await bot.messageAfter(() => oya.page.locator('#login-send').click(), /\d{6}/);
  assert.equal(asked.chat_id, 501);
  await oya.page.locator('#login-where', { hasText: 'privately to your administrators' }).waitFor();
  await oya.page.locator('#login-approval', { hasText: 'Approve' }).waitFor();
  await bot.presses(asked, 'Approve');
  await oya.isConnected();
  await oya.page.locator('#menu-button').click();
  await oya.page.locator('#menu-name', { hasText: 'Oya' }).waitFor();
  assertCalm(oya.complaints);

  const ben = await Admin.at(t, browser, gateway);
  await ben.opens();
  const again = await bot.messageAfter(() => ben.page.locator('#login-send').click(), /\d{6}/);
  await ben.page.locator('#login-approval').waitFor();
  await bot.presses(again, 'Deny');
  await ben.page.locator('#login-error', { hasText: 'was denied in Telegram' }).waitFor();
  await ben.page.locator('#login-send').waitFor();
});

test('a visitor takes the chat along to Telegram, and the panel tells where the words come from', async (t) => {
  const { bot, ada, oya } = await office(t);
  await ada.page.locator('#settings-button').click();
  await ada.page.locator('#settings-telegram').click();
  const link = ada.page.getByRole('link', { name: 'Open Telegram' });
  await link.waitFor();
  assert.equal(await link.getAttribute('target'), '_blank');
  assert.match(await link.getAttribute('rel'), /noopener/);
  await ada.page.locator('.telegram__end', { hasText: 'The link works once, until' }).waitFor();
  const url = new URL(await link.getAttribute('href'));
  await ada.page.getByRole('button', { name: 'Close' }).click();

  const chat = { id: 77, type: 'private', first_name: 'Ada' };
  const from = { id: 77, is_bot: false, first_name: 'Ada' };
  const message = (id, text, more = {}) => ({ message: { message_id: id, date: 1, chat, from, text, ...more } });
  await bot.update(message(1, `/start ${url.searchParams.get('start')}`, { entities: [{ type: 'bot_command', offset: 0, length: 6 }] }));
  await bot.update(message(2, 'Now from my phone'));

  await oya.sees('Now from my phone');
  await oya.page.locator('.message__author', { hasText: 'Ada via Telegram' }).waitFor();
  await ada.sees('Now from my phone');
  await oya.answers('Welcome over there');
  await until('the answer is in Ada’s Telegram', () => bot.sent.find(({ chat_id, text }) => chat_id === 77 && text.includes('Welcome over there')));
  assertCalm([...ada.complaints, ...oya.complaints]);
});
