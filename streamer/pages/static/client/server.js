import { CaptionsError } from "./error.js";

/**
 * Where the server is and who asks.
 *
 * @typedef {object} ServerOptions
 * @property {string | URL | null} [server] address of the server, with its path where a proxy has it under one; without it
 *   the server that this module came from
 * @property {string | null} [token]
 */

/** Refusals that stay refusals however often they are asked. */
export const FOR_GOOD = new Set(["bad_request", "unauthorized", "forbidden"]);

// A proxy may have the server under a path of its own. This file lies in its folder `static/client`.
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
   * The address of a path of the server, which begins without a slash; parameters without a value are left out.
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
   * Throws the refusal, or `unreachable` where there is no server.
   *
   * @param {string} path
   * @param {[string, unknown][]} [parameters]
   * @returns {Promise<any>} what JSON says
   */
  async ask(path, parameters) {
    const response = await this.#fetch(path, parameters);
    const body = await response.json().catch(() => null);
    if (response.ok && body !== null) return body;
    throw body?.code ? CaptionsError.of(body) : unreachable(`there is no captions server at ${this.#root}`);
  }

  /**
   * A browser does not tell why the upgrade to a socket was refused. The same content over plain HTTP is refused for the
   * same reason. Null where it is not, or where there is no server: it may come back.
   *
   * @param {string} path
   * @returns {Promise<CaptionsError | null>}
   */
  async whyNot(path) {
    const stopping = new AbortController();
    try {
      const response = await this.#fetch(path, [], { headers: { Accept: "text/event-stream" }, signal: stopping.signal });
      return response.ok ? null : CaptionsError.of(await response.json());
    } catch {
      return null;
    } finally {
      stopping.abort();
    }
  }

  /** @param {string} path @param {[string, unknown][]} [parameters] @param {RequestInit} [init] */
  async #fetch(path, parameters, init) {
    try {
      return await fetch(this.url(path, parameters), init);
    } catch {
      throw unreachable(`the captions server at ${this.#root} does not answer`);
    }
  }
}

/** @param {string} message */
const unreachable = (message) => new CaptionsError("unreachable", message);
