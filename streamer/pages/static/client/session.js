import { Backoff } from "./backoff.js";
import { CaptionsError } from "./error.js";
import { FOR_GOOD, roomPath } from "./server.js";
import { Unacknowledged } from "./unacknowledged.js";

/**
 * @typedef {object} SessionOptions
 * @property {number} sampleRate
 * @property {number} channels
 * @property {string} [track] none: named after the speaker, beside the tracks that are there
 * @property {string} [speaker]
 * @property {string} [language]
 * @property {string[]} [vocabulary]
 * @property {number} [endpointing]
 * @property {boolean} [takeover]
 *
 * @typedef {"connecting" | "live" | "behind" | "reconnecting" | "refused" | "finishing"} SessionState
 */

const KEPT = 120; // seconds of sound kept while there is no server
const MOST_KEPT = 32 * 2 ** 20; // bytes
const WINDOW = 20; // seconds of sound sent ahead of the acknowledgement
const LARGEST_WINDOW = 2 * 2 ** 20; // bytes: a server takes 4 MiB unless told otherwise
const BEHIND = 3; // seconds of unacknowledged sound that a speaker should know of
const SILENT = 10_000; // milliseconds without an acknowledgement: the connection is dead
const ENDED = new Set([...FOR_GOOD, "track_busy", "taken_over", "too_large", "unsupported_audio"]);
const PATIENCE = 3; // refusals without a reason before the speaker is told

/** Sends audio into a room; keeps what is not acknowledged and resumes where the server has it. */
export class Session {
  #server; #room; #options; #told; #tell; #said = "";
  #kept; #bytesPerSecond; #lost = 0;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {(code: number) => void} */
  #hangUp = () => {};
  #heardAt = 0; #spokeAt = 0;
  /** @type {string | null} */
  #session = null;
  #track = "";
  #began = false; #ended = false; #endSaid = false; #finalizing = false;
  /** @type {import("./messages.js").Done | null} */
  #done = null;
  #leaving = new AbortController();

  /**
   * @param {import("./server.js").Server} server
   * @param {string} room
   * @param {SessionOptions} options
   * @param {(message: any) => void} told hears every message
   * @param {(state: SessionState, lost: number) => void} state `lost`: seconds of sound that were given up so far
   */
  constructor(server, room, options, told, state) {
    this.#server = server;
    this.#room = room;
    this.#options = options;
    this.#bytesPerSecond = options.sampleRate * options.channels * 2;
    this.#kept = new Unacknowledged(this.#bytes(KEPT, MOST_KEPT), this.#bytes(WINDOW, LARGEST_WINDOW));
    this.#told = told;
    this.#tell = state;
  }

  /** @param {number} seconds @param {number} most */
  #bytes(seconds, most) { return Math.min(seconds * this.#bytesPerSecond, most); }

  /** Seconds of sound that are not acknowledged. */
  get pending() { return this.#kept.bytes / this.#bytesPerSecond; }

  /** Resolves when the last caption is out, to null after `leave`; rejects where the server refuses for good. */
  async run() {
    const backoff = new Backoff();
    const { signal } = this.#leaving;
    let refusals = 0;
    this.#say("connecting");
    while (!signal.aborted) {
      if (!this.#session) await this.#chooseTrack();
      if (signal.aborted) break;
      const { error, opened } = await this.#connection();
      if (this.#done || signal.aborted) break;
      if (error && ENDED.has(error.code)) throw error;
      if (opened) {
        refusals = 0;
        backoff.reset();
      } else if (await this.#refused()) refusals += 1;
      if (signal.aborted) break;
      this.#say(refusals >= PATIENCE ? "refused" : "reconnecting");
      await backoff.wait(signal, error?.retryAfter);
    }
    return this.#done;
  }

  // Before a session: who else speaks in the room. Throws what the server refuses for good.
  async #chooseTrack() {
    const { rooms, error } = await this.#rooms();
    if (error && ENDED.has(error.code)) throw error;
    this.#track = this.#options.track || trackName(this.#options.speaker ?? "", this.#tracksOf(rooms));
  }

  // A browser does not tell why an upgrade was refused; what plain HTTP says comes nearest.
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

  // After a connection that was not let in: true if a server is there. A session it does not know is given up.
  async #refused() {
    const { rooms, error } = await this.#rooms();
    if (rooms && this.#session && !this.#tracksOf(rooms).has(this.#track)) {
      this.#session = null;
      this.#kept.beginAnew();
    }
    return error?.code !== "unreachable";
  }

  /** @returns {[string, unknown][]} */
  #parameters() {
    const { sampleRate, channels, speaker, language, vocabulary = [], endpointing, takeover } = this.#options;
    return [
      ["sample_rate", sampleRate], ["channels", channels === 1 ? null : channels],
      ["speaker", speaker], ["language", language], ["endpointing", endpointing], ["track", this.#track], ["session", this.#session],
      ["takeover", takeover && !this.#began ? "true" : null], // later on the track is another's only if they took it
      ...vocabulary.map((term) => /** @type {[string, unknown]} */ (["vocabulary", term])),
    ];
  }

  /**
   * One connection's life.
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
      this.#hangUp = (code) => {
        socket.close(code);
        closed();
      };
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        this.#heardAt = performance.now();
        if (message.type === "ready") {
          opened = true;
          this.#ready(socket, message);
        } else if (message.type === "ack") this.#kept.acknowledge(message.offset);
        else if (message.type === "done") this.#done = message;
        else if (message.type === "error") error = CaptionsError.of(message);
        this.#told(message);
        this.#flush();
      };
      socket.onclose = closed;
    });
  }

  /** @param {WebSocket} socket @param {import("./messages.js").Ready} ready */
  #ready(socket, { session, offset }) {
    this.#socket = socket;
    this.#endSaid = false;
    this.#session = session;
    this.#began = true;
    this.#kept.resume(offset);
  }

  /** @param {Uint8Array} samples kept as it is; whole samples of all channels */
  send(samples) {
    if (this.#ended) return;
    this.#lost += this.#kept.push(samples);
    this.#hangUpWhereDead();
    this.#flush();
  }

  #hangUpWhereDead() {
    if (!this.#socket || !this.#kept.inFlight || performance.now() - this.#heardAt < SILENT) return;
    this.#hangUp(4000); // not 1000: the session is to be resumed
  }

  #flush() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (let frame = this.#kept.next(); frame; frame = this.#kept.next()) {
      this.#socket.send(frame);
      this.#spokeAt = performance.now();
    }
    if (this.#kept.allSent) this.#commands();
    if (this.#ended) this.#say("finishing");
    else this.#say(this.#kept.bytes > BEHIND * this.#bytesPerSecond ? "behind" : "live");
  }

  // What stands behind the audio.
  #commands() {
    if (this.#finalizing) {
      this.#finalizing = false;
      this.#command("finalize");
    }
    if (this.#ended && !this.#endSaid) {
      this.#endSaid = true;
      this.#command("end");
    }
  }

  /** @param {SessionState} state */
  #say(state) {
    const lost = Math.ceil(this.#lost / this.#bytesPerSecond);
    if (this.#said === `${state} ${lost}`) return;
    this.#said = `${state} ${lost}`;
    this.#tell(state, lost);
  }

  /** @param {string} type */
  #command(type) { this.#socket?.send(JSON.stringify({ type })); }

  /** End the current utterance. */
  finalize() {
    this.#finalizing = true;
    this.#flush();
  }

  /**
   * Once every few seconds: says that the publisher is there, where it is muted or says nothing else.
   *
   * @param {boolean} muted
   * @param {number} every milliseconds
   */
  keepalive(muted, every) {
    this.#hangUpWhereDead();
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#endSaid) return;
    if (muted || performance.now() - this.#spokeAt > every) this.#command("keepalive");
  }

  /** No more audio: `run` resolves when what was said is captioned. */
  end() {
    this.#ended = true;
    this.#say("finishing");
    if (this.#session || this.#kept.bytes) this.#flush();
    else this.leave();
  }

  /** Wait for nothing more: what was sent is still captioned. */
  leave() {
    this.#ended = true;
    this.#leaving.abort();
    this.#hangUp(1000);
  }
}

/**
 * A track's name from its speaker's, beside those that are taken.
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
