// axe-core on every state of both pages, at phone and desk size, light and dark.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { DESKTOP, PHONE, launch } from './support/browser.js';
import { tour } from './support/tour.js';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** @param {import('playwright-core').Page} page @returns {Promise<string[]>} what hinders people seriously */
async function findings(page) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} (${node.failureSummary})`));
}

for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
  for (const colorScheme of ['light', 'dark']) {
    test(`nothing serious hinders people: ${size}, ${colorScheme}`, async (t) => {
      const seen = [];
      const found = [];

      await tour(t, browser, { viewport, colorScheme }, async (state, page) => {
        seen.push(state);
        found.push(...(await findings(page)).map((finding) => `${state} · ${finding}`));
      });

      assert.deepEqual(found, []);
      assert.equal(new Set(seen).size, 29);
    });
  }
}

test('axe-core would notice a field without a name', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.setContent('<html lang="en"><title>x</title><main><h1>x</h1><input></main>');

  assert.match((await findings(page)).join(), /^label: input/);
});
