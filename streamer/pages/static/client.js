/**
 * Live captions in a page of any origin: show a room's captions, or publish audio into it. Examples: docs/browser-client.md.
 *
 * Within version 1 of the protocol (docs/protocol.md), exports are added but not removed. Import this file: the files in
 * `client/` may change.
 *
 * @module
 */
export { CaptionsError } from "./client/error.js";
export { microphones } from "./client/microphone.js";
export { Publisher, publish } from "./client/publish.js";
export { roomUrl, rooms, transcriptUrl } from "./client/rooms.js";
export { makeToken } from "./client/tokens.js";
export { View, view } from "./client/view.js";

/** @typedef {import("./client/messages.js").Caption} Caption */
/** @typedef {import("./client/messages.js").Room} Room */
/** @typedef {import("./client/messages.js").Track} Track */
/** @typedef {import("./client/messages.js").Word} Word */
/** @typedef {import("./client/publish.js").PublishEvents} PublishEvents */
/** @typedef {import("./client/publish.js").PublishOptions} PublishOptions */
/** @typedef {import("./client/server.js").ServerOptions} ServerOptions */
/** @typedef {import("./client/session.js").Term} Term */
/** @typedef {import("./client/view.js").ViewEvents} ViewEvents */
/** @typedef {import("./client/view.js").ViewOptions} ViewOptions */
