import { Backoff } from "./backoff.js";
import { CaptionsError } from "./error.js";
import { FINAL_CODES, roomPath } from "./server.js";
import { Unacknowledged } from "./unacknowledged.js";

/**
 * @typedef {object} SessionOptions
 * @property {number} sampleRate
 * @property {number} channels
 * @property {string} [track] default: a free name derived from the speaker's
 * @property {string} [speaker]
 * @property {string} [language]
 * @property {string[]} [languages]
 * @property {(string | Term)[]} [vocabulary]
 * @property {number} [endpointing]
 * @property {boolean} [takeover]
 *
 * @typedef {object} Term
 * @property {string} text as captions should show it
 * @property {string[]} [sounds_like] how people say it
 * @property {number} [weight] how much more likely than other terms it is, 0.1 to 10
 *
 * @typedef {"connecting" | "live" | "behind" | "reconnecting" | "refused" | "finishing"} SessionState
 */

const MAX_KEPT = 120; // seconds of unacknowledged audio
const MAX_KEPT_BYTES = 32 * 2 ** 20;
const WINDOW = 20; // seconds of audio sent before an acknowledgement
const MAX_WINDOW_BYTES = 2 * 2 ** 20; // a server accepts 4 MiB by default
const BEHIND = 3; // seconds of unacknowledged audio above which the state is `behind`
const ACK_TIMEOUT = 10_000; // milliseconds. Without a message for so long, the connection is dead
const ENDS_SESSION = new Set([...FINAL_CODES, "track_busy", "taken_over", "too_large", "unsupported_audio"]);
const MAX_REFUSALS = 3; // refused connections in a row after which the state is `refused`

/** Sends audio into a room. Keeps unacknowledged audio and resumes the session after a lost connection. */
export class Session {
  #server; #room; #options; #onMessage; #onState; #lastState = "";
  #kept; #bytesPerSecond; #lost = 0;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {(code: number) => void} */
  #disconnect = () => {};
  #lastMessageAt = 0; #lastSentAt = 0;
  /** @type {string | null} */
  #session = null;
  #track = "";
  #began = false; #ended = false; #endSent = false; #finalizing = false;
  /** @type {import("./messages.js").Done | null} */
  #done = null;
  #leaving = new AbortController();

  /**
   * @param {import("./server.js").Server} server
   * @param {string} room
   * @param {SessionOptions} options
   * @param {(message: any) => void} onMessage called with every message of the server
   * @param {(state: SessionState, lost: number) => void} onState called with changes. `lost`: seconds of audio dropped so far
   */
  constructor(server, room, options, onMessage, onState) {
    this.#server = server;
    this.#room = room;
    this.#options = options;
    this.#bytesPerSecond = options.sampleRate * options.channels * 2;
    this.#kept = new Unacknowledged(this.#bytes(MAX_KEPT, MAX_KEPT_BYTES), this.#bytes(WINDOW, MAX_WINDOW_BYTES));
    this.#onMessage = onMessage;
    this.#onState = onState;
  }

  /** @param {number} seconds @param {number} max */
  #bytes(seconds, max) { return Math.min(seconds * this.#bytesPerSecond, max); }

  /** Seconds of unacknowledged audio. */
  get pending() { return this.#kept.bytes / this.#bytesPerSecond; }

  /** Resolves after the last caption, or to null after `leave`. Rejects if the server refuses and the refusal is final. */
  async run() {
    const backoff = new Backoff();
    const { signal } = this.#leaving;
    let refusals = 0;
    this.#setState("connecting");
    while (!signal.aborted) {
      if (!this.#session) await this.#chooseTrack();
      if (signal.aborted) break;
      const { error, opened } = await this.#connection();
      if (this.#done || signal.aborted) break;
      if (error && ENDS_SESSION.has(error.code)) throw error;
      if (opened) {
        refusals = 0;
        backoff.reset();
      } else {
        if (!this.#session) await this.#checkMayBegin();
        if (await this.#refused()) refusals += 1;
      }
      if (signal.aborted) break;
      this.#setState(refusals >= MAX_REFUSALS ? "refused" : "reconnecting");
      await backoff.wait(signal, error?.retryAfter);
    }
    return this.#done;
  }

  // Chooses a free track name before a session begins. Throws final refusals.
  async #chooseTrack() {
    const { rooms, error } = await this.#rooms();
    if (error && ENDS_SESSION.has(error.code)) throw error;
    this.#track = this.#options.track || trackName(this.#options.speaker ?? "", this.#tracksOf(rooms));
  }

  // Throws the reason if this client may not begin a session. The path answers `bad_request` if it may.
  async #checkMayBegin() {
    const reason = await this.#server.whyNot(roomPath(this.#room, "publish"));
    if (reason && reason.code !== "bad_request" && FINAL_CODES.has(reason.code)) throw reason;
  }

  // A browser does not report why a WebSocket was refused. The answer to a plain HTTP request often has the same reason.
  /** @returns {Promise<{rooms: import("./messages.js").Room[] | null, error: CaptionsError | null}>} */
  async #rooms() {
    try {
      return { rooms: await this.#server.ask("v1/rooms"), error: null };
    } catch (error) {
      return { rooms: null, error };
    }
  }

  /** @param {import("./messages.js").Room[] | null} rooms */
  #tracksOf(rooms) {
    const room = rooms?.find(({ room: name }) => name === this.#room);
    return new Set(room?.tracks.map(({ track }) => track));
  }

  // Called after a refused connection. Returns whether a server answers. Drops a session that the server does not know.
  async #refused() {
    const { rooms, error } = await this.#rooms();
    if (rooms && this.#session && !this.#tracksOf(rooms).has(this.#track)) {
      this.#session = null;
      this.#kept.restart();
    }
    return error?.code !== "unreachable";
  }

  /** @returns {[string, unknown][]} */
  #parameters() {
    const { sampleRate, channels, speaker, language, languages = [], vocabulary = [], endpointing, takeover } = this.#options;
    return [
      ["sample_rate", sampleRate], ["channels", channels === 1 ? null : channels],
      ["speaker", speaker], ["language", language], ["languages", languages.join(",") || null], ["endpointing", endpointing], ["track", this.#track], ["session", this.#session],
      ["takeover", takeover && !this.#began ? "true" : null], // not later: another publisher may have taken the track over
      ...vocabulary.map((term) => /** @type {[string, unknown]} */ (["vocabulary", written(term)])),
    ];
  }

  /**
   * Uses one connection until it closes.
   *
   * @returns {Promise<{error: CaptionsError | null, opened: boolean}>}
   */
  #connection() {
    return new Promise((resolve) => {
      /** @type {CaptionsError | null} */
      let error = null;
      let opened = false;
      const socket = this.#server.socket(roomPath(this.#room, "publish"), this.#parameters());
      const closed = () => {
        socket.onmessage = null;
        this.#socket = null;
        resolve({ error, opened });
      };
      this.#disconnect = (code) => {
        socket.close(code);
        closed();
      };
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        this.#lastMessageAt = performance.now();
        if (message.type === "ready") {
          opened = true;
          this.#ready(socket, message);
        } else if (message.type === "ack") this.#kept.acknowledge(message.offset);
        else if (message.type === "done") this.#done = message;
        else if (message.type === "error") error = CaptionsError.of(message);
        this.#onMessage(message);
        this.#flush();
      };
      socket.onclose = closed;
    });
  }

  /** @param {WebSocket} socket @param {import("./messages.js").Ready} ready */
  #ready(socket, { session, offset }) {
    this.#socket = socket;
    this.#endSent = false;
    this.#session = session;
    this.#began = true;
    this.#kept.resume(offset);
  }

  /** @param {Uint8Array} samples whole samples of all channels. The array is kept, not copied */
  send(samples) {
    if (this.#ended) return;
    this.#lost += this.#kept.push(samples);
    this.#checkConnection();
    this.#flush();
  }

  #checkConnection() {
    if (!this.#socket || !this.#kept.inFlight || performance.now() - this.#lastMessageAt < ACK_TIMEOUT) return;
    this.#disconnect(4000); // not 1000, which would end the session
  }

  #flush() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (let frame = this.#kept.next(); frame; frame = this.#kept.next()) {
      this.#socket.send(frame);
      this.#lastSentAt = performance.now();
    }
    if (this.#kept.allSent) this.#commands();
    if (this.#ended) this.#setState("finishing");
    else this.#setState(this.#kept.bytes > BEHIND * this.#bytesPerSecond ? "behind" : "live");
  }

  // Sends the commands that follow the audio.
  #commands() {
    if (this.#finalizing) {
      this.#finalizing = false;
      this.#command("finalize");
    }
    if (this.#ended && !this.#endSent) {
      this.#endSent = true;
      this.#command("end");
    }
  }

  /** @param {SessionState} state */
  #setState(state) {
    const lost = Math.ceil(this.#lost / this.#bytesPerSecond);
    if (this.#lastState === `${state} ${lost}`) return;
    this.#lastState = `${state} ${lost}`;
    this.#onState(state, lost);
  }

  /** @param {string} type */
  #command(type) { this.#socket?.send(JSON.stringify({ type })); }

  /** Ends the current utterance. */
  finalize() {
    this.#finalizing = true;
    this.#flush();
  }

  /**
   * Sends a keepalive if the publisher is muted or sent nothing for a while. Call it every few seconds.
   *
   * @param {boolean} muted
   * @param {number} every milliseconds
   */
  keepalive(muted, every) {
    this.#checkConnection();
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#endSent) return;
    if (muted || performance.now() - this.#lastSentAt > every) this.#command("keepalive");
  }

  /** Ends the audio. `run` resolves after the last caption. */
  end() {
    this.#ended = true;
    this.#setState("finishing");
    if (this.#session || this.#kept.bytes) this.#flush();
    else this.leave();
  }

  /** Closes immediately. The server still captions the audio that was sent. */
  leave() {
    this.#ended = true;
    this.#leaving.abort();
    this.#disconnect(1000);
  }
}

/**
 * A term as a parameter. A value that begins with a bracket is read as JSON.
 *
 * @param {string | Term} term
 */
const written = (term) => typeof term === "string" && !term.startsWith("{")
  ? term : JSON.stringify(typeof term === "string" ? { text: term } : term);

/**
 * A free track name derived from the speaker's name.
 *
 * @param {string} speaker
 * @param {Set<string>} taken
 */
function trackName(speaker, taken) {
  const plain = speaker.normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "");
  const name = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40) || "main";
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}
