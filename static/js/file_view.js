// @ts-check
// How the file of a message looks: a picture or a sound in place, everything else as a card to download.
import { el, icon } from './dom.js';
import { Files } from './files.js';
import { formatSize } from './format.js';
import { t } from './i18n.js';

/** @typedef {{name: string, size: number, mime: string, url: string, album?: string}} MessageFile */
/** @typedef {{node: HTMLElement, file: MessageFile, expected: import('./files.js').FileKind, shown: string, wanted: boolean}} View */

/** Pictures are fetched a little before they come into view. */
const AHEAD = '400px';

export class FileViews {
  #files;
  #observer;
  /** By address: a node that stays in the page goes on playing when the rows around it change. @type {Map<string, View>} */
  #views = new Map();

  /** @param {{open: import('./files.js').OpenFile, scroller: HTMLElement}} options */
  constructor({ open, scroller }) {
    this.#files = new Files({ open, onChange: (path) => this.#draw(path) });
    this.#observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) this.#seen(/** @type {HTMLElement} */ (target));
      }
    }, { root: scroller, rootMargin: AHEAD });
  }

  /** @param {{seq: number, message_type?: string, file: MessageFile}} message @returns {HTMLElement} the same for the same file */
  node({ seq, message_type, file }) {
    const held = this.#views.get(file.url);
    if (held) return held.node;
    const expected = message_type === 'image' || message_type === 'audio' ? message_type : 'file';
    const view = { node: el('div', { class: 'file', data: { seq, path: file.url } }), file, expected, shown: '', wanted: false };
    this.#views.set(file.url, view);
    this.#draw(file.url);
    if (expected !== 'file') this.#observer.observe(view.node);
    return view.node;
  }

  clear() {
    this.#observer.disconnect();
    this.#views.clear();
    this.#files.clear();
  }

  /** @param {HTMLElement} node */
  #seen(node) {
    this.#observer.unobserve(node);
    this.#files.load(/** @type {string} */ (node.dataset.path));
  }

  /** @param {string} path */
  #draw(path) {
    const view = this.#views.get(path);
    if (!view) return;
    const held = this.#files.get(path);
    const kind = held.kind ?? view.expected;
    const wanted = `${kind} ${held.state}`;
    if (view.shown === wanted) return;
    view.shown = wanted;
    const focused = view.node.contains(document.activeElement);
    view.node.className = `file file--${kind}`;
    view.node.replaceChildren(...this.#parts(view, kind, held));
    if (focused) /** @type {HTMLElement | null} */ (view.node.querySelector('button, a, audio'))?.focus({ preventScroll: true });
    if (view.wanted && held.state === 'ready' && held.url) this.#save(view, held.url);
  }

  /** @param {View} view @param {import('./files.js').FileKind} kind @param {Readonly<import('./files.js').HeldFile>} held */
  #parts({ file }, kind, { state, url }) {
    if (kind === 'image' && url) return [picture(file, url)];
    if (kind === 'audio' && url) {
      return [label(file), el('audio', { class: 'file__sound', src: url, controls: true, 'aria-label': file.name })];
    }
    const words = waitingWords(kind, state);
    const note = words && el('p', { class: 'file__note' }, words);
    const again = state === 'failed' && el('button', { class: 'link-button', type: 'button', on: { click: () => this.#files.load(file.url) } }, t('common.file.again'));
    if (kind === 'image') return [el('div', { class: 'file__wait' }, icon('picture'), note || null, again || null)].filter(Boolean);
    const download = kind === 'file' && state !== 'failed' && this.#download(file, state);
    return [label(file), note, again, download].filter(Boolean);
  }

  /** @param {MessageFile} file @param {import('./files.js').FileState} state */
  #download(file, state) {
    const busy = state === 'loading' || state === 'waiting';
    return el('button', {
      class: 'link-button file__download', type: 'button', 'aria-disabled': busy && 'true', on: { click: () => this.#want(file.url) },
    }, icon('download'), el('span', {}, t('common.file.download'), el('span', { class: 'visually-hidden' }, ` ${file.name}`)));
  }

  /** @param {string} path */
  #want(path) {
    const view = this.#views.get(path);
    const { state, url } = this.#files.get(path);
    if (!view) return;
    if (state === 'ready' && url) {
      this.#save(view, url);
      return;
    }
    view.wanted = true;
    this.#files.load(path);
  }

  /** @param {View} view @param {string} url */
  #save(view, url) {
    view.wanted = false;
    el('a', { href: url, download: view.file.name }).click();
  }
}

/** @param {MessageFile} file */
function label({ name, size }) {
  return el('p', { class: 'file__label' }, icon('file'),
    el('bdi', { class: 'file__name' }, name), el('span', { class: 'file__size' }, formatSize(size)));
}

/** @param {import('./files.js').FileKind} kind @param {import('./files.js').FileState} state */
function waitingWords(kind, state) {
  if (state === 'waiting') return t(`common.file.waiting.${kind}`);
  return state === 'failed' ? t(`common.file.failed.${kind}`) : '';
}

/** @param {MessageFile} file @param {string} url */
function picture(file, url) {
  return el('button', { class: 'file__open', type: 'button', 'aria-haspopup': 'dialog', on: { click: () => openPicture(file, url) } },
    el('span', { class: 'visually-hidden' }, t('common.file.open')),
    el('img', { class: 'file__picture', src: url, alt: file.name, decoding: 'async' }));
}

/** @param {MessageFile} file @param {string} url */
function openPicture(file, url) {
  const asker = /** @type {HTMLElement | null} */ (document.activeElement);
  const close = el('button', { class: 'icon-button', type: 'button', 'aria-label': t('common.close'), autofocus: true }, icon('close'));
  const dialog = el('dialog', { class: 'viewer', 'aria-label': file.name },
    el('div', { class: 'viewer__bar' },
      el('bdi', { class: 'viewer__name' }, file.name),
      el('a', { class: 'icon-button', href: url, download: file.name, 'aria-label': t('common.file.download') }, icon('download')),
      close),
    el('img', { class: 'viewer__picture', src: url, alt: file.name }));
  close.addEventListener('click', () => dialog.close());
  // The dialog itself is hit only beside the picture and the bar.
  dialog.addEventListener('click', (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close());
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (asker?.isConnected) asker.focus({ preventScroll: true });
  }, { once: true });
  document.body.append(dialog);
  dialog.showModal();
}
