// Two lines of at most 42 characters that do not jump: a word that began a line goes on beginning it.
import { words } from "./captions.js";

export const WIDTH = 42;
const LONGEST_NAME = 16;
const RECENT = 12; // captions held: more than fill two lines

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/u;

// Columns of a text: East Asian characters take two.
export function width(text) {
  let columns = 0;
  for (const character of text) columns += wide.test(character) ? 2 : 1;
  return columns;
}

// Lines of {text, stable} words; the first line begins after `indent` columns. `began` holds the places of words
// that began lines before, and is brought up to date.
export function layOut(list, glue, stable, began, most = WIDTH, indent = 0) {
  const lines = [];
  let columns = indent;
  list.forEach((text, place) => {
    const more = columns + (place ? width(glue) : 0) + width(text);
    if (place && (more > most || began.has(place))) {
      lines.push([]);
      began.add(place);
      columns = width(text);
    } else {
      if (!place) lines.push([]);
      columns = more;
    }
    lines.at(-1).push({ text, stable: place < stable });
  });
  for (const place of began) if (place >= list.length) began.delete(place);
  return lines;
}

const named = (speaker) => `${speaker.length > LONGEST_NAME ? `${speaker.slice(0, LONGEST_NAME - 1)}…` : speaker}: `;

// The last lines of everything said, for one page.
export class Subtitles {
  #said = new Map(); // key -> {caption, began, name}; `name` where another spoke before
  #most = WIDTH;

  get most() { return this.#most; }

  // Other lines for another size of the text: what is shown is laid out afresh.
  set most(columns) {
    if (columns === this.#most) return;
    this.#most = columns;
    for (const said of this.#said.values()) said.began.clear();
  }

  take(caption) {
    const { key } = caption;
    const said = this.#said.get(key);
    if (!caption.text) this.#said.delete(key);
    else if (said) said.caption = caption;
    else {
      const before = [...this.#said.values()].at(-1)?.caption;
      const another = before && caption.speaker && (before.track !== caption.track || before.speaker !== caption.speaker);
      this.#said.set(key, { caption, began: new Set(), name: another ? named(caption.speaker) : "" });
      if (this.#said.size > RECENT) this.#said.delete(this.#said.keys().next().value);
    }
  }

  // The last `count` lines: [{name, glue, words}].
  lines(count = 2) {
    const all = [];
    for (const { caption, began, name } of this.#said.values()) {
      const { list, glue } = words(caption);
      const stable = caption.final ? list.length : caption.stable;
      const laid = layOut(list, glue, stable, began, this.#most, width(name));
      laid.forEach((line, at) => all.push({ name: at ? "" : name, glue, words: line }));
    }
    return all.slice(-count);
  }
}
