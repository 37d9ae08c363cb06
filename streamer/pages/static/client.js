/**
 * Live captions in a page of any origin: show a room's captions, or speak into it. docs/browser-client.md has examples.
 *
 * What is exported here only grows, within version 1 of the protocol (docs/protocol.md). The files in `client/` are not
 * promised: import this one.
 *
 * @module
 */
export { CaptionsError } from "./client/error.js";
export { microphones } from "./client/microphone.js";
export { Publisher, publish } from "./client/publish.js";
export { roomUrl, rooms, transcriptUrl } from "./client/rooms.js";
export { View, view } from "./client/view.js";

/** @typedef {import("./client/messages.js").Caption} Caption */
/** @typedef {import("./client/messages.js").Room} Room */
/** @typedef {import("./client/messages.js").Track} Track */
/** @typedef {import("./client/messages.js").Word} Word */
/** @typedef {import("./client/publish.js").PublishEvents} PublishEvents */
/** @typedef {import("./client/publish.js").PublishOptions} PublishOptions */
/** @typedef {import("./client/server.js").ServerOptions} ServerOptions */
/** @typedef {import("./client/view.js").ViewEvents} ViewEvents */
/** @typedef {import("./client/view.js").ViewOptions} ViewOptions */
