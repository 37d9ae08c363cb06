import { CaptionsError } from "./error.js";

/**
 * The server, and the token for it.
 *
 * @typedef {object} ServerOptions
 * @property {string | URL | null} [server] address of the server, with the path if a proxy serves it under one. Default: the
 *   server that this module came from
 * @property {string | null} [token]
 */

/** Codes of final refusals: trying again does not help. */
export const FINAL_CODES = new Set(["bad_request", "unauthorized", "forbidden", "quota_exceeded"]);

// The server's root. A proxy may serve it under a path. This file is in the folder `static/client` of the root.
const OWN = new URL("../../", import.meta.url);

/** @param {string} room @param {string} path */
export const roomPath = (room, path) => `v1/rooms/${encodeURIComponent(room)}/${path}`;

export class Server {
  #root;
  #token;

  /** @param {ServerOptions} options */
  constructor({ server, token }) {
    const root = server ? new URL(server) : OWN;
    this.#root = root.pathname.endsWith("/") ? root : new URL(`${root.pathname}/`, root);
    this.#token = token;
  }

  /**
   * The address of a path, which begins without a slash. Parameters without a value are left out.
   *
   * @param {string} path
   * @param {[string, unknown][]} [parameters]
   */
  url(path, parameters = []) {
    const url = new URL(path, this.#root);
    for (const [name, value] of [["token", this.#token], ...parameters]) {
      if (value !== null && value !== undefined && value !== "") url.searchParams.append(String(name), String(value));
    }
    return url;
  }

  /** @param {string} path @param {[string, unknown][]} parameters */
  socket(path, parameters) {
    const url = this.url(path, parameters);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return new WebSocket(url);
  }

  /**
   * Requests JSON. Throws the refusal, or `unreachable` if no server answers.
   *
   * @param {string} path
   * @param {[string, unknown][]} [parameters]
   * @returns {Promise<any>} the parsed JSON
   */
  async ask(path, parameters) {
    return this.#answer(await this.#fetch(path, parameters));
  }

  /**
   * Sends JSON. Throws like `ask`.
   *
   * @param {string} path
   * @param {unknown} body
   * @returns {Promise<any>} the parsed JSON
   */
  async post(path, body) {
    return this.#answer(await this.#fetch(path, [], { method: "POST", body: JSON.stringify(body) }));
  }

  /**
   * Requests a text that has a version. Throws like `ask`.
   *
   * @param {string} path
   * @param {[string, unknown][]} [parameters]
   * @param {RequestInit} [init]
   * @returns {Promise<{text: string, version: string | null}>}
   */
  async versioned(path, parameters, init) {
    const response = await this.#fetch(path, parameters, init);
    if (!response.ok) await this.#answer(response);
    return { text: await response.text(), version: response.headers.get("ETag") };
  }

  /** @param {Response} response */
  async #answer(response) {
    const body = await response.json().catch(() => null);
    if (response.ok && body !== null) return body;
    throw body?.code ? CaptionsError.of(body) : unreachable(`there is no captions server at ${this.#root}`);
  }

  /**
   * A browser does not report why a WebSocket was refused. A plain HTTP request for the same content is refused for the
   * same reason. Returns null if it is not refused, or if no server answers: trying again may help.
   *
   * @param {string} path
   * @returns {Promise<CaptionsError | null>}
   */
  async whyNot(path) {
    const stopping = new AbortController();
    try {
      const response = await this.#fetch(path, [], { headers: { Accept: "text/event-stream" }, signal: stopping.signal });
      return response.ok ? null : CaptionsError.of(await response.json());
    } catch (error) {
      return error.code === "forbidden" ? error : null;
    } finally {
      stopping.abort();
    }
  }

  /** @param {string} path @param {[string, unknown][]} [parameters] @param {RequestInit} [init] */
  async #fetch(path, parameters, init) {
    const request = () => fetch(this.url(path, parameters), init);
    try {
      return await request();
    } catch {
      if (!(await this.#isThere())) throw unreachable(`the captions server at ${this.#root} does not answer`);
    }
    try {
      return await request();
    } catch {
      throw new CaptionsError(
        "forbidden",
        `the captions server at ${this.#root} does not let pages of ${location.origin} use it: pass a token, or ask its ` +
        "operator to list this origin in allowed_origins",
      );
    }
  }

  // A browser does not tell a page that may not read an answer from one that gets none. Every page may read this module.
  async #isThere() {
    if (this.#root.origin === location.origin) return false;
    return fetch(new URL("static/client.js", this.#root)).then((response) => response.ok, () => false);
  }
}

/** @param {string} message */
const unreachable = (message) => new CaptionsError("unreachable", message);
