import { Server, roomPath } from "./server.js";

/**
 * Lists the live rooms. Throws a CaptionsError.
 *
 * @param {import("./server.js").ServerOptions} [options]
 * @returns {Promise<import("./messages.js").Room[]>}
 */
export const rooms = (options = {}) => new Server(options).ask("v1/rooms");

/**
 * The address of the page that shows a room's captions.
 *
 * @param {string} room
 * @param {import("./server.js").ServerOptions} [options]
 */
export const roomUrl = (room, options = {}) => new Server(options).url(`r/${encodeURIComponent(room)}`);

/**
 * The address of a room's transcript so far.
 *
 * @param {string} room
 * @param {"txt" | "srt" | "vtt" | "json"} format
 * @param {import("./server.js").ServerOptions} [options]
 */
export const transcriptUrl = (room, format, options = {}) =>
  new Server(options).url(roomPath(room, "transcript"), [["format", format]]);
