// CloudFront's part on one machine, by the distribution that was deployed: which origin a path has, what the functions make of
// a request, what is told the origin, which headers an answer gets. `node front.js DISTRIBUTION.json` prints its port.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createContext, runInContext } from 'node:vm';

const deployed = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { distribution, functions, headers: policies, emulator } = deployed;
const items = (list) => list?.Items ?? [];

function behaviour(path) {
  const fits = ({ PathPattern: pattern }) => {
    const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
    return new RegExp(`^${escaped}$`).test(path);
  };
  return items(distribution.CacheBehaviors).find(fits) ?? distribution.DefaultCacheBehavior;
}

/** The request as a CloudFront Function of the viewer's side leaves it, or the answer that it gives itself. */
function viewed(chosen, request) {
  const url = new URL(request.url, 'http://front');
  const lower = Object.entries(request.headers).map(([name, value]) => [name, { value: String(value) }]);
  const querystring = Object.fromEntries([...url.searchParams].map(([name, value]) => [name, { value }]));
  const event = {
    version: '1.0',
    context: { eventType: 'viewer-request' },
    viewer: { ip: request.socket.remoteAddress },
    request: { method: request.method, uri: url.pathname, querystring, headers: Object.fromEntries(lower), cookies: {} },
  };
  const association = items(chosen.FunctionAssociations).find(({ EventType: type }) => type === 'viewer-request');
  if (!association) return event.request;
  const context = createContext({ event: structuredClone(event) });
  const code = functions[association.FunctionARN];
  return JSON.parse(runInContext(`${code}\nJSON.stringify(handler(event))`, context));
}

/** What goes to the origin: AllViewerExceptHostHeader, which tells the viewer's country too, and the origin's own headers. */
function toOrigin(chosen, changed) {
  const origin = items(distribution.Origins).find(({ Id: id }) => id === chosen.TargetOriginId);
  const query = Object.entries(changed.querystring).map(([name, { value }]) => `${name}=${encodeURIComponent(value)}`);
  const [api, service] = origin.DomainName.split('.');
  const path = `${origin.OriginPath ?? ''}${changed.uri}`;
  const headers = { host: `localhost:${emulator.port}` };
  if (service === 'execute-api') {
    for (const [name, { value }] of Object.entries(changed.headers)) if (name !== 'host') headers[name] = value;
    headers['cloudfront-viewer-country'] = 'TR';
  } else {
    // The bucket trusts the distribution; the emulator's owner stands for it.
    headers.authorization = emulator.authorization;
  }
  for (const { HeaderName: name, HeaderValue: value } of items(origin.CustomHeaders)) headers[name.toLowerCase()] = value;
  // The emulator answers some paths itself unless an API is named in front of them; its HTTP APIs have their stage there too.
  const prefix = service === 'execute-api' ? `/_aws/execute-api/${api}${origin.OriginPath ? '' : '/$default'}` : `/${api}`;
  const suffix = service === 'execute-api' && query.length ? `?${query.join('&')}` : '';
  return {
    host: '127.0.0.1',
    port: emulator.port,
    method: changed.method,
    path: prefix + path + suffix,
    headers,
  };
}

/** The answer's headers by the behaviour's response headers policy. */
function finished(chosen, headers) {
  const policy = policies[chosen.ResponseHeadersPolicyId];
  const security = policy.SecurityHeadersConfig;
  const put = (name, value, override) => {
    if (override || !(name in headers)) headers[name] = value;
  };
  const csp = security.ContentSecurityPolicy;
  put('content-security-policy', csp.ContentSecurityPolicy, csp.Override);
  if (security.ContentTypeOptions) put('x-content-type-options', 'nosniff', security.ContentTypeOptions.Override);
  if (security.FrameOptions) put('x-frame-options', security.FrameOptions.FrameOption, security.FrameOptions.Override);
  const referrer = security.ReferrerPolicy;
  put('referrer-policy', referrer.ReferrerPolicy, referrer.Override);
  const transport = security.StrictTransportSecurity;
  put('strict-transport-security', `max-age=${transport.AccessControlMaxAgeSec}`, transport.Override);
  for (const { Header: name, Value: value, Override: override } of items(policy.CustomHeadersConfig)) {
    put(name.toLowerCase(), value, override);
  }
  return headers;
}

function forwarded(request) {
  const chosen = behaviour(new URL(request.url, 'http://front').pathname);
  if (!items(chosen.AllowedMethods).includes(request.method)) return { status: 403 };
  const changed = viewed(chosen, request);
  return changed.statusCode ? { status: changed.statusCode, chosen } : { chosen, target: toOrigin(chosen, changed) };
}

const server = http.createServer((request, response) => {
  const { status, chosen, target } = forwarded(request);
  if (status) {
    response.writeHead(status, chosen ? finished(chosen, {}) : {}).end();
    return;
  }
  const onward = http.request(target, (answer) => {
    response.writeHead(answer.statusCode, finished(chosen, { ...answer.headers }));
    answer.pipe(response);
  });
  onward.on('error', () => response.writeHead(502).end());
  request.pipe(onward);
});

server.on('upgrade', (request, socket, head) => {
  const { target } = forwarded(request);
  socket.on('error', () => {});
  if (!target) {
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
    return;
  }
  const onward = http.request(target);
  const lines = (answer) => {
    const pairs = Array.from({ length: answer.rawHeaders.length / 2 }, (_, i) => answer.rawHeaders.slice(2 * i, 2 * i + 2));
    return [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`, ...pairs.map((pair) => pair.join(': ')), '', ''].join('\r\n');
  };
  onward.on('upgrade', (answer, peer, rest) => {
    socket.write(lines(answer));
    socket.write(rest);
    peer.write(head);
    peer.on('error', () => socket.destroy());
    peer.on('close', () => socket.destroy());
    socket.on('close', () => peer.destroy());
    peer.pipe(socket).pipe(peer);
  });
  onward.on('response', (answer) => {
    socket.write(lines(answer));
    answer.pipe(socket);
  });
  onward.on('error', () => socket.destroy());
  onward.end();
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
