// The two people of every story, and what they do and see.
import { person, watchedPage } from './browser.js';

export class Visitor {
  page;
  context;
  complaints;
  #gateway;

  /** @param {any} t @param {any} browser @param {import('./gateway.js').Gateway} gateway @param {any} [options] */
  static async at(t, browser, gateway, options = {}) {
    return Visitor.in(await person(t, browser, options), gateway);
  }

  /** Another tab of the same browser. */
  async anotherTab() {
    return Visitor.in(this.context, this.#gateway);
  }

  static async in(context, gateway) {
    const { page, complaints } = await watchedPage(context);
    const visitor = new Visitor(context, page, complaints, gateway);
    return visitor;
  }

  constructor(context, page, complaints, gateway) {
    this.context = context;
    this.page = page;
    this.complaints = complaints;
    this.#gateway = gateway;
  }

  async opens(path = '/', options = {}) {
    await this.page.goto(this.#gateway.url + path, options);
    await this.page.locator('#app:not([hidden])').waitFor();
  }

  /** @param {string} name @param {string} text */
  async starts(name, text) {
    await this.page.locator('#welcome-name').fill(name);
    await this.page.locator('#welcome-message').fill(text);
    await this.page.locator('.welcome__start').click();
    await this.sees(text);
    await this.isConfirmed(text);
  }

  /** @param {string} text */
  async writes(text) {
    await this.page.locator('#composer-text').fill(text);
    await this.page.locator('.composer__send').click();
  }

  /** Faster than anybody's hands, on a slow machine too. @param {string[]} texts */
  writesAtOnce(texts) {
    return this.page.locator('#composer-text').evaluate((field, all) => {
      for (const text of all) {
        field.value = text;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        field.form.requestSubmit();
      }
    }, texts);
  }

  message(text) {
    return bubble(this.page, text);
  }

  sees(text) {
    return this.message(text).waitFor();
  }

  /** The server has said that it is safe. */
  isConfirmed(text) {
    return confirmed(this.page, text);
  }

  /** What stands under the last of the visitor's own messages. */
  state(text) {
    return this.page.locator('#messages .message__meta', { hasText: text }).last().waitFor();
  }

  /** @returns {Promise<string[]>} the messages as they stand, from top to bottom */
  texts() {
    return this.page.locator('#messages .message__text').allTextContents();
  }
}

export class Admin {
  page;
  context;
  complaints;
  #gateway;

  /** @param {any} t @param {any} browser @param {import('./gateway.js').Gateway} gateway @param {any} [options] */
  static async at(t, browser, gateway, options = {}) {
    const context = await person(t, browser, options);
    const { page, complaints } = await watchedPage(context);
    return new Admin(context, page, complaints, gateway);
  }

  constructor(context, page, complaints, gateway) {
    this.context = context;
    this.page = page;
    this.complaints = complaints;
    this.#gateway = gateway;
  }

  async opens() {
    await this.page.goto(`${this.#gateway.url}/admin`);
    await this.page.locator('#login-send').waitFor();
  }

  /** @param {string} name @param {{codeAfter: (ask: () => Promise<unknown>) => Promise<string>}} [teller] who shows the code */
  async logsIn(name, teller = this.#gateway) {
    await this.opens();
    await this.page.locator('#login-name').fill(name);
    const code = await teller.codeAfter(() => this.page.locator('#login-send').click());
    await this.page.locator('.code__box').first().waitFor();
    await this.page.keyboard.type(code);
    await this.page.locator('#panel:not([hidden])').waitFor();
    await this.isConnected();
  }

  isConnected() {
    return this.page.locator('#state[data-state="live"]').waitFor();
  }

  row(name) {
    return this.page.locator('#rows .row', { has: this.page.locator('.row__name', { hasText: name }) });
  }

  /** @param {string} name of the visitor */
  async chooses(name) {
    await this.row(name).locator('a').click();
    await this.page.locator('#thread-name', { hasText: name }).waitFor();
  }

  /** @param {string} text */
  async answers(text) {
    await this.page.locator('#composer textarea').fill(text);
    await this.page.locator('#composer .composer__send').click();
    await this.sees(text);
    await this.isConfirmed(text);
  }

  message(text) {
    return bubble(this.page, text);
  }

  sees(text) {
    return this.message(text).waitFor();
  }

  isConfirmed(text) {
    return confirmed(this.page, text);
  }

  /** So many messages stand there, and all of them are safe. @param {number} count */
  holds(count) {
    return this.page.waitForFunction((wanted) => {
      const all = document.querySelectorAll('#messages .message__text');
      const safe = document.querySelectorAll('#messages .message[data-seq]:not(.message--pending) .message__text');
      return all.length === wanted && safe.length === wanted;
    }, count);
  }

  texts() {
    return this.page.locator('#messages .message__text').allTextContents();
  }

  state(text) {
    return this.page.locator('#messages .message__meta', { hasText: text }).last().waitFor();
  }

  /** @param {'statistics' | 'activity' | 'inbox'} view */
  async goes(view) {
    await this.page.locator('#menu-button').click();
    await this.page.locator(`#menu [data-go="${view}"]`).click();
  }

  async closesOrReopens() {
    await this.page.locator('#thread-close').click();
  }

  deletes() {
    return this.#agrees('.details__delete');
  }

  bans() {
    return this.#agrees('.details__ban');
  }

  /** Does what asks first. @param {string} button */
  async #agrees(button) {
    const found = this.page.locator(button);
    if (!(await found.isVisible())) await this.page.locator('#thread-more').click();
    await found.click();
    await this.page.locator('dialog[open] .button--danger').click();
  }

  claims() {
    return this.page.locator('#claim .claim__button:only-child').click();
  }

  /** What stands about whose conversation this is. @param {string} words */
  claim(words) {
    return this.page.locator('#claim', { hasText: words }).waitFor();
  }

  note(text) {
    return this.page.locator('#notes-list .note', { hasText: text });
  }

  alert(words) {
    return this.page.locator('#alert:not([hidden])', { hasText: words }).waitFor();
  }

  async addsTag(tag) {
    await this.page.locator('.tag--add').click();
    await this.page.locator('.tags__input').fill(tag);
    await this.page.locator('.tags__input').press('Enter');
    await this.page.locator('#tags .tag__text', { hasText: tag }).waitFor();
  }

  async searches(words) {
    await this.page.locator('#search').fill(words);
  }
}

function bubble(page, text) {
  return page.locator('#messages .message__text', { hasText: text }).first();
}

async function confirmed(page, text) {
  await page.locator('#messages .message[data-seq]:not(.message--pending)', { has: page.locator('.message__text', { hasText: text }) })
    .first().waitFor();
}
