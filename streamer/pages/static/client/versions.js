const PASSES = ["live", "refined", "edited"];

const APART = 30_000; // milliseconds: one utterance never begins at two times so far apart

/** The highest version of each utterance that was told, finals and partials alike. */
export class Versions {
  /** @type {Map<string, {key: string, pass: string, revision: number, began: number}>} by track and utterance */
  #held = new Map();

  /**
   * The key of the utterance if the caption is news; null for late and repeated versions. A server that lost its log
   * counts utterances from the beginning again: those have keys of their own.
   *
   * @param {import("./messages.js").CaptionMessage} caption
   */
  take(caption) {
    const name = `${caption.track}/${caption.utterance}`;
    const began = Date.parse(caption.started_at);
    const held = this.#held.get(name);
    const same = held && Math.abs(began - held.began) < APART;
    if (same && !newer(caption, held)) return null;
    const key = same ? held.key : `${name}/${began}`;
    this.#held.set(name, { key, pass: caption.pass, revision: caption.revision, began });
    return key;
  }
}

/**
 * @param {{pass: string, revision: number}} caption
 * @param {{pass: string, revision: number}} held
 */
function newer(caption, held) {
  const pass = PASSES.indexOf(caption.pass) - PASSES.indexOf(held.pass);
  return pass !== 0 ? pass > 0 : caption.revision > held.revision;
}
