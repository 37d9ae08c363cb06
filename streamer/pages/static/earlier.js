// What was said before the captions that the socket tells first: read page by page, from the end backwards.
import { ask, roomPath } from "./connection.js";

export const PAGE = 200;

export class Earlier {
  #path;
  #before = Infinity; // the lowest seq of the finals that are here
  #told = 0;

  more = false; // whether there may be more
  loading = false;

  constructor(room) { this.#path = `${roomPath(room, "transcript")}?format=json&last=${PAGE}`; }

  // A final that the socket told before it was live.
  told(caption) {
    this.#told += 1;
    this.#before = Math.min(this.#before, caption.seq);
  }

  // The socket has told what it tells first.
  live() { this.more = this.#told >= PAGE; }

  // The page before those that are here, in the order it was spoken; null where it cannot be had now.
  async page() {
    this.loading = true;
    const { answer } = await ask(`${this.#path}&before=${this.#before}`);
    this.loading = false;
    if (!answer) return null;
    for (const { seq } of answer.captions) this.#before = Math.min(this.#before, seq);
    this.more = answer.captions.length === PAGE;
    return answer.captions;
  }
}
