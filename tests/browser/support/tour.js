// Every state of both pages that is worth a look, in the order in which a conversation comes by them.
import { Gateway } from './gateway.js';
import { Admin, Visitor } from './people.js';

/**
 * @param {import('node:test').TestContext} t
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions} options the same for both people
 * @param {(state: string, page: import('playwright-core').Page) => Promise<void>} look
 */
export async function tour(t, browser, options, look) {
  const gateway = await Gateway.start(t);
  const oya = await Admin.at(t, browser, gateway, options);
  const ada = await Visitor.at(t, browser, gateway, options);
  await arrive(gateway, ada, oya, look);
  await talk(gateway, ada, oya, look);
  await report(oya, look);
  await part(ada, oya, look);
}

async function arrive(gateway, ada, oya, look) {
  await ada.opens();
  await look('visitor-welcome', ada.page);
  await oya.opens();
  await look('admin-login', oya.page);
  const code = await gateway.codeAfter(() => oya.page.locator('#login-send').click());
  await oya.page.locator('.code__box').first().waitFor();
  await look('admin-code', oya.page);
  await oya.page.keyboard.type(code);
  await oya.isConnected();
  await oya.page.locator('#rows-note p').waitFor();
  await look('admin-empty', oya.page);
}

async function talk(gateway, ada, oya, look) {
  await ada.starts('Ada Lovelace-Byron of the Long Names', 'Hello, it says "expired" when I pay.');
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
  await ada.page.locator('#settings-close').click();
  await details(oya, look);
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
