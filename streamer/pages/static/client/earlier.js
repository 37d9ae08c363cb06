import { roomPath } from "./server.js";

/** What was said before the captions that the socket told first: read page by page, from the end backwards. */
export class Earlier {
  #server; #path; #tracks; #asked;
  #before = Infinity; // the lowest seq of the finals that were told
  #told = 0;
  #live = false;

  more = false; // whether there may be more

  /**
   * @param {import("./server.js").Server} server
   * @param {string} room
   * @param {string[]} tracks none: all
   * @param {number} asked so many finals the socket was asked for first
   */
  constructor(server, room, tracks, asked) {
    this.#server = server;
    this.#path = roomPath(room, "transcript");
    this.#tracks = tracks;
    this.#asked = asked;
  }

  /** A final that the socket told. @param {number} seq */
  told(seq) {
    if (!this.#live) this.#told += 1;
    this.#before = Math.min(this.#before, seq);
  }

  /** The socket has told what it tells first. */
  live() {
    if (!this.#live) this.more = this.#told >= this.#asked;
    this.#live = true;
  }

  /**
   * The page before those that are here, in the order it was spoken. Throws a CaptionsError.
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
