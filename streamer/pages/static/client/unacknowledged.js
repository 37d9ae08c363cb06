/**
 * Audio that the server does not have for sure: kept in order, sent again after a lost connection, bounded.
 * Offsets are bytes of the session's stream. What is given up for want of room was never sent: the server
 * counts what it was sent, and passes that over when it comes again.
 */
export class Unacknowledged {
  /** @type {Uint8Array[]} */
  #frames = [];
  #start = 0; // offset of the first kept byte
  #safe = 0; // the acknowledged offset
  #sent = 0; // frames sent on this connection
  #ever = 0; // frames sent on any connection of this session
  #inFlight = 0; // bytes sent on this connection and not acknowledged
  #most;
  #window;

  /**
   * @param {number} most bytes are kept
   * @param {number} window bytes, fewer than `most`, are sent ahead of the acknowledgement
   */
  constructor(most, window) {
    this.#most = most;
    this.#window = window;
  }

  bytes = 0;
  get inFlight() { return this.#inFlight; }
  get allSent() { return this.#sent === this.#frames.length; }

  /** Returns how many bytes were given up to make room. @param {Uint8Array} frame */
  push(frame) {
    this.#frames.push(frame);
    this.bytes += frame.length;
    let lost = 0;
    while (this.bytes > this.#most && this.#ever < this.#frames.length) {
      const [oldest] = this.#frames.splice(this.#ever, 1);
      this.bytes -= oldest.length;
      lost += oldest.length;
    }
    return lost;
  }

  /** The next frame to send, or null where all are sent or the window is full. */
  next() {
    if (this.allSent) return null;
    const frame = this.#frames[this.#sent];
    if (this.#inFlight + frame.length > this.#window) return null;
    this.#sent += 1;
    this.#ever = Math.max(this.#ever, this.#sent);
    this.#inFlight += frame.length;
    this.#release();
    return frame;
  }

  /** @param {number} offset */
  acknowledge(offset) {
    this.#safe = Math.max(this.#safe, offset);
    this.#release();
  }

  // What is acknowledged goes once it was sent on this connection too: the server, which heard it on an earlier one,
  // passes over as many bytes as it had when this one began.
  #release() {
    while (this.#sent && this.#safe > this.#start) {
      const [frame] = this.#frames;
      const safe = Math.min(frame.length, this.#safe - this.#start);
      this.#inFlight -= safe;
      this.#drop(safe);
    }
  }

  /** Gives up the first bytes of the first frame. @param {number} count */
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
    this.#ever = Math.max(0, this.#ever - 1);
  }

  /** A connection that goes on from `offset` of the same session. @param {number} offset */
  resume(offset) {
    this.#sent = 0;
    this.#inFlight = 0;
    this.#safe = offset;
    while (this.#frames.length && offset > this.#start) this.#drop(Math.min(this.#frames[0].length, offset - this.#start));
  }

  /** A new session, whose first byte is the first one kept. */
  beginAnew() {
    this.#start = 0;
    this.#safe = 0;
    this.#sent = 0;
    this.#ever = 0;
    this.#inFlight = 0;
  }
}
