// Captions as paragraphs. A paragraph ends when the speaker changes, after a pause, or at the end of a sentence when it has
// enough captions.
import { directionOf, glueOf, spans, write } from "./captions.js";

const PAUSE = 6; // seconds
const ENOUGH = 4; // captions in a paragraph

const ends = (text) => /[.?!…。．？！؟۔।॥։።]["'”’»」』)）\s]*$/u.test(text);

export class Transcript {
  #root;
  #shown = new Map(); // key -> the element of a caption
  #turn = null; // the last paragraph: {track, speaker, count, end, last, text}

  constructor(root) { this.#root = root; }

  show(caption) {
    const { key } = caption;
    if (!this.#shown.has(key)) {
      if (!caption.text) return;
      this.#shown.set(key, this.#place(caption));
    }
    const element = this.#shown.get(key);
    write(element, caption.language).replaceChildren(...spans(caption));
    element.dataset.final = caption.final;
    if (this.#turn?.track === caption.track) this.#turn.end = Math.max(this.#turn.end, caption.end);
    const section = element.closest("section");
    if (element === section.querySelector("p").firstElementChild) write(section, caption.language); // it may have changed
    section.hidden = !section.querySelector("p").textContent.trim();
  }

  // Inserts captions above the first one, in the order they were spoken.
  showEarlier(captions) {
    const [root, turn] = [this.#root, this.#turn];
    this.#root = document.createDocumentFragment();
    this.#turn = null;
    for (const caption of captions) this.show(caption);
    root.prepend(this.#root);
    [this.#root, this.#turn] = [root, turn];
  }

  clear() {
    this.#root.replaceChildren();
    this.#shown.clear();
    this.#turn = null;
  }

  note(text) {
    const line = document.createElement("p");
    line.className = "note";
    line.textContent = text;
    this.#root.append(line);
    this.#turn = null;
  }

  #place(caption) {
    if (this.#begins(caption)) this.#begin(caption);
    const turn = this.#turn;
    const element = document.createElement("span");
    if (turn.count) turn.text.append(glueOf(caption.language));
    turn.text.append(element);
    turn.count += 1;
    turn.last = element;
    return element;
  }

  #begins(caption) {
    const turn = this.#turn;
    if (!turn || turn.track !== caption.track || turn.speaker !== caption.speaker) return true;
    if (turn.text.parentElement.dir !== directionOf(caption.language)) return true;
    return caption.start - turn.end > PAUSE || (turn.count >= ENOUGH && ends(turn.last.textContent));
  }

  #begin(caption) {
    const section = write(document.createElement("section"), caption.language);
    section.className = "turn";
    const header = document.createElement("header");
    if (caption.speaker && (this.#turn?.track !== caption.track || this.#turn.speaker !== caption.speaker)) {
      const name = document.createElement("b");
      name.dir = "auto";
      name.textContent = caption.speaker;
      header.append(name);
    }
    const time = document.createElement("time");
    time.dir = "auto";
    time.dateTime = caption.started_at;
    time.textContent = new Date(caption.started_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    header.append(time);
    const text = document.createElement("p");
    section.append(header, text);
    this.#root.append(section);
    this.#turn = { track: caption.track, speaker: caption.speaker, count: 0, end: caption.end, last: null, text };
  }
}
