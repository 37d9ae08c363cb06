/**
 * A bounded queue of unacknowledged audio, which is sent again after a lost connection. Offsets are bytes of the session's
 * stream. Only audio that was never sent is dropped when the queue is full: the server counts the bytes it received, and
 * ignores them when they arrive again.
 */
export class Unacknowledged {
  /** @type {Uint8Array[]} */
  #frames = [];
  #start = 0; // offset of the first kept byte
  #acknowledged = 0; // offset
  #sent = 0; // frames sent on this connection
  #everSent = 0; // frames sent on any connection of this session
  #inFlight = 0; // unacknowledged bytes sent on this connection
  #max;
  #window;

  /**
   * @param {number} max bytes kept
   * @param {number} window bytes sent before an acknowledgement; fewer than `max`
   */
  constructor(max, window) {
    this.#max = max;
    this.#window = window;
  }

  bytes = 0;
  get inFlight() { return this.#inFlight; }
  get allSent() { return this.#sent === this.#frames.length; }

  /** Returns how many bytes were dropped to make room. @param {Uint8Array} frame */
  push(frame) {
    this.#frames.push(frame);
    this.bytes += frame.length;
    let lost = 0;
    while (this.bytes > this.#max && this.#everSent < this.#frames.length) {
      const [oldest] = this.#frames.splice(this.#everSent, 1);
      this.bytes -= oldest.length;
      lost += oldest.length;
    }
    return lost;
  }

  /** The next frame to send, or null if all were sent or the window is full. */
  next() {
    if (this.allSent) return null;
    const frame = this.#frames[this.#sent];
    if (this.#inFlight + frame.length > this.#window) return null;
    this.#sent += 1;
    this.#everSent = Math.max(this.#everSent, this.#sent);
    this.#inFlight += frame.length;
    this.#release();
    return frame;
  }

  /** @param {number} offset */
  acknowledge(offset) {
    this.#acknowledged = Math.max(this.#acknowledged, offset);
    this.#release();
  }

  // Drops acknowledged audio, but only after it was sent on this connection too. The server may have received it on an
  // earlier connection: it then ignores as many bytes as it had when this connection began.
  #release() {
    while (this.#sent && this.#acknowledged > this.#start) {
      const [frame] = this.#frames;
      const safe = Math.min(frame.length, this.#acknowledged - this.#start);
      this.#inFlight -= safe;
      this.#drop(safe);
    }
  }

  /** Drops bytes at the start of the first frame. @param {number} count */
  #drop(count) {
    const [frame] = this.#frames;
    this.#start += count;
    this.bytes -= count;
    if (count < frame.length) {
      this.#frames[0] = frame.subarray(count);
      return;
    }
    this.#frames.shift();
    this.#sent = Math.max(0, this.#sent - 1);
    this.#everSent = Math.max(0, this.#everSent - 1);
  }

  /** Prepares for a new connection, which continues the session at `offset`. @param {number} offset */
  resume(offset) {
    this.#sent = 0;
    this.#inFlight = 0;
    this.#acknowledged = offset;
    while (this.#frames.length && offset > this.#start) this.#drop(Math.min(this.#frames[0].length, offset - this.#start));
  }

  /** Prepares for a new session, whose first byte is the first one kept. */
  restart() {
    this.#start = 0;
    this.#acknowledged = 0;
    this.#sent = 0;
    this.#everSent = 0;
    this.#inFlight = 0;
  }
}
