// The functions that CloudFront runs before anything else sees a request.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** What a function makes of a request of 203.0.113.7's. */
function run(name, uri, { headers = {}, querystring = {} } = {}) {
  const event = { viewer: { ip: '203.0.113.7' }, request: { method: 'GET', uri, querystring, headers } };
  const script = `${read(`infra/cloudfront/${name}.js`)}\nJSON.stringify(handler(event))`;
  return JSON.parse(runInContext(script, createContext({ event: structuredClone(event) })));
}

test('both socket addresses lead to the one WebSocket API, and a ticket comes along', () => {
  const ticket = { value: 'abc' };
  const visitor = run('apis', '/ws/client', { querystring: { socket: { value: 'admin' }, other: { value: 'x' } } });
  const admin = run('apis', '/ws/admin', { querystring: { ticket, socket: { value: 'client' } } });

  assert.equal(visitor.uri, '/');
  assert.deepEqual(visitor.querystring, { socket: { value: 'client' } });
  assert.equal(admin.uri, '/');
  assert.deepEqual(admin.querystring, { socket: { value: 'admin' }, ticket });
});

test('the REST routes stay as they are asked for', () => {
  const querystring = { since: { value: '3' } };
  for (const uri of ['/api/visitor/messages', '/health', '/ws/other']) {
    const request = run('apis', uri, { querystring });
    assert.equal(request.uri, uri);
    assert.deepEqual(request.querystring, querystring);
  }
});

test('nobody else tells the functions an address or knows the secret', () => {
  const headers = { 'x-viewer-address': { value: '198.51.100.1' }, 'x-origin-secret': { value: 'guess' } };
  for (const uri of ['/api/visitor/join', '/ws/client']) {
    const request = run('apis', uri, { headers });
    assert.equal(request.headers['x-viewer-address'].value, '203.0.113.7');
    assert.equal('x-origin-secret' in request.headers, false);
  }
});

test('each page has one address', () => {
  assert.equal(run('pages', '/').uri, '/index.html');
  assert.equal(run('pages', '/admin').uri, '/admin.html');
  assert.equal(run('pages', '/js/dom.js').uri, '/js/dom.js');
  assert.equal(run('pages', '/index.html').statusCode, 404);
  assert.equal(run('pages', '/admin.html').statusCode, 404);
});

test('what is deployed is what stands in infra/cloudfront', () => {
  const template = read('template.yaml');
  for (const name of ['apis', 'pages']) {
    const lines = read(`infra/cloudfront/${name}.js`).trimEnd().split('\n');
    const block = lines.map((line) => (line ? `        ${line}` : '')).join('\n');
    assert.ok(template.includes(`FunctionCode: |\n${block}\n`), name);
  }
});
