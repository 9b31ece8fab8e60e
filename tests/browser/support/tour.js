// Every state of both pages that is worth a look, in the order in which a conversation comes by them.
import { Bot } from './bot.js';
import { Gateway } from './gateway.js';
import { Admin, Visitor } from './people.js';
import { picture, sound } from './pictures.js';

/**
 * @param {import('node:test').TestContext} t
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions} options the same for both people
 * @param {(state: string, page: import('playwright-core').Page) => Promise<void>} look
 */
export async function tour(t, browser, options, look) {
  const bot = await Bot.start(t);
  const gateway = await Gateway.start(t, bot.settings);
  bot.serves(gateway);
  const oya = await Admin.at(t, browser, gateway, options);
  const ada = await Visitor.at(t, browser, gateway, options);
  await arrive(bot, ada, oya, look);
  const first = await talk(bot, ada, oya, look);
  await details(oya, look);
  await report(oya, look);
  await fromTelegram(bot, first, ada, oya, look);
  await part(ada, oya, look);
}

async function arrive(bot, ada, oya, look) {
  await ada.opens();
  await look('visitor-welcome', ada.page);
  await oya.opens();
  await look('admin-login', oya.page);
  const code = await bot.codeAfter(() => oya.page.locator('#login-send').click());
  await oya.page.locator('.code__box').first().waitFor();
  await look('admin-code', oya.page);
  await oya.page.keyboard.type(code);
  await oya.isConnected();
  await oya.page.locator('#rows-note p').waitFor();
  await look('admin-empty', oya.page);
}

async function talk(bot, ada, oya, look) {
  const first = await bot.messageAfter(() => ada.starts('Ada Lovelace-Byron of the Long Names', 'Hello, it says "expired" when I pay.'), /it says/);
  await oya.row('Ada').waitFor();
  await look('admin-list', oya.page);
  await oya.chooses('Ada');
  await oya.answers('Hi Ada, let me look. What does the address bar show?');
  await oya.addsTag('billing');
  await ada.sees('Hi Ada');
  await ada.writes('This one:\nhttps://example.com/cart');
  await ada.writes('👍');
  await oya.sees('👍');
  await ada.page.locator('#composer-text').fill('Something longer that is still being written');
  await look('visitor-chat', ada.page);
  await look('admin-conversation', oya.page);
  await ada.page.locator('#settings-button').click();
  await look('visitor-settings', ada.page);
  await ada.page.locator('#settings-telegram').click();
  await ada.page.getByRole('link', { name: 'Telegram' }).waitFor();
  await look('visitor-telegram', ada.page);
  await ada.page.keyboard.press('Escape');
  return first;
}

/** What an operator sends from there, and what the panel has for a team. */
async function fromTelegram(bot, first, ada, oya, look) {
  await oya.chooses('Ada');
  const photo = (id) => ({ photo: [{ file_id: id, file_unique_id: id, width: 320, height: 240, file_size: 2000 }], media_group_id: 'g1' });
  for (const [index, colour] of [[47, 111, 237], [26, 127, 75], [192, 138, 43]].entries()) bot.files.set(`photo${index}`, picture(320, 240, colour));
  bot.files.set('voice', sound());
  bot.files.set('document', Buffer.from('%PDF-1.4\n'));
  for (const index of [0, 1, 2]) await bot.replies(first, { ...photo(`photo${index}`), ...(index === 0 && { caption: 'This is where you find it' }) });
  await bot.replies(first, { voice: { file_id: 'voice', file_unique_id: 'v', duration: 1, mime_type: 'audio/ogg', file_size: 8044 } });
  await bot.replies(first, { document: { file_id: 'document', file_unique_id: 'd', file_name: 'Invoice 2026-11 of a long name.pdf', mime_type: 'application/pdf', file_size: 1_432_000 } });
  await bot.replies(first, { photo: [{ file_id: 'nowhere', file_unique_id: 'n', width: 320, height: 240, file_size: 2000 }] });
  await bot.reacts(first, '👍');
  for (const { page } of [ada, oya]) await page.locator('#messages img').nth(2).waitFor();
  for (const { page } of [ada, oya]) await page.locator('#messages audio').waitFor();
  for (const { page } of [ada, oya]) await page.locator('.file__wait .link-button').waitFor();
  await look('visitor-files', ada.page);
  await look('admin-files', oya.page);
  await ada.page.locator('#messages').evaluate((area) => { area.scrollTop = 0; });
  await ada.page.locator('.reaction').waitFor();
  await ada.page.locator('.file__open').first().scrollIntoViewIfNeeded();
  await look('visitor-album', ada.page);
  await ada.page.locator('.file__open').first().click();
  await ada.page.locator('dialog.viewer[open]').waitFor();
  await look('visitor-picture', ada.page);
  await ada.page.keyboard.press('Escape');
  await team(bot, ada, oya, look);
}

async function team(bot, ada, oya, look) {
  const { page } = oya;
  await oya.claims();
  await page.locator('#claim .claim__words').waitFor();
  await page.locator('#composer textarea').fill('// She has paid twice: refund promised');
  await look('admin-note', page);
  await page.locator('#composer textarea').press('Enter');
  await page.locator('#composer-hint:empty').waitFor({ state: 'attached' });
  await savedReplies(oya, look);
  bot.refuses = (method, { text }) => (method === 'sendMessage' && text ? { ok: false, error_code: 403, description: 'Forbidden: bot was kicked from the supergroup chat' } : undefined);
  await ada.writes('Thank you');
  await page.locator('#alert:not([hidden])').waitFor();
  await look('admin-alert', page);
  const folded = await page.locator('#thread-more').isVisible();
  if (folded) await page.locator('#thread-more').click();
  await page.locator('#notes-list .note').waitFor();
  await page.locator('.details__ban').scrollIntoViewIfNeeded();
  await look('admin-notes', page);
  await page.locator('.details__ban').click();
  await page.locator('dialog[open]').waitFor();
  await look('admin-ban', page);
  await page.keyboard.press('Escape');
  if (folded) await page.locator('.details__fold').click();
  const back = page.locator('#thread-back');
  if (await back.isVisible()) await back.click();
}

async function savedReplies({ page }, look) {
  const back = page.locator('#thread-back');
  const narrow = await back.isVisible();
  if (narrow) await back.click();
  await page.locator('#menu-button').click();
  await page.locator('#menu-canned').click();
  const dialog = page.locator('#canned[open]');
  for (const [name, content] of [['hello', 'Hello, how can we help?'], ['refund', 'We have sent the money back. It takes three working days to arrive, sometimes five.']]) {
    await dialog.locator('#canned-name').fill(name);
    await dialog.locator('#canned-content').fill(content);
    await dialog.locator('.replies__save').click();
    await dialog.locator('.replies__item', { hasText: content }).waitFor();
  }
  await look('admin-replies', page);
  await page.keyboard.press('Escape');
  if (narrow) await page.goBack();
  await page.locator('#composer textarea').fill('/');
  await page.locator('#canned-list [role="option"]').first().waitFor();
  await look('admin-canned', page);
  await page.locator('#composer textarea').fill('');
}

async function details(oya, look) {
  const { page } = oya;
  const folded = await page.locator('#thread-more').isVisible();
  if (folded) await page.locator('#thread-more').click();
  await look('admin-details', page);
  await page.locator('.details__delete').click();
  await page.locator('dialog[open]').waitFor();
  await look('admin-delete', page);
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  if (folded) await page.locator('.details__fold').click();
  const back = page.locator('#thread-back');
  if (await back.isVisible()) await back.click();
}

async function report(oya, look) {
  const { page } = oya;
  await oya.searches('expired');
  await page.locator('#found-rows .row').first().waitFor();
  await look('admin-search', page);
  await oya.searches('');
  await page.locator('#found').waitFor({ state: 'hidden' });
  await page.locator('#menu-button').click();
  await look('admin-menu', page);
  await page.locator('#menu-help').click();
  await page.locator('#help[open]').waitFor();
  await look('admin-keys', page);
  await page.keyboard.press('Escape');
  await oya.goes('statistics');
  await page.locator('#statistics .figure__value').first().waitFor();
  await look('admin-statistics', page);
  await page.locator('#statistics .report__head .icon-button').click();
  await oya.goes('activity');
  await page.locator('#activity tbody tr').first().waitFor();
  await look('admin-activity', page);
  await page.locator('#activity .report__head .icon-button').click();
}

async function part(ada, oya, look) {
  await oya.chooses('Ada');
  await oya.closesOrReopens();
  await ada.page.locator('#ended:not([hidden])').waitFor();
  await look('visitor-ended', ada.page);
  await oya.page.locator('#filter-status').selectOption('closed');
  await oya.chooses('Ada');
  await look('admin-closed', oya.page);
  await oya.deletes();
  await ada.page.locator('#deleted-title').waitFor();
  await look('visitor-deleted', ada.page);
}
