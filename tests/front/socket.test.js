import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Socket } from '../../static/js/socket.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A world whose clock moves only when told to, and whose connections do what the test says. */
class World {
  now = 0;
  timers = new Map();
  listeners = new Map();
  sockets = [];
  online = true;
  draw = 1;
  #ids = 0;

  constructor() {
    const world = this;
    this.WebSocket = class {
      constructor(url) {
        this.url = url;
        this.sent = [];
        world.sockets.push(this);
      }
      send(text) { this.sent.push(JSON.parse(text)); }
      close() { this.closed = true; }
      accept() { this.onopen?.(); }
      say(frame) { this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) }); }
      cut(code = 1006, reason = '') { this.onclose?.({ code, reason }); }
    };
  }

  setTimeout = (run, ms) => {
    this.#ids += 1;
    this.timers.set(this.#ids, { run, at: this.now + ms });
    return this.#ids;
  };
  clearTimeout = (id) => this.timers.delete(id);
  random = () => this.draw;
  isOnline = () => this.online;
  isVisible = () => true;
  listen = (event, listener) => this.listeners.set(event, listener);

  async pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.now = due[1].at;
      due[1].run();
      await settle();
    }
    this.now = end;
  }

  get last() { return this.sockets.at(-1); }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

async function started(options = {}) {
  const world = new World();
  const seen = { states: [], frames: [], refused: [], opened: 0 };
  const socket = new Socket({
    url: async () => 'ws://x/ws',
    onOpen: () => { seen.opened += 1; },
    onFrame: (frame) => seen.frames.push(frame),
    onState: (state) => seen.states.push(state),
    onRefused: (refusal) => seen.refused.push(refusal),
    ...options,
  }, world);
  socket.start();
  await settle();
  return { world, seen, socket };
}

test('frames go both ways once it is open, and rubbish is passed over', async () => {
  const { world, seen, socket } = await started();
  assert.equal(socket.send({ type: 'ping' }), false);
  world.last.accept();

  assert.equal(socket.send({ type: 'typing' }), true);
  world.last.say('not json');
  world.last.say({ type: 'pong', head_seq: 3 });

  assert.deepEqual(world.last.sent, [{ type: 'typing' }]);
  assert.deepEqual(seen.frames, [{ type: 'pong', head_seq: 3 }]);
  assert.deepEqual(seen.states, ['connecting', 'open']);
});

test('waiting times grow to 30 s and start again after something was received', async () => {
  const { world } = await started();
  const waits = [];
  for (let i = 0; i < 9; i += 1) {
    const attempts = world.sockets.length;
    world.last.cut();
    const from = world.now;
    while (world.sockets.length === attempts) await world.pass(250);
    waits.push(world.now - from);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);

  world.last.accept();
  world.last.say({ type: 'pong' });
  const attempts = world.sockets.length;
  world.last.cut();
  await world.pass(500);
  assert.equal(world.sockets.length, attempts + 1);
});

test('a server that accepts and says nothing is not hammered', async () => {
  const { world } = await started();
  for (let i = 0; i < 7; i += 1) {
    world.last.accept();
    world.last.cut();
    await world.pass(30 * SECOND);
  }
  const attempts = world.sockets.length;
  world.last.accept();
  world.last.cut();
  await world.pass(29 * SECOND);
  assert.equal(world.sockets.length, attempts);
});

test('refusals are counted in a row, anew after a stop; a cut line is none', async () => {
  const { world, seen, socket } = await started();
  world.last.accept();
  world.last.say({ type: 'pong' });
  world.last.cut();
  assert.deepEqual(seen.refused, []);

  for (let refusal = 1; refusal <= 3; refusal += 1) {
    while (world.sockets.length === refusal) await world.pass(250);
    world.last.cut();
  }
  while (world.sockets.length === 4) await world.pass(250);
  world.last.accept();
  world.last.cut();
  while (world.sockets.length === 5) await world.pass(250);
  world.last.cut();
  assert.deepEqual(seen.refused.map((refusal) => refusal.failures), [1, 2, 3, 1]);

  socket.stop();
  socket.start();
  await settle();
  world.last.cut();
  assert.equal(seen.refused.at(-1).failures, 1);
});

test('an url that cannot be had is a refusal with its cause', async () => {
  const cause = new Error('401');
  const { world, seen } = await started({ url: async () => { throw cause; } });
  assert.equal(world.sockets.length, 0);
  assert.equal(seen.refused[0].error, cause);
});

test('a session that ended is told with its reason, and stopping then holds', async () => {
  const { world, seen, socket } = await started();
  world.last.accept();
  world.last.cut(1008, 'session_ended');
  assert.deepEqual(seen.refused.map(({ code, reason }) => [code, reason]), [[1008, 'session_ended']]);

  socket.stop();
  await world.pass(10 * MINUTE);
  assert.equal(world.sockets.length, 1);
  assert.equal(socket.state, 'stopped');
});

test('an attempt that hangs is given up after 15 s', async () => {
  const { world, seen } = await started();
  await world.pass(15 * SECOND);
  assert.equal(seen.refused.length, 1);
  assert.equal(world.last.closed, true);
});

test('it pings every 4 to 5 minutes and reconnects when no pong comes within 10 s', async () => {
  const { world } = await started();
  world.draw = 0;
  world.last.accept();
  await world.pass(4 * MINUTE);
  assert.deepEqual(world.last.sent, [{ type: 'ping' }]);
  world.last.say({ type: 'pong', head_seq: 0 });
  await world.pass(10 * SECOND);
  assert.equal(world.sockets.length, 1);

  await world.pass(4 * MINUTE);
  assert.equal(world.sockets.length, 2);
  assert.equal(world.sockets[0].closed, true);
});

test('it goes to a new connection before the platform cuts the old one at two hours', async () => {
  const { world } = await started();
  world.last.accept();
  const answering = world.last;
  for (let i = 0; i < 24 && world.sockets.length === 1; i += 1) {
    await world.pass(5 * MINUTE);
    answering.say({ type: 'pong' });
  }
  assert.equal(world.sockets.length, 2);
  assert.ok(world.now < 120 * MINUTE);
});

test('the network coming back, or the tab being looked at, ends the waiting', async () => {
  const { world, socket } = await started();
  world.online = false;
  world.last.cut();
  assert.equal(socket.state, 'offline');

  world.listeners.get('online')();
  await settle();
  assert.equal(socket.state, 'connecting');
  assert.equal(world.sockets.length, 2);
});

test('a tab that becomes visible pings within 10 s', async () => {
  const { world } = await started();
  world.last.accept();
  world.listeners.get('visibilitychange')();
  await world.pass(9 * SECOND);
  assert.deepEqual(world.last.sent, [{ type: 'ping' }]);
});

test('what an abandoned connection still says is not heard', async () => {
  const { world, seen, socket } = await started();
  const first = world.last;
  first.accept();
  const late = first.onmessage;
  socket.restart();
  await settle();
  late({ data: '{"type":"message"}' });
  assert.deepEqual(seen.frames, []);
});
