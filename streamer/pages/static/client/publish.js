import { capture } from "./capture.js";
import { CaptionsError } from "./error.js";
import { Events } from "./events.js";
import { openMicrophone } from "./microphone.js";
import { Server } from "./server.js";
import { Session } from "./session.js";
import { Versions } from "./versions.js";

/**
 * @typedef {object} OwnPublishOptions
 * @property {"microphone" | "pcm" | MediaStream} [source] `pcm`: the page calls `send`
 * @property {string | null} [deviceId] which microphone; none: the system's default
 * @property {number} [sampleRate] of `pcm`: 8000 to 48000. 16000
 * @property {number} [channels] of `pcm`: 1 to 8, interleaved. 1
 * @property {string} [track] none: named after the speaker, beside the tracks that are there
 * @property {string} [speaker] the name shown with the captions
 * @property {string} [language] BCP 47, or `auto`; none: the server's
 * @property {string[]} [vocabulary] terms to expect
 * @property {number} [endpointing] seconds of silence that end an utterance, 0.1 to 5; none: the server's
 * @property {boolean} [takeover] take the track from whoever publishes on it
 *
 * @typedef {import("./server.js").ServerOptions & OwnPublishOptions} PublishOptions
 *
 * @typedef {object} StateDetail
 * @property {import("./session.js").SessionState} state
 * @property {number} lost seconds of sound that were given up so far
 *
 * @typedef {object} PublishEvents
 * @property {StateDetail} state
 * @property {import("./messages.js").Ready} ready
 * @property {import("./messages.js").Ack} ack
 * @property {import("./messages.js").Caption} caption
 * @property {import("./messages.js").Warning} warning
 * @property {import("./messages.js").Done} done
 * @property {CaptionsError} error
 * @property {number} level root mean square of the last 40 ms, 0 to 1
 * @property {null} ended the source ended by itself
 */

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const KEEPALIVE = 5000; // milliseconds
const PIECE = 1024; // samples of each channel: a frame of the socket has at most 64 KiB

/**
 * Sound on its way into a room.
 *
 * @extends {Events<PublishEvents>}
 */
export class Publisher extends Events {
  #server; #room; #options; #bytesPerSample;
  #versions = new Versions();
  /** @type {Session | null} */
  #session = null;
  /** @type {import("./capture.js").Source | null} */
  #source = null;
  #muted = false; #ending = false; #over = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #keepalive;

  /** @param {string} room @param {PublishOptions} options */
  constructor(room, { server, token, source = "microphone", deviceId, sampleRate = 16000, channels = 1, ...options }) {
    super();
    this.#server = new Server({ server, token });
    this.#room = room;
    this.#options = { ...options, channels };
    this.#bytesPerSample = channels * 2;
    if (source === "pcm") this.#begin(sampleRate);
    /** The server's `done`, once the last caption is out; null after `close`. Rejects with what `error` tells. */
    this.finished = this.#run(source, deviceId);
    this.finished.catch(() => {}); // a page may listen to `error` instead
  }

  get muted() { return this.#muted; }

  /** Seconds of sound that the server has not acknowledged. Beyond 120 s what was not sent yet is given up. */
  get pending() { return this.#session?.pending ?? 0; }

  /**
   * Sound of the source `pcm`: 16 bits a sample, little-endian, channels interleaved. It is copied.
   *
   * @param {ArrayBuffer | ArrayBufferView} samples
   */
  send(samples) {
    const bytes = ArrayBuffer.isView(samples)
      ? new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
      : new Uint8Array(samples);
    if (bytes.length % this.#bytesPerSample) throw new TypeError("send whole samples of all channels");
    const most = PIECE * this.#bytesPerSample;
    for (let at = 0; at < bytes.length; at += most) {
      const piece = bytes.slice(at, at + most);
      this.#session?.send(this.#muted ? piece.fill(0) : piece); // a caption's time counts from the sound before it
    }
  }

  /** Silence is sent instead of the sound. @param {boolean} [muted] */
  mute(muted = true) {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#source?.mute(muted);
    this.#keepAlive();
    if (muted) this.finalize();
  }

  unmute() { this.mute(false); }

  /** The sentence is over: its final comes now. */
  finalize() { this.#session?.finalize(); }

  /** No more sound. Resolves as `finished`. */
  end() {
    this.#ending = true;
    this.#source?.close();
    this.#session?.end();
    return this.finished;
  }

  /** Leave at once: the last captions are not waited for. */
  close() {
    this.#ending = true;
    this.#source?.close();
    this.#session?.leave();
  }

  /** @param {number} sampleRate */
  #begin(sampleRate) {
    this.#session = new Session(
      this.#server,
      this.#room,
      { ...this.#options, sampleRate },
      (message) => this.#told(message),
      (state, lost) => this.emit("state", { state, lost }),
    );
    return this.#session;
  }

  /** @param {"microphone" | "pcm" | MediaStream} source @param {string | null} [deviceId] */
  async #run(source, deviceId) {
    try {
      await null; // who made this listens from the next line on
      this.#check();
      if (source !== "pcm") await this.#open(source, deviceId);
      if (this.#ending && !this.#session) return null;
      const session = this.#session ?? this.#begin(/** @type {import("./capture.js").Source} */ (this.#source).sampleRate);
      this.#keepAlive();
      return await session.run();
    } catch (thrown) {
      const error = thrown instanceof CaptionsError ? thrown : new CaptionsError("unreachable", thrown.message);
      this.emit("error", error);
      throw error;
    } finally {
      this.#over = true;
      clearInterval(this.#keepalive);
      await this.#source?.close();
    }
  }

  // The socket of a wrong name is refused, and a browser does not tell why.
  #check() {
    for (const [what, name] of Object.entries({ room: this.#room, track: this.#options.track || "main" })) {
      if (!NAME.test(name)) {
        throw new CaptionsError("bad_request", `${what}: a name has to be 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit`);
      }
    }
  }

  /** @param {"microphone" | MediaStream} source @param {string | null} [deviceId] */
  async #open(source, deviceId) {
    /** @type {import("./capture.js").Heard} */
    const heard = (samples, level) => {
      this.send(samples);
      this.emit("level", this.#muted ? 0 : level);
    };
    this.#source = source === "microphone" ? await openMicrophone(deviceId, heard) : await capture(source, heard);
    this.#source.mute(this.#muted);
    this.#source.lost.then(() => {
      if (this.#ending) return;
      this.emit("ended", null);
      this.end();
    });
  }

  #keepAlive() {
    clearInterval(this.#keepalive);
    if (!this.#over) this.#keepalive = setInterval(() => this.#session?.keepalive(this.#muted, KEEPALIVE), KEEPALIVE);
  }

  /** @param {any} message */
  #told(message) {
    if (message.type === "caption") {
      const key = this.#versions.take(message);
      if (key !== null) this.emit("caption", { ...message, key });
    } else if (message.type === "ready" || message.type === "ack" || message.type === "warning" || message.type === "done") {
      this.emit(message.type, message);
    }
  }
}

/**
 * Speaks into a room: from the microphone, a MediaStream or PCM samples. Call it from a click: browsers let no page listen
 * before one. What the server has not acknowledged is kept and sent again after a lost connection.
 *
 * @param {string} room
 * @param {PublishOptions} [options]
 */
export const publish = (room, options = {}) => new Publisher(room, options);
