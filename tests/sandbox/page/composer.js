// @ts-check
// Writing: replies, edits, files, and commands with completion.
import { byId, el } from './nodes.js';

/** Longest message of Telegram, in UTF-16 code units. */
const LONGEST = 4_096;

export class Composer {
  #text = /** @type {HTMLTextAreaElement} */ (byId('text'));
  #list = byId('completion');
  #commands = [];
  #chosen = 0;
  /** @type {Map<string, string>} */
  #drafts = new Map();
  #key = '';
  /** @type {{kind: 'reply' | 'edit', message: any} | null} */
  #context = null;

  /** @param {{onText: (text: string, context: any) => void, onFiles: (files: File[], text: string, context: any) => void}} on */
  constructor(on) {
    const form = byId('composer');
    this.#text.maxLength = LONGEST;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.#text.value.trim();
      if (!text) return;
      on.onText(text, this.#context);
      this.#done();
    });
    const file = /** @type {HTMLInputElement} */ (byId('file'));
    file.addEventListener('change', () => {
      on.onFiles([...(file.files ?? [])], this.#text.value.trim(), this.#context);
      file.value = '';
      this.#done();
    });
    this.#text.addEventListener('input', () => this.#changed());
    this.#text.addEventListener('keydown', (event) => this.#keyDown(event, /** @type {HTMLFormElement} */ (form)));
    this.#text.addEventListener('blur', () => this.#offer([]));
    byId('context-end').addEventListener('click', () => this.about(null));
  }

  /** Goes to another place, where another draft waits. @param {string} key @param {any[]} commands */
  open(key, commands) {
    this.#commands = commands;
    if (key === this.#key) return;
    this.#drafts.set(this.#key, this.#context?.kind === 'edit' ? '' : this.#text.value);
    this.#key = key;
    this.#context = null;
    byId('context').hidden = true;
    this.#text.value = this.#drafts.get(key) ?? '';
    this.#changed();
  }

  /** What the next message replies to or changes. @param {{kind: 'reply' | 'edit', message: any, words: string} | null} context */
  about(context) {
    if (this.#context?.kind === 'edit' || context?.kind === 'edit') {
      this.#text.value = context?.kind === 'edit' ? context.message.text ?? context.message.caption : '';
    }
    this.#context = context;
    byId('context').hidden = !context;
    byId('context-words').textContent = context?.words ?? '';
    this.#changed();
    this.#text.focus();
  }

  #done() {
    this.#text.value = '';
    this.#context = null;
    byId('context').hidden = true;
    this.#changed();
    this.#text.focus();
  }

  #changed() {
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    const typed = /^\/(\w*)$/.exec(this.#text.value);
    this.#offer(typed && document.activeElement === this.#text ? this.#commands.filter(({ command }) => command.startsWith(typed[1])) : []);
  }

  #offer(commands) {
    this.#chosen = 0;
    this.#list.hidden = commands.length === 0;
    this.#list.replaceChildren(...commands.map(({ command, description }, index) => el('li', {
      role: 'option', id: `command-${index}`, 'aria-selected': String(index === 0), 'data-command': command,
      // Before the field loses its focus.
      onmousedown: (event) => { event.preventDefault(); this.#take(command); },
    }, el('strong', {}, `/${command}`), el('span', {}, description))));
    this.#point();
  }

  #point() {
    const options = [...this.#list.children];
    options.forEach((option, index) => option.setAttribute('aria-selected', String(index === this.#chosen)));
    options[this.#chosen]?.scrollIntoView({ block: 'nearest' });
    if (options.length > 0) this.#text.setAttribute('aria-activedescendant', `command-${this.#chosen}`);
    else this.#text.removeAttribute('aria-activedescendant');
  }

  #take(command) {
    this.#text.value = `/${command} `;
    this.#changed();
  }

  /** @param {KeyboardEvent} event @param {HTMLFormElement} form */
  #keyDown(event, form) {
    if (event.isComposing) return;
    const count = this.#list.children.length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (count > 0 && step) {
      event.preventDefault();
      this.#chosen = (this.#chosen + step + count) % count;
      this.#point();
    } else if (count > 0 && (event.key === 'Tab' || (event.key === 'Enter' && this.#text.value !== this.#command()))) {
      event.preventDefault();
      this.#take(/** @type {HTMLElement} */ (this.#list.children[this.#chosen]).dataset.command);
    } else if (event.key === 'Escape') {
      if (count > 0) this.#offer([]);
      else this.about(null);
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  }

  #command() {
    return `/${/** @type {HTMLElement} */ (this.#list.children[this.#chosen]).dataset.command}`;
  }
}
