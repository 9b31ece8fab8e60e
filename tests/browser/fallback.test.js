// Networks that let no WebSocket through: both pages go on over plain HTTP.
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

/** @param {{context: import('playwright-core').BrowserContext, page: import('playwright-core').Page}} someone */
async function blockSockets({ page }) {
  await page.addInitScript(() => {
    globalThis.WebSocket = class {
      constructor() {
        setTimeout(() => this.onclose?.({ code: 1006, reason: '' }));
      }

      send() {
        throw new DOMException('blocked', 'InvalidStateError');
      }

      close() {}
    };
  });
}

test('a visitor without sockets joins, writes and is answered', async (t) => {
  const gateway = await Gateway.start(t);
  const oya = await Admin.at(t, browser, gateway);
  await oya.logsIn('Oya');
  const ada = await Visitor.at(t, browser, gateway);
  await blockSockets(ada);
  await ada.opens();

  await ada.starts('Ada', 'Through the wall');
  await oya.chooses('Ada');
  await oya.answers('I hear you');
  await ada.sees('I hear you');
  await oya.state('Read');
  await ada.page.reload();
  await ada.sees('I hear you');
  await ada.writes('Good');
  await oya.sees('Good');
  await oya.deletes();

  await ada.page.locator('#deleted-title').waitFor();
  assertCalm([...ada.complaints, ...oya.complaints], { outage: true });
});

test('an admin without sockets sees the conversation and answers it', async (t) => {
  const gateway = await Gateway.start(t);
  const ada = await Visitor.at(t, browser, gateway);
  await ada.opens();
  await ada.starts('Ada', 'Hello');
  const oya = await Admin.at(t, browser, gateway);
  await blockSockets(oya);
  await oya.opens();
  const code = await gateway.codeAfter(() => oya.page.locator('#login-send').click());
  await oya.page.locator('.code__box').first().waitFor();

  await oya.page.keyboard.type(code);
  await oya.page.locator('#connection', { hasText: 'Live connection lost.' }).waitFor();
  await oya.chooses('Ada');
  await oya.answers('By letter');
  await ada.sees('By letter');
  await ada.state('Read');
  await ada.writes('Received');
  await oya.sees('Received');

  assert.deepEqual(await oya.texts(), ['Hello', 'By letter', 'Received']);
  assertCalm([...ada.complaints, ...oya.complaints]);
});
