import { Server, roomPath } from "./server.js";

/** @typedef {import("./server.js").ServerOptions} ServerOptions */

/**
 * A room's glossary, a term a line, and its version. Throws a CaptionsError.
 *
 * @param {string} room
 * @param {ServerOptions} [options]
 */
export const glossary = (room, options = {}) =>
  new Server(options).versioned(roomPath(room, "glossary"), [["format", "txt"]]);

/**
 * Replaces a room's glossary by `lines`. Throws a CaptionsError: `changed` if it is no longer the given version.
 *
 * @param {string} room
 * @param {string} lines a term a line
 * @param {string | null} version of what was changed
 * @param {ServerOptions} [options]
 * @returns {Promise<{count: number, leftOut: string[], version: string | null}>} `leftOut`: terms that do not fit into a stream
 */
export async function saveGlossary(room, lines, version, options = {}) {
  const headers = { "Content-Type": "text/plain; charset=utf-8", ...(version && { "If-Match": version }) };
  const answer = await new Server(options).versioned(roomPath(room, "glossary"), [], { method: "PUT", body: lines, headers });
  const { terms, left_out: leftOut } = JSON.parse(answer.text);
  return { count: terms.length, leftOut, version: answer.version };
}

/**
 * The terms that a server finds in a text. Throws a CaptionsError.
 *
 * @param {string} text
 * @param {string} language BCP 47; empty means English
 * @param {ServerOptions} [options]
 * @returns {Promise<string[]>}
 */
export const findTerms = async (text, language, options = {}) =>
  (await new Server(options).post("v1/glossary/proposal", { text, ...(language && { language }) })).terms;
