import { Backoff } from "./backoff.js";
import { Earlier } from "./earlier.js";
import { CaptionsError } from "./error.js";
import { Events } from "./events.js";
import { FINAL_CODES, Server, roomPath } from "./server.js";
import { Versions } from "./versions.js";

/**
 * @typedef {object} OwnViewOptions
 * @property {number | "none" | "all"} [history] how much of the room so far comes first. A number: the latest finals. Default: 200
 * @property {number | null} [after] the last `seq` received: later finals come first, instead of `history`
 * @property {string[]} [tracks] default: all
 * @property {boolean} [partials] false: finals only
 *
 * @typedef {import("./server.js").ServerOptions & OwnViewOptions} ViewOptions
 *
 * @typedef {object} ViewEvents
 * @property {import("./messages.js").Caption} caption
 * @property {import("./messages.js").Track} track
 * @property {import("./messages.js").Live} live
 * @property {import("./messages.js").Gap} gap
 * @property {import("./messages.js").Deleted} deleted
 * @property {{error: CaptionsError | null}} reconnecting
 * @property {CaptionsError} error
 */

const HISTORY = 200;

/**
 * The events of a room until `close` or an `error`, and an async iterable of its captions.
 *
 * @extends {Events<ViewEvents>}
 */
export class View extends Events {
  #server; #room; #options; #earlier;
  #versions = new Versions();
  /** @type {Map<string, number>} */
  #tracks = new Map(); // the seq of each track's state
  /** @type {number | null} */
  #after;
  /** @type {CaptionsError | null} */
  #error = null;
  #closing = new AbortController();

  /** @param {string} room @param {ViewOptions} options */
  constructor(room, { server, token, history = HISTORY, after = null, tracks = [], partials = true }) {
    super();
    this.#server = new Server({ server, token });
    this.#room = room;
    this.#options = { history, tracks, partials };
    this.#after = after;
    const requested = history === "all" ? Infinity : history === "none" || after !== null ? 0 : history;
    this.#earlier = new Earlier(this.#server, room, tracks, requested);
    this.#follow().catch((error) => this.#fail(new CaptionsError("unreachable", error.message)));
  }

  /** Whether there may be earlier captions. Known after the first `live`. */
  get more() { return this.#earlier.more; }

  /**
   * Up to `count` captions from before the first one received, in the order they were spoken. Throws a CaptionsError.
   *
   * @param {number} [count]
   * @returns {Promise<import("./messages.js").Caption[]>}
   */
  async earlier(count = HISTORY) {
    return (await this.#earlier.page(count)).map((caption) => this.#newer(caption)).filter((caption) => caption !== null);
  }

  close() { this.#closing.abort(); }

  /**
   * Ends with the view. Leaving the loop closes the view. A slow loop gets only the latest version of each caption.
   *
   * @returns {AsyncGenerator<import("./messages.js").Caption, void, void>}
   */
  async *[Symbol.asyncIterator]() {
    /** @type {Map<string, import("./messages.js").Caption>} */
    const waiting = new Map();
    let wake = () => {};
    const woken = () => wake();
    /** @param {CustomEvent<import("./messages.js").Caption>} event */
    const onCaption = ({ detail }) => {
      waiting.set(detail.key, detail);
      wake();
    };
    this.addEventListener("caption", onCaption);
    this.#closing.signal.addEventListener("abort", woken);
    try {
      for (;;) {
        for (const [key, caption] of waiting) {
          waiting.delete(key);
          yield caption;
        }
        if (this.#error) throw this.#error;
        if (this.#closing.signal.aborted) return;
        await /** @type {Promise<void>} */ (new Promise((resolve) => { wake = resolve; }));
      }
    } finally {
      this.removeEventListener("caption", onCaption);
      this.#closing.signal.removeEventListener("abort", woken);
      this.close();
    }
  }

  async #follow() {
    const backoff = new Backoff();
    const { signal } = this.#closing;
    for (;;) {
      const { opened, error } = await this.#connection(backoff);
      if (signal.aborted) return;
      const refusal = opened ? error : await this.#server.whyNot(roomPath(this.#room, "captions"));
      if (signal.aborted) return;
      if (refusal && FINAL_CODES.has(refusal.code)) return this.#fail(refusal);
      this.emit("reconnecting", { error: refusal });
      await backoff.wait(signal, refusal?.retryAfter);
      if (signal.aborted) return;
    }
  }

  /**
   * Uses one connection until it closes.
   *
   * @param {Backoff} backoff
   * @returns {Promise<{opened: boolean, error: CaptionsError | null}>}
   */
  #connection(backoff) {
    return new Promise((resolve) => {
      const { history, tracks, partials } = this.#options;
      const socket = this.#server.socket(roomPath(this.#room, "captions"), [
        ["after", this.#after], ["history", history], ["partials", partials ? null : "false"],
        ...tracks.map((track) => /** @type {[string, unknown]} */ (["track", track])),
      ]);
      let opened = false;
      /** @type {CaptionsError | null} */
      let error = null;
      const leave = () => {
        socket.onmessage = null;
        socket.close();
      };
      this.#closing.signal.addEventListener("abort", leave);
      socket.onopen = () => { opened = true; };
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === "error") error = CaptionsError.of(message);
        if (message.type === "live") backoff.reset();
        this.#onMessage(message);
      };
      socket.onclose = () => {
        this.#closing.signal.removeEventListener("abort", leave);
        resolve({ opened, error });
      };
    });
  }

  /** @param {any} message */
  #onMessage(message) {
    if (message.type === "gap") this.#after = message.to;
    if (message.seq !== undefined) this.#after = message.seq;
    if (message.type === "caption") this.#caption(message);
    else if (message.type === "track") this.#track(message);
    else if (message.type === "live") {
      this.#earlier.live();
      this.emit("live", message);
    } else if (message.type === "gap") {
      this.#tracks.clear(); // the server sends all retained events again
      this.emit("gap", message);
    } else if (message.type === "deleted") this.emit("deleted", message);
  }

  /** @param {import("./messages.js").CaptionMessage} message */
  #caption(message) {
    if (message.seq !== undefined) this.#earlier.received(message.seq);
    const caption = this.#newer(message);
    if (caption) this.emit("caption", caption);
  }

  /** @param {import("./messages.js").Track} message */
  #track(message) {
    if (message.seq <= (this.#tracks.get(message.track) ?? -1)) return;
    this.#tracks.set(message.track, message.seq);
    this.emit("track", message);
  }

  /** @param {import("./messages.js").CaptionMessage} message */
  #newer(message) {
    const key = this.#versions.take(message);
    return key === null ? null : { ...message, key };
  }

  /** @param {CaptionsError} error */
  #fail(error) {
    this.#error = error;
    this.close();
    this.emit("error", error);
  }
}

/**
 * Views a room's captions. Connects immediately. After a lost connection it connects again and continues after the last
 * event received. Late and repeated versions of captions are dropped.
 *
 * @param {string} room
 * @param {ViewOptions} [options]
 */
export const view = (room, options = {}) => new View(room, options);
