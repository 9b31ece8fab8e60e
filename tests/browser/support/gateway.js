// The real gateway, on a free port, with a fresh SQLite file. It can be killed and started again on the same data.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { until } from './until.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROGRAM = process.env.GATEWAY_BIN ?? resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target', 'debug', 'gateway');

export class Gateway {
  #port = 0;
  #folder;
  #settings;
  /** @type {import('node:child_process').ChildProcess | null} */
  #process = null;
  #said = '';

  /** Starts one that lives as long as the test. @param {import('node:test').TestContext} t @param {Record<string, string>} [settings] */
  static async start(t, settings = {}) {
    await access(PROGRAM).catch(() => assert.fail(`There is no ${PROGRAM}; build it with: cargo build -p gateway`));
    const gateway = new Gateway(await mkdtemp(join(tmpdir(), 'parley-browser-')), settings);
    t.after(() => gateway.#remove());
    do {
      gateway.#port = await freePort();
    } while (!(await gateway.#serves()));
    return gateway;
  }

  constructor(folder, settings) {
    this.#folder = folder;
    this.#settings = settings;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Once more, where the pages know it to be. */
  async start() {
    assert.ok(await this.#serves(), `The gateway ended:\n${this.#said}`);
  }

  /** Starts it. @returns {Promise<boolean>} false when another program was quicker to take the port */
  async #serves() {
    const before = this.#said.length;
    let ended = false;
    this.#process = spawn(PROGRAM, [], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: `sqlite://${join(this.#folder, 'parley.db')}`,
        LISTEN_ADDR: `127.0.0.1:${this.#port}`,
        // Each browser context names an address of its own, so that the limits of one person are not those of all.
        TRUSTED_PROXIES: '127.0.0.0/8',
        ...this.#settings,
      },
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.#said += text;
      });
    }
    this.#process.once('close', () => {
      ended = true;
    });
    // Its own words: whoever has the port may answer too.
    const says = (words) => this.#said.slice(before).includes(words);
    await until('the gateway serves', () => ended || says('Panel'));
    assert.ok(!ended || says('is taken'), `The gateway ended:\n${this.#said}`);
    return !ended;
  }

  /** As a power cut would: nothing is finished, nobody is told. */
  async kill() {
    await this.#stop('SIGKILL');
  }

  /** Runs `ask`, then waits for the login code that it makes the terminal show. @param {() => Promise<unknown>} ask */
  async codeAfter(ask) {
    const before = this.#said.length;
    await ask();
    return until('a login code in the terminal', () => this.#said.slice(before).match(/login code is (\d{6})/)?.[1]);
  }

  /** Everything the gateway has written so far. */
  get said() {
    return this.#said;
  }

  /** @param {NodeJS.Signals} signal */
  async #stop(signal) {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  async #remove() {
    await this.#stop('SIGTERM');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
