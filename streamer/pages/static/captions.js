// A room's captions as they are told: for each utterance the highest version, finals and partials alike.
const PASSES = ["live", "refined", "edited"];

export class Captions {
  #held = new Map();

  static key(caption) { return `${caption.track}/${caption.utterance}`; }

  // True if the caption is news; late and repeated versions are not.
  take(caption) {
    const held = this.#held.get(Captions.key(caption));
    if (held && !newer(caption, held)) return false;
    this.#held.set(Captions.key(caption), caption);
    return true;
  }
}

export function newer(caption, held) {
  const pass = PASSES.indexOf(caption.pass) - PASSES.indexOf(held.pass);
  return pass !== 0 ? pass > 0 : caption.revision > held.revision;
}

const UNSPACED = new Set(["zh", "ja", "th", "lo", "my", "yue", "km", "bo"]);

// The words of a caption as they are laid out, and what stands between them.
export function words(caption) {
  const glue = UNSPACED.has(caption.language.split("-")[0]) ? "" : " ";
  if (caption.words && caption.words.length) return { list: caption.words.map((word) => word.text), glue };
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
