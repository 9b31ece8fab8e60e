// @ts-check
// The connection of the panel: the socket while it lives, REST every few seconds while it does not.

import { Socket } from '../socket.js';

/**
 * @typedef {'connecting' | 'live' | 'polling' | 'offline'} LiveState
 * @typedef {import('./api.js').Api} Api
 */

const POLL_MS = 10_000;
/** A connect that takes longer than this is bridged by REST. */
const PATIENCE_MS = 2_000;

export class Live {
  #api;
  #poll;
  #onState;
  #socket;
  #open = false;
  #running = false;
  /** @type {LiveState} */
  #state = 'connecting';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {{api: Api, onOpen: () => void, onFrame: (frame: any) => void, onState: (state: LiveState) => void,
   *   onEnded: () => void, poll: () => Promise<void>}} parts
   *   `poll` asks by REST for what pushes would have told, and rejects when the server is out of reach
   */
  constructor({ api, onOpen, onFrame, onState, onEnded, poll }) {
    this.#api = api;
    this.#poll = poll;
    this.#onState = onState;
    this.#socket = new Socket({
      url: () => this.#url(),
      onOpen,
      onFrame,
      onState: (/** @type {string} */ state) => this.#socketState(state),
      onRefused: ({ reason }) => {
        if (reason === 'session_ended') onEnded();
      },
    });
  }

  get state() {
    return this.#state;
  }

  get open() {
    return this.#open;
  }

  start() {
    this.#running = true;
    this.#state = 'connecting';
    this.#socket.start();
    this.#schedule(PATIENCE_MS);
  }

  stop() {
    this.#running = false;
    this.#open = false;
    clearTimeout(this.#timer);
    this.#socket.stop();
  }

  /** @param {object} frame @returns {boolean} whether the socket took it */
  send(frame) {
    return this.#open && this.#socket.send(frame);
  }

  /** A single-use ticket stands in the address, never the session token. */
  async #url() {
    const { ticket } = await this.#api.post('/api/admin/ws_ticket');
    const url = new URL('/ws/admin', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('ticket', ticket);
    return url.href;
  }

  /** @param {string} state of the socket */
  #socketState(state) {
    const open = state === 'open';
    if (open === this.#open || !this.#running) return;
    this.#open = open;
    if (open) {
      clearTimeout(this.#timer);
      this.#tell('live');
    } else {
      this.#schedule(PATIENCE_MS);
    }
  }

  /** @param {number} delay */
  #schedule(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), delay);
  }

  async #ask() {
    if (this.#state === 'live') this.#tell('polling');
    /** @type {LiveState} */
    let state = 'polling';
    try {
      await this.#poll();
    } catch {
      state = 'offline';
    }
    if (!this.#running || this.#open) return;
    this.#tell(state);
    this.#schedule(POLL_MS);
  }

  /** @param {LiveState} state */
  #tell(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }
}
