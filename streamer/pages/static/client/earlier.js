import { roomPath } from "./server.js";

/** Reads the captions from before those that the socket sent first, page by page, from the end backwards. */
export class Earlier {
  #server; #path; #tracks; #requested;
  #before = Infinity; // the lowest seq of the finals received
  #received = 0;
  #live = false;

  more = false; // whether there may be more

  /**
   * @param {import("./server.js").Server} server
   * @param {string} room
   * @param {string[]} tracks empty: all
   * @param {number} requested number of finals that the socket was asked to send first
   */
  constructor(server, room, tracks, requested) {
    this.#server = server;
    this.#path = roomPath(room, "transcript");
    this.#tracks = tracks;
    this.#requested = requested;
  }

  /** Records a final from the socket. @param {number} seq */
  received(seq) {
    if (!this.#live) this.#received += 1;
    this.#before = Math.min(this.#before, seq);
  }

  /** Records that the socket has sent the room so far. */
  live() {
    if (!this.#live) this.more = this.#received >= this.#requested;
    this.#live = true;
  }

  /**
   * The page of captions before those received, in the order they were spoken. Throws a CaptionsError.
   *
   * @param {number} count
   * @returns {Promise<import("./messages.js").CaptionMessage[]>}
   */
  async page(count) {
    const before = this.#before === Infinity ? null : this.#before;
    const captions = await this.#read([["format", "json"], ["last", count], ["before", before]]);
    for (const { seq } of captions) this.#before = Math.min(this.#before, seq);
    this.more = captions.length === count;
    return captions.filter(({ track }) => !this.#tracks.length || this.#tracks.includes(track));
  }

  /**
   * @param {[string, unknown][]} parameters
   * @returns {Promise<(import("./messages.js").CaptionMessage & {seq: number})[]>}
   */
  async #read(parameters) {
    try {
      return (await this.#server.ask(this.#path, parameters)).captions;
    } catch (error) {
      if (error.code === "not_found") return []; // nobody has spoken yet
      throw error;
    }
  }
}
