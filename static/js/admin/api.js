// @ts-check
// REST calls of the panel: bearer, token rotation and one shape of error.

/** @typedef {import('./session.js').Session} Session */

/** A request that takes longer has been swallowed by the network. */
const PATIENCE_MS = 15_000;

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

  /** @param {string} path */
  put(path) {
    return this.#call('PUT', path, {});
  }

  /** @param {string} path */
  delete(path) {
    return this.#call('DELETE', path, {});
  }

  /**
   * @param {string} method @param {string} path
   * @param {{query?: Record<string, any>, body?: object}} options
   * @returns {Promise<any>}
   */
  async #call(method, path, { query, body }) {
    const used = this.#session.token;
    const response = await this.#send(method, path + queryString(query), used, body);
    const next = response.headers.get('X-New-Token');
    if (next) this.#session.rotate(used, next);
    if (response.ok) return readJson(response);

    if (response.status === 401 && used !== null) {
      this.#session.refresh();
      // Another tab or a parallel request has rotated meanwhile: the newer token deserves one try.
      if (this.#session.token !== null && this.#session.token !== used) {
        return this.#call(method, path, { query, body });
      }
      this.#session.end();
    }
    throw await toError(response);
  }

  /** @param {string} method @param {string} url @param {string | null} token @param {object | undefined} body */
  async #send(method, url, token, body) {
    /** @type {Record<string, string>} */
    const headers = { Accept: 'application/json' };
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    try {
      return await this.#fetch(url, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch {
      throw new ApiError({ code: 'network' });
    }
  }
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
    code: typeof body?.error === 'string' ? body.error : codeOf(response.status),
    detail: typeof body?.detail === 'string' ? body.detail : '',
    status: response.status,
    retryAfter: Number.isFinite(seconds) ? seconds : null,
  });
}

/** @param {number} status */
function codeOf(status) {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not_found';
  if (status === 429) return 'rate_limited';
  if (status === 503) return 'capacity';
  return 'internal';
}
