// Sends audio into a room; keeps what is not acknowledged and resumes where the server has it.
import { Backoff, ask, roomPath, socketUrl } from "./connection.js";
import { Unacknowledged } from "./unacknowledged.js";

const KEPT = 120; // seconds of sound kept while there is no server
const WINDOW = 20; // seconds of sound sent ahead of the acknowledgement
const BEHIND = 3; // seconds of unacknowledged sound that a speaker should know of
const SILENT = 10_000; // milliseconds without an acknowledgement: the connection is dead
const FOR_GOOD = new Set(["bad_request", "unauthorized", "forbidden", "track_busy", "taken_over", "too_large", "unsupported_audio"]);
const PATIENCE = 3; // refusals without a reason before the speaker is told

// A track's name from its speaker's, beside those that are taken.
export function trackName(speaker, taken) {
  const plain = speaker.normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "");
  const name = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40) || "main";
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}

export class Publisher {
  #room; #speaker; #parameters; #told; #tell; #state = null;
  #kept; #bytesPerSecond; #lost = 0;
  #socket = null; #hangUp = null; #heardAt = 0;
  #session = null; #track = null;
  #ended = false; #endSaid = false; #done = false; #gone = false;
  #leaving = null;
  #left = new Promise((leave) => { this.#leaving = leave; });

  // `told` hears every message; `state` hears connecting, live, behind, reconnecting, refused or finishing,
  // and how many seconds of sound were lost so far.
  constructor(room, { sampleRate, speaker, language }, told, state) {
    this.#room = room;
    this.#speaker = speaker;
    this.#bytesPerSecond = sampleRate * 2;
    this.#kept = new Unacknowledged(KEPT * this.#bytesPerSecond, WINDOW * this.#bytesPerSecond);
    this.#parameters = [["sample_rate", sampleRate], ["speaker", speaker], ["language", language]];
    this.#told = told;
    this.#tell = state;
  }

  // Resolves when the last caption is out, or after `leave`; rejects where the server refuses for good.
  async run() {
    const backoff = new Backoff();
    let refusals = 0;
    this.#say("connecting");
    for (;;) {
      if (!this.#session) await this.#chooseTrack();
      const { refusal, opened } = await this.#connection();
      if (this.#done || this.#gone) return;
      if (refusal && FOR_GOOD.has(refusal.code)) throw new Error(refusal.message);
      if (opened) {
        refusals = 0;
        backoff.reset();
      } else if (await this.#refused()) refusals += 1;
      this.#say(refusals >= PATIENCE ? "refused" : "reconnecting");
      await Promise.race([backoff.wait(refusal?.retry_after), this.#left]);
      if (this.#gone) return;
    }
  }

  // Before a session: who else speaks in the room. Throws what the server refuses for good.
  async #chooseTrack() {
    const { answer, refusal } = await ask("v1/rooms");
    if (refusal && FOR_GOOD.has(refusal.code)) throw new Error(refusal.message);
    this.#track = trackName(this.#speaker, this.#tracksOf(answer));
  }

  #tracksOf(rooms) {
    const room = rooms?.find(({ room: name }) => name === this.#room);
    return new Set(room?.tracks.map(({ track }) => track));
  }

  // After a connection that was not let in: true if a server is there. A session it does not know is given up.
  async #refused() {
    const { reached, answer } = await ask("v1/rooms");
    if (answer && this.#session && !this.#tracksOf(answer).has(this.#track)) {
      this.#session = null;
      this.#kept.beginAnew();
    }
    return reached;
  }

  // One connection's life.
  async #connection() {
    let refusal = null;
    let opened = false;
    await new Promise((closed) => {
      const parameters = [...this.#parameters, ["track", this.#track], ["session", this.#session]];
      const socket = new WebSocket(socketUrl(roomPath(this.#room, "publish"), parameters));
      this.#hangUp = () => {
        socket.onmessage = null;
        socket.close(4000); // not 1000: the session is to be resumed
        closed();
      };
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        this.#heardAt = performance.now();
        if (message.type === "ready") {
          opened = true;
          this.#ready(socket, message);
        } else if (message.type === "ack") this.#kept.acknowledge(message.offset);
        else if (message.type === "done") this.#done = true;
        else if (message.type === "error") refusal = message;
        this.#told(message);
        this.#flush();
      };
      socket.onclose = closed;
    });
    this.#socket = null;
    return { refusal, opened };
  }

  #ready(socket, { session, offset }) {
    this.#socket = socket;
    this.#endSaid = false;
    this.#session = session;
    this.#kept.resume(offset);
  }

  send(samples) {
    if (this.#ended) return;
    this.#lost += this.#kept.push(new Uint8Array(samples));
    if (this.#socket && this.#kept.inFlight && performance.now() - this.#heardAt > SILENT) this.#hangUp();
    this.#flush();
  }

  #flush() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (let frame = this.#kept.next(); frame; frame = this.#kept.next()) this.#socket.send(frame);
    if (this.#ended && this.#kept.allSent && !this.#endSaid) {
      this.#endSaid = true;
      this.#command("end");
    }
    if (this.#ended) this.#say("finishing");
    else this.#say(this.#kept.bytes > BEHIND * this.#bytesPerSecond ? "behind" : "live");
  }

  #say(state) {
    const lost = Math.ceil(this.#lost / this.#bytesPerSecond);
    if (this.#state === `${state} ${lost}`) return;
    this.#state = `${state} ${lost}`;
    this.#tell(state, lost);
  }

  #command(type) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type }));
  }

  finalize() { this.#command("finalize"); }
  keepalive() { this.#command("keepalive"); }

  // No more audio: `run` resolves when what was said is captioned.
  end() {
    this.#ended = true;
    if (this.#session || this.#kept.bytes) this.#flush();
    else this.leave();
  }

  // Wait for nothing more.
  leave() {
    this.#ended = true;
    this.#gone = true;
    this.#leaving();
    this.#hangUp?.();
  }
}
