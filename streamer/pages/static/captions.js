// A room's captions as they are told: for each utterance the highest version, finals and partials alike.
const PASSES = ["live", "refined", "edited"];

const APART = 30_000; // milliseconds: one utterance never begins at two times so far apart

export class Captions {
  #held = new Map(); // track and utterance -> {key, pass, revision, began}

  // The key of the utterance if the caption is news; null for late and repeated versions. A server that lost its log
  // counts utterances from the beginning again: those have keys of their own.
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

export function newer(caption, held) {
  const pass = PASSES.indexOf(caption.pass) - PASSES.indexOf(held.pass);
  return pass !== 0 ? pass > 0 : caption.revision > held.revision;
}

const UNSPACED = new Set(["zh", "ja", "th", "lo", "my", "yue", "km", "bo"]);

// What stands between two words of a language.
export const glueOf = (language) => (UNSPACED.has(language.split("-")[0]) ? "" : " ");

// The words of a caption as they are laid out, and what stands between them.
export function words(caption) {
  const glue = glueOf(caption.language);
  if (caption.words?.length) return { list: caption.words.map((word) => word.text), glue };
  return { list: caption.text ? (glue ? caption.text.split(" ") : [...caption.text]) : [], glue };
}

// The caption as two spans: what stands, and what may still change.
export function spans(caption) {
  const { list, glue } = words(caption);
  const stable = caption.final ? list.length : Math.min(caption.stable, list.length);
  const parts = [];
  if (stable) parts.push(span("stable", list.slice(0, stable).join(glue)));
  if (stable < list.length) parts.push(span("volatile", (stable ? glue : "") + list.slice(stable).join(glue)));
  return parts;
}

export function span(kind, text) {
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  return element;
}
