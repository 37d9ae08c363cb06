import { Backoff } from "./backoff.js";
import { Earlier } from "./earlier.js";
import { CaptionsError } from "./error.js";
import { Events } from "./events.js";
import { FOR_GOOD, Server, roomPath } from "./server.js";
import { Versions } from "./versions.js";

/**
 * @typedef {object} OwnViewOptions
 * @property {number | "none" | "all"} [history] how much of the room so far comes first: so many of the latest finals. 200
 * @property {number | null} [after] the last `seq` that was seen: later finals come first, instead of `history`
 * @property {string[]} [tracks] none: all
 * @property {boolean} [partials] false: finals only
 *
 * @typedef {import("./server.js").ServerOptions & OwnViewOptions} ViewOptions
 *
 * @typedef {object} ViewEvents
 * @property {import("./messages.js").Caption} caption
 * @property {import("./messages.js").Track} track
 * @property {import("./messages.js").Live} live
 * @property {import("./messages.js").Gap} gap
 * @property {{error: CaptionsError | null}} reconnecting
 * @property {CaptionsError} error
 */

const HISTORY = 200;

/**
 * A room's captions, until `close` or an `error`: as events, and as an async iterable of captions.
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
    const asked = history === "all" ? Infinity : history === "none" || after !== null ? 0 : history;
    this.#earlier = new Earlier(this.#server, room, tracks, asked);
    this.#follow().catch((error) => this.#fail(new CaptionsError("unreachable", error.message)));
  }

  /** Whether `earlier` may find something: known once the first `live` is told. */
  get more() { return this.#earlier.more; }

  /**
   * Up to so many captions from before the first that was told, in the order they were spoken. Throws a CaptionsError.
   *
   * @param {number} [count]
   * @returns {Promise<import("./messages.js").Caption[]>}
   */
  async earlier(count = HISTORY) {
    return (await this.#earlier.page(count)).map((caption) => this.#news(caption)).filter((caption) => caption !== null);
  }

  close() { this.#closing.abort(); }

  /**
   * Ends with the view, and ends the view where it is left. Who reads slowly is told the latest version of each caption.
   *
   * @returns {AsyncGenerator<import("./messages.js").Caption, void, void>}
   */
  async *[Symbol.asyncIterator]() {
    /** @type {Map<string, import("./messages.js").Caption>} */
    const waiting = new Map();
    let wake = () => {};
    const woken = () => wake();
    /** @param {CustomEvent<import("./messages.js").Caption>} event */
    const told = ({ detail }) => {
      waiting.set(detail.key, detail);
      wake();
    };
    this.addEventListener("caption", told);
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
      this.removeEventListener("caption", told);
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
      if (refusal && FOR_GOOD.has(refusal.code)) return this.#fail(refusal);
      this.emit("reconnecting", { error: refusal });
      await backoff.wait(signal, refusal?.retryAfter);
      if (signal.aborted) return;
    }
  }

  /**
   * One connection's life.
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
        this.#told(message);
      };
      socket.onclose = () => {
        this.#closing.signal.removeEventListener("abort", leave);
        resolve({ opened, error });
      };
    });
  }

  /** @param {any} message */
  #told(message) {
    if (message.type === "gap") this.#after = message.to;
    if (message.seq !== undefined) this.#after = message.seq;
    if (message.type === "caption") this.#caption(message);
    else if (message.type === "track") this.#track(message);
    else if (message.type === "live") {
      this.#earlier.live();
      this.emit("live", message);
    } else if (message.type === "gap") {
      this.#tracks.clear(); // everything that is kept is told again
      this.emit("gap", message);
    }
  }

  /** @param {import("./messages.js").CaptionMessage} message */
  #caption(message) {
    if (message.seq !== undefined) this.#earlier.told(message.seq);
    const caption = this.#news(message);
    if (caption) this.emit("caption", caption);
  }

  /** @param {import("./messages.js").Track} message */
  #track(message) {
    if (message.seq <= (this.#tracks.get(message.track) ?? -1)) return;
    this.#tracks.set(message.track, message.seq);
    this.emit("track", message);
  }

  /** @param {import("./messages.js").CaptionMessage} message */
  #news(message) {
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
 * A room's captions. Connects at once, and again whenever the connection is lost, going on after what was seen. Versions
 * that come late or twice are dropped.
 *
 * @param {string} room
 * @param {ViewOptions} [options]
 */
export const view = (room, options = {}) => new View(room, options);
