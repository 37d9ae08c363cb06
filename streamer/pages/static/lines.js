// Two lines of at most 42 columns. A word at the start of a line stays there while its caption is revised.
import { words } from "./captions.js";

export const WIDTH = 42;
const LONGEST_NAME = 16;
const RECENT = 12; // captions kept, which is more than enough to fill two lines

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/u;

// The columns of a text. Wide East Asian characters take two.
export function width(text) {
  let columns = 0;
  for (const character of text) columns += wide.test(character) ? 2 : 1;
  return columns;
}

// Lays out words in lines of {text, stable}. The first line begins after `indent` columns. `began` has the positions of the
// words that start a line. It is updated.
export function layOut(list, glue, stable, began, max = WIDTH, indent = 0) {
  const lines = [];
  let columns = indent;
  list.forEach((text, place) => {
    const more = columns + (place ? width(glue) : 0) + width(text);
    if (place && (more > max || began.has(place))) {
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

const prefix = (speaker) => `${speaker.length > LONGEST_NAME ? `${speaker.slice(0, LONGEST_NAME - 1)}…` : speaker}: `;

// The last lines of a room's captions.
export class Subtitles {
  #captions = new Map(); // key -> {caption, began, name}; `name` is empty unless the speaker changes
  #latest = 0; // when the last caption began
  #columns = WIDTH;

  get columns() { return this.#columns; }

  // Sets the columns of a line. The captions are laid out again.
  set columns(columns) {
    if (columns === this.#columns) return;
    this.#columns = columns;
    for (const { began } of this.#captions.values()) began.clear();
  }

  take(caption) {
    const { key } = caption;
    const held = this.#captions.get(key);
    const spoken = Date.parse(caption.started_at);
    // what the second pass changes stands and is being read, or is gone: it neither moves nor comes back
    if (caption.pass === "refined" && (held ? held.caption.final : spoken <= this.#latest)) return;
    this.#latest = Math.max(this.#latest, spoken);
    if (!caption.text) this.#captions.delete(key);
    else if (held) held.caption = caption;
    else {
      const before = [...this.#captions.values()].at(-1)?.caption;
      const another = before && caption.speaker && (before.track !== caption.track || before.speaker !== caption.speaker);
      this.#captions.set(key, { caption, began: new Set(), name: another ? prefix(caption.speaker) : "" });
      if (this.#captions.size > RECENT) this.#captions.delete(this.#captions.keys().next().value);
    }
  }

  clear() {
    this.#captions.clear();
    this.#latest = 0;
  }

  // The last `count` lines: [{name, glue, words}].
  lines(count = 2) {
    const all = [];
    for (const { caption, began, name } of this.#captions.values()) {
      const { list, glue } = words(caption);
      const stable = caption.final ? list.length : caption.stable;
      const laid = layOut(list, glue, stable, began, this.#columns, width(name));
      laid.forEach((line, at) => all.push({ name: at ? "" : name, glue, words: line }));
    }
    return all.slice(-count);
  }
}
