// Sends audio into a room; keeps what is not acknowledged and resumes where the server has it.
import { Backoff, socketUrl, token } from "./viewer.js";

const MOST_KEPT = 4 * 1024 * 1024; // bytes: two minutes at 16 kHz
const BEHIND = 3; // seconds of unacknowledged audio
const FOR_GOOD = new Set(["bad_request", "unauthorized", "forbidden", "track_busy", "too_large", "unsupported_audio"]);

export class Publisher {
  #room; #parameters; #told; #state; #bytesPerSecond;
  #kept = []; #keptBytes = 0; #sent = 0; #acknowledged = 0;
  #socket = null; #session = null; #ended = false; #done = false; #refusal = null;

  constructor(room, { sampleRate, speaker, language }, told, state) {
    this.#room = room;
    this.#bytesPerSecond = sampleRate * 2;
    this.#parameters = [["sample_rate", sampleRate], ["speaker", speaker], ["language", language], ["token", token]];
    this.#told = told;
    this.#state = state;
  }

  // Resolves when the last caption is out; rejects where the server refuses for good.
  async run() {
    const backoff = new Backoff();
    this.#state("connecting");
    while (!this.#done) {
      await new Promise((closed) => this.#connect(closed, backoff));
      this.#socket = null;
      if (this.#done) return;
      const refusal = this.#refusal;
      this.#refusal = null;
      if (refusal && FOR_GOOD.has(refusal.code)) throw new Error(refusal.message);
      if (this.#session && (refusal?.code === "not_found" || !refusal)) await this.#stillThere();
      this.#state("reconnecting");
      await backoff.wait(refusal?.retry_after);
    }
  }

  #connect(closed, backoff) {
    const parameters = [...this.#parameters, ["session", this.#session]];
    const socket = new WebSocket(socketUrl(`/v1/rooms/${encodeURIComponent(this.#room)}/publish`, parameters));
    let opened = false;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "ready") {
        opened = true;
        backoff.reset();
        this.#session = message.session;
        this.#acknowledge(message.offset);
        this.#sent = 0;
        this.#socket = socket;
        this.#state("live");
        this.#flush();
      } else if (message.type === "ack") {
        this.#acknowledge(message.offset);
        this.#state(this.#keptBytes > BEHIND * this.#bytesPerSecond ? "behind" : "live");
      } else if (message.type === "done") this.#done = true;
      else if (message.type === "error") this.#refusal = message;
      this.#told(message);
    };
    socket.onclose = () => {
      if (!opened && this.#session) this.#failedResumes += 1;
      closed();
    };
  }

  #failedResumes = 0;

  // A browser does not tell why an upgrade was refused: a resume that fails twice finds no session any more.
  async #stillThere() {
    if (this.#failedResumes < 2) return;
    this.#failedResumes = 0;
    this.#session = null;
    this.#acknowledged = 0;
    this.#state("resumed elsewhere");
  }

  send(samples) {
    if (this.#ended) return;
    this.#kept.push(new Uint8Array(samples));
    this.#keptBytes += samples.byteLength;
    while (this.#keptBytes > MOST_KEPT) { // two minutes without a server: the oldest sound is given up
      const oldest = this.#kept.shift();
      this.#keptBytes -= oldest.length;
      this.#acknowledged += oldest.length;
      this.#session = null;
    }
    this.#flush();
  }

  #flush() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    while (this.#sent < this.#kept.length) this.#socket.send(this.#kept[this.#sent++]);
    if (this.#ended) this.#say("end");
  }

  #acknowledge(offset) {
    let safe = offset - this.#acknowledged;
    this.#acknowledged = Math.max(this.#acknowledged, offset);
    while (safe > 0 && this.#kept.length) {
      const frame = this.#kept.shift();
      this.#sent = Math.max(0, this.#sent - 1);
      this.#keptBytes -= frame.length;
      if (frame.length > safe) {
        this.#kept.unshift(frame.subarray(safe));
        this.#keptBytes += frame.length - safe;
        this.#sent += 1;
      }
      safe -= frame.length;
    }
  }

  #say(type) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type }));
  }

  finalize() { this.#say("finalize"); }
  keepalive() { this.#say("keepalive"); }
  end() {
    this.#ended = true;
    this.#say("end");
  }
}
