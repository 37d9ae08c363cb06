import { Server } from "./server.js";

/**
 * Makes a short-lived token with the rights of yours or fewer: for a link that you share. Throws a CaptionsError, also
 * `not_found` if the server cannot make tokens.
 *
 * @param {{rooms?: string[], rights?: string[], expires_in?: number}} wanted rooms (or patterns), rights, and the seconds that
 *   the token is valid for. By default everything that your token is for, and an hour
 * @param {import("./server.js").ServerOptions} [options]
 * @returns {Promise<{token: string, expires_at: number}>} `expires_at` in Unix seconds
 */
export const makeToken = (wanted, options = {}) => new Server(options).post("v1/tokens", wanted);
