// @ts-check
// With whom the open conversation is, and the one button that changes it.

import { announce, el } from '../dom.js';
import { t } from '../i18n.js';
import { byId } from './page.js';

/** @typedef {import('./panel.js').Panel} Panel */

export class ClaimView {
  #panel;
  #root = byId('claim');
  #shown = '';
  /** @type {{id: string | null, holder: string | null}} */
  #last = { id: null, holder: null };

  /** @param {Panel} panel */
  constructor(panel) {
    this.#panel = panel;
  }

  /** @param {any} item */
  show(item) {
    const open = item?.status === 'open';
    const holder = item?.claimed_by ?? null;
    this.#tell(item?.conversation_id ?? null, holder, item?.visitor_name ?? '');
    const wanted = JSON.stringify([item?.conversation_id, open, holder, item?.visitor_name, t('admin.claim.take')]);
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    const focused = this.#root.contains(document.activeElement);
    this.#root.replaceChildren(...(open ? this.#parts(item, holder) : []));
    if (focused) (this.#root.querySelector('button') ?? byId('thread-close')).focus();
  }

  /** @param {any} item @param {string | null} holder */
  #parts({ conversation_id: id, visitor_name: name }, holder) {
    const { acts } = this.#panel;
    if (holder === null) return [button(t('admin.claim.take'), () => acts.claim(id))];
    const said = el('span', { class: 'claim__words', dir: 'auto' }, this.#words(name, holder));
    // Whoever went home with it cannot release it: anybody of the team may.
    return [said, button(t('admin.claim.release'), () => acts.release(id))];
  }

  /** @param {string} name @param {string} holder */
  #words(name, holder) {
    return holder === this.#panel.name ? t('admin.claim.yours') : t('admin.claim.with', { name, holder });
  }

  /** Somebody else's claim of what stands on the screen is news. @param {string | null} id @param {string | null} holder @param {string} name */
  #tell(id, holder, name) {
    const news = id !== null && id === this.#last.id && holder !== null && holder !== this.#last.holder;
    this.#last = { id, holder };
    if (news) announce(this.#words(name, holder));
  }
}

/** @param {string} words @param {() => void} act */
function button(words, act) {
  return el('button', { class: 'link-button claim__button', type: 'button', on: { click: act } }, words);
}
