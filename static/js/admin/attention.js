// @ts-check
// What reaches people who look elsewhere: the title, one announcement, one soft tone.

import { announce } from '../dom.js';
import { onLocaleChange, t } from '../i18n.js';

/** @typedef {import('./panel.js').Panel} Panel */

const SOUND_KEY = 'sound';
const TONE_HZ = 660;
const TONE_SECONDS = 0.25;
const TONE_GAIN = 0.08;

export class Attention {
  #panel;
  #store;
  /** @type {AudioContext | null} */
  #audio = null;

  /** @param {Panel} panel @param {import('./session.js').Store} store */
  constructor(panel, store) {
    this.#panel = panel;
    this.#store = store;
    panel.on('list', () => this.#title());
    panel.on('opened', (item) => this.#opened(item));
    onLocaleChange(() => this.#title());
  }

  get sound() {
    return this.#store.get(SOUND_KEY) === true;
  }

  set sound(wanted) {
    this.#store.set(SOUND_KEY, wanted);
    if (wanted) this.#tone();
  }

  #title() {
    const count = this.#panel.inbox.unreadConversations();
    const title = count > 0 ? t('admin.title.unread', { count }) : 'Parley';
    if (document.title !== title) document.title = title;
  }

  /** @param {{visitor_name: string}} item */
  #opened({ visitor_name }) {
    announce(t('admin.list.opened', { name: visitor_name }));
    if (this.sound) this.#tone();
  }

  #tone() {
    this.#audio ??= new AudioContext();
    const { currentTime, destination } = this.#audio;
    const oscillator = this.#audio.createOscillator();
    const volume = this.#audio.createGain();
    oscillator.frequency.value = TONE_HZ;
    volume.gain.setValueAtTime(TONE_GAIN, currentTime);
    volume.gain.exponentialRampToValueAtTime(0.0001, currentTime + TONE_SECONDS);
    oscillator.connect(volume).connect(destination);
    oscillator.start();
    oscillator.stop(currentTime + TONE_SECONDS);
  }
}
