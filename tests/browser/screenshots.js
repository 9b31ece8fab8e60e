// Pictures of every state for people to look at, written to output/: SCREENSHOTS=1 make test.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

import { DESKTOP, PHONE, TABLET, launch } from './support/browser.js';
import { tour } from './support/tour.js';

const OUTPUT = fileURLToPath(new URL('./output/', import.meta.url));

for (const viewport of [PHONE, TABLET, DESKTOP]) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    for (const locale of ['en-GB', 'tr-TR']) {
      const name = `${viewport.width}x${viewport.height}-${colorScheme}-${locale.slice(0, 2)}`;
      test(`pictures: ${name}`, async (t) => {
        const browser = await launch();
        t.after(() => browser.close());
        await mkdir(OUTPUT, { recursive: true });

        await tour(t, browser, { viewport, colorScheme, locale }, (state, page) =>
          page.screenshot({ path: `${OUTPUT}${state}-${name}.png` }));
      });
    }
  }
}
