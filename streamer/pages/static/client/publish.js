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
 * @property {string | null} [deviceId] which microphone. Default: the system's
 * @property {number} [sampleRate] of `pcm`: 8000 to 48000. Default: 16000
 * @property {number} [channels] of `pcm`: 1 to 8, interleaved. Default: 1
 * @property {string} [track] default: a free name derived from the speaker's
 * @property {string} [speaker] the name shown with the captions
 * @property {string} [language] BCP 47, or `auto`. Default: the server's
 * @property {string[]} [languages] those that `auto` looks among. Default: the server's
 * @property {(string | import("./session.js").Term)[]} [vocabulary] terms to expect
 * @property {number} [endpointing] seconds of silence that end an utterance, 0.1 to 5. Default: the server's
 * @property {boolean} [takeover] end the session of the track's current publisher
 *
 * @typedef {import("./server.js").ServerOptions & OwnPublishOptions} PublishOptions
 *
 * @typedef {object} StateDetail
 * @property {import("./session.js").SessionState} state
 * @property {number} lost seconds of audio dropped so far
 *
 * @typedef {object} PublishEvents
 * @property {StateDetail} state
 * @property {import("./messages.js").Ready} ready
 * @property {import("./messages.js").Ack} ack
 * @property {import("./messages.js").Caption} caption
 * @property {import("./messages.js").Warning} warning
 * @property {import("./messages.js").Done} done
 * @property {CaptionsError} error
 * @property {number} level root mean square of 40 ms of audio, 0 to 1
 * @property {null} ended the source ended by itself
 */

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const KEEPALIVE = 5000; // milliseconds
const FRAME_SAMPLES = 1024; // of each channel. A frame of the socket has at most 64 KiB

/**
 * Publishes audio into a room.
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
    /** Resolves to `done` after the last caption, or to null after `close`. Rejects with the detail of `error`. */
    this.finished = this.#run(source, deviceId);
    this.finished.catch(() => {}); // a page that listens to `error` need not handle the rejection
  }

  get muted() { return this.#muted; }

  /** Seconds of unacknowledged audio. Above 120 s, the oldest audio that was not sent is dropped. */
  get pending() { return this.#session?.pending ?? 0; }

  /**
   * Audio of the source `pcm`: 16-bit little-endian samples, channels interleaved. The samples are copied.
   *
   * @param {ArrayBuffer | ArrayBufferView} samples
   */
  send(samples) {
    const bytes = ArrayBuffer.isView(samples)
      ? new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
      : new Uint8Array(samples);
    if (bytes.length % this.#bytesPerSample) throw new TypeError("send whole samples of all channels");
    const size = FRAME_SAMPLES * this.#bytesPerSample;
    for (let at = 0; at < bytes.length; at += size) {
      const frame = bytes.slice(at, at + size);
      this.#session?.send(this.#muted ? frame.fill(0) : frame); // times of captions count all audio, also muted audio
    }
  }

  /** Sends silence instead of the audio. @param {boolean} [muted] */
  mute(muted = true) {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#source?.mute(muted);
    this.#keepAlive();
    if (muted) this.finalize();
  }

  unmute() { this.mute(false); }

  /** Ends the current utterance: its final follows. */
  finalize() { this.#session?.finalize(); }

  /** Ends the audio. Returns `finished`. */
  end() {
    this.#ending = true;
    this.#source?.close();
    this.#session?.end();
    return this.finished;
  }

  /** Closes immediately, without waiting for the last captions. */
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
      (message) => this.#onMessage(message),
      (state, lost) => this.emit("state", { state, lost }),
    );
    return this.#session;
  }

  /** @param {"microphone" | "pcm" | MediaStream} source @param {string | null} [deviceId] */
  async #run(source, deviceId) {
    try {
      await null; // the caller can now add listeners
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

  // Checks names before connecting: a browser does not report why a server refused a WebSocket.
  #check() {
    for (const [what, name] of Object.entries({ room: this.#room, track: this.#options.track || "main" })) {
      if (!NAME.test(name)) {
        throw new CaptionsError("bad_request", `${what}: a name has to be 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit`);
      }
    }
  }

  /** @param {"microphone" | MediaStream} source @param {string | null} [deviceId] */
  async #open(source, deviceId) {
    /** @type {import("./capture.js").OnSamples} */
    const onSamples = (samples, level) => {
      this.send(samples);
      this.emit("level", this.#muted ? 0 : level);
    };
    this.#source = source === "microphone" ? await openMicrophone(deviceId, onSamples) : await capture(source, onSamples);
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
  #onMessage(message) {
    if (message.type === "caption") {
      const key = this.#versions.take(message);
      if (key !== null) this.emit("caption", { ...message, key });
    } else if (message.type === "ready" || message.type === "ack" || message.type === "warning" || message.type === "done") {
      this.emit(message.type, message);
    }
  }
}

/**
 * Publishes the microphone, a MediaStream or PCM samples into a room. Call it from a click handler: browsers do not start
 * audio before a click. Unacknowledged audio is kept and sent again after a lost connection.
 *
 * @param {string} room
 * @param {PublishOptions} [options]
 */
export const publish = (room, options = {}) => new Publisher(room, options);
