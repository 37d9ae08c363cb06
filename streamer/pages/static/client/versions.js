const PASSES = ["live", "refined", "edited"];

const APART = 30_000; // milliseconds. If two captions start further apart, they are different utterances

/** The highest version received of each utterance, in finals and partials. */
export class Versions {
  /** @type {Map<string, {key: string, pass: string, revision: number, began: number}>} by track and utterance */
  #held = new Map();

  /**
   * Returns the key of the utterance, or null for a late or repeated version. A server that lost its log numbers utterances
   * from 0 again: these get different keys.
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
