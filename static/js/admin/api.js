// @ts-check
// REST calls of the panel: bearer, token rotation and one shape of error.

/**
 * @typedef {import('./session.js').Session} Session
 * @typedef {{method: string, url: string, headers: Record<string, string>, body?: object, patience: number}} Request
 *   `patience` in milliseconds
 */

/** A request that takes longer has been swallowed by the network. */
const PATIENCE_MS = 15_000;
/** Twenty megabytes over a slow line. */
const FILE_PATIENCE_MS = 120_000;

export class ApiError extends Error {
  /** @param {{code: string, detail?: string, status?: number, retryAfter?: number | null}} parts */
  constructor({ code, detail = '', status = 0, retryAfter = null }) {
    super(detail || code);
    this.name = 'ApiError';
    this.code = code;
    this.detail = detail;
    this.status = status;
    /** seconds to wait, when the server says so */
    this.retryAfter = retryAfter;
  }
}

export class Api {
  #session;
  #fetch;

  /** @param {{session: Session, fetch?: typeof fetch}} parts */
  constructor({ session, fetch = globalThis.fetch.bind(globalThis) }) {
    this.#session = session;
    this.#fetch = fetch;
  }

  /** @param {string} path @param {Record<string, any>} [query] */
  get(path, query) {
    return this.#call('GET', path, { query });
  }

  /** @param {string} path @param {object} [body] */
  post(path, body) {
    return this.#call('POST', path, { body });
  }

  /** @param {string} path @param {object} [body] */
  put(path, body) {
    return this.#call('PUT', path, { body });
  }

  /** @param {string} path */
  delete(path) {
    return this.#call('DELETE', path, {});
  }

  /** @param {string} path @param {string} range which bytes @returns {Promise<Response>} whatever its status */
  file(path, range) {
    return this.#exchange({ method: 'GET', url: path, headers: { Range: range }, patience: FILE_PATIENCE_MS });
  }

  /**
   * @param {string} method @param {string} path
   * @param {{query?: Record<string, any>, body?: object}} options
   * @returns {Promise<any>}
   */
  async #call(method, path, { query, body }) {
    const response = await this.#exchange({ method, url: path + queryString(query), headers: { Accept: 'application/json' }, body, patience: PATIENCE_MS });
    if (response.ok) return readJson(response);
    throw await toError(response);
  }

  /** @param {Request} request @returns {Promise<Response>} */
  async #exchange(request) {
    const used = this.#session.token;
    const response = await this.#send(request, used);
    const next = response.headers.get('X-New-Token');
    if (next) this.#session.rotate(used, next);
    if (response.status !== 401 || used === null) return response;

    this.#session.refresh();
    // Another tab or a parallel request has rotated meanwhile: the newer token deserves one try.
    if (this.#session.token !== null && this.#session.token !== used) return this.#exchange(request);
    this.#session.end();
    return response;
  }

  /** @param {Request} request @param {string | null} token */
  async #send({ method, url, headers, body, patience }, token) {
    try {
      return await this.#fetch(url, {
        method,
        headers: {
          ...headers,
          ...(token !== null && { Authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(patience),
      });
    } catch {
      throw new ApiError({ code: 'network' });
    }
  }
}

/** @param {unknown} cause */
export function codeOf(cause) {
  return cause instanceof ApiError ? cause.code : 'internal';
}

/** @param {Record<string, any>} [query] values that are empty are left out */
export function queryString(query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`;
}

/** @param {Response} response */
async function readJson(response) {
  try {
    return await response.json();
  } catch {
    throw new ApiError({ code: 'internal', status: response.status });
  }
}

/** @param {Response} response */
async function toError(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    // A proxy in between may answer with a page of its own; the status still tells enough.
  }
  const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
  return new ApiError({
    code: typeof body?.error === 'string' ? body.error : codeOfStatus(response.status),
    detail: typeof body?.detail === 'string' ? body.detail : '',
    status: response.status,
    retryAfter: Number.isFinite(seconds) ? seconds : null,
  });
}

/** @param {number} status */
function codeOfStatus(status) {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not_found';
  if (status === 429) return 'rate_limited';
  if (status === 503) return 'capacity';
  return 'internal';
}
