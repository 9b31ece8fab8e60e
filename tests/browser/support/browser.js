// Headless Chromium, and pages that fail their test when they complain.
import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

export const PHONE = { width: 360, height: 740 };
export const TABLET = { width: 768, height: 1024 };
export const DESKTOP = { width: 1440, height: 900 };

const WAIT_MS = 90_000;
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
/** What Chromium itself says when the server is gone; the tests that stop the server expect it. */
const OUTAGE = /net::ERR_|WebSocket connection to|Failed to load resource/;

let addresses = 0;

/** One browser for all tests of a file. */
export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/**
 * A browser of its own for one person: own storage, own cookies, own network address.
 * @param {import('node:test').TestContext} t
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
export async function person(t, browser, options = {}) {
  addresses += 1;
  const context = await browser.newContext({
    viewport: DESKTOP,
    locale: 'en-GB',
    timezoneId: 'Europe/Istanbul',
    reducedMotion: 'reduce',
    extraHTTPHeaders: { 'X-Forwarded-For': `203.0.113.${addresses}` },
    ...options,
  });
  context.setDefaultTimeout(WAIT_MS);
  t.after(() => context.close());
  return context;
}

/**
 * A page whose complaints are kept: console errors, uncaught errors, violations of the Content-Security-Policy.
 * @param {import('playwright-core').BrowserContext} context
 */
export async function watchedPage(context) {
  /** @type {string[]} */
  const complaints = [];
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.text().startsWith('CSP ')) complaints.push(message.text());
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.log(`CSP ${event.effectiveDirective}: ${event.blockedURI}`);
    });
  });
  return { page, complaints };
}

/** @param {string[]} complaints @param {{outage?: boolean}} [allowed] */
export function assertCalm(complaints, { outage = false } = {}) {
  assert.deepEqual(complaints.filter((text) => !(outage && OUTAGE.test(text))), []);
}
