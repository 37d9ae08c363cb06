// Two lines of at most 42 characters that do not jump: a word that began a line goes on beginning it.
import { words } from "./captions.js";

export const WIDTH = 42;

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/u;

export function width(text) {
  let columns = 0;
  for (const character of text) columns += wide.test(character) ? 2 : 1;
  return columns;
}

// Lines of {text, stable} words; `began` holds the places of words that began lines before, and is brought up to date.
export function layOut(list, glue, stable, began, most = WIDTH) {
  const lines = [];
  let columns = 0;
  list.forEach((text, place) => {
    const more = columns + width(glue) + width(text);
    if (!lines.length || more > most || began.has(place)) {
      lines.push([]);
      if (place) began.add(place);
      columns = width(text);
    } else columns = more;
    lines.at(-1).push({ text, stable: place < stable });
  });
  for (const place of began) if (place >= list.length) began.delete(place);
  return lines;
}

// The last lines of everything said, for one page.
export class Subtitles {
  #captions = new Map();
  #began = new Map();
  #most;

  constructor(most = WIDTH) { this.#most = most; }

  take(key, caption) {
    if (!caption.text) {
      this.#captions.delete(key);
      return;
    }
    this.#captions.set(key, caption);
    if (!this.#began.has(key)) this.#began.set(key, new Set());
    while (this.#captions.size > 12) {
      const oldest = this.#captions.keys().next().value;
      this.#captions.delete(oldest);
      this.#began.delete(oldest);
    }
  }

  // The last `count` lines: [{speaker, glue, words}], the speaker where another spoke before.
  lines(count = 2) {
    const all = [];
    let before = null;
    for (const [key, caption] of this.#captions) {
      const { list, glue } = words(caption);
      const stable = caption.final ? list.length : caption.stable;
      const laid = layOut(list, glue, stable, this.#began.get(key), this.#most);
      const named = caption.speaker && before !== null && caption.speaker !== before;
      laid.forEach((line, at) => all.push({ speaker: named && at === 0 ? caption.speaker : null, glue, words: line }));
      before = caption.speaker;
    }
    return all.slice(-count);
  }
}
