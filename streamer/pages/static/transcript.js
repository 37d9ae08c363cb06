// Captions as paragraphs, in the order they were spoken. A paragraph ends when the speaker changes, after a pause, or at the
// end of a sentence when it has enough captions.
import { glueOf } from "./captions.js";
import { write } from "./revised.js";

const PAUSE = 6; // seconds
const ENOUGH = 4; // captions in a paragraph

const ends = (text) => /[.?!…。？！]["'”’)]*$/u.test(text);

const differ = (turn, other) => turn.track !== other.track || turn.speaker !== other.speaker;

const follows = (caption, before) => !differ(caption, before) && caption.start - before.end <= PAUSE;

export class Transcript {
  #root;
  #shown = new Map(); // key -> {caption, element, turn}; the last two are null until the caption has text
  #order = []; // those with text, by their start
  #turns = []; // paragraphs as they stand on the page: {track, speaker, section, header, text, captions}
  #apart = true; // what is shown next at the end begins a paragraph, with the speaker's name

  constructor(root) { this.#root = root; }

  // Returns whether the caption is final now and was not before.
  show(caption) {
    const { key } = caption;
    const shown = this.#shown.get(key) ?? { caption: null, element: null, turn: null };
    const before = shown.caption;
    shown.caption = caption;
    this.#shown.set(key, shown);
    if (!shown.element && caption.text) this.#place(shown);
    if (shown.element) {
      write(shown.element, caption, before);
      shown.element.dataset.final = caption.final;
      shown.turn.section.hidden = !shown.turn.text.textContent.trim();
    }
    return caption.final && !before?.final;
  }

  // The captions that begin next below `top`, a position in the window.
  below(top) {
    const visible = ({ section }) => !section.hidden && section.getBoundingClientRect().bottom > top;
    const near = this.#turns.filter(visible).slice(0, 3);
    return near.flatMap(({ text }) => [...text.children]).filter((element) => element.getBoundingClientRect().top >= top);
  }

  clear() {
    this.#root.replaceChildren();
    this.#shown.clear();
    this.#order = [];
    this.#turns = [];
    this.#apart = true;
  }

  note(text) {
    const line = document.createElement("p");
    line.className = "note";
    line.textContent = text;
    this.#root.append(line);
    this.#apart = true;
  }

  // A partial is being said now, so it comes last. A final may come after others that were spoken later.
  #place(shown) {
    const { caption } = shown;
    const began = Date.parse(caption.started_at);
    const earlier = ({ caption: { started_at } }) => Date.parse(started_at) <= began;
    const at = caption.final ? this.#order.findLastIndex(earlier) + 1 : this.#order.length;
    const [before, after] = [this.#order[at - 1], this.#order[at]];
    shown.element = document.createElement("span");
    shown.element.lang = caption.language;
    this.#order.splice(at, 0, shown);
    if (before && this.#goesOn(caption, before, after)) this.#join(shown, before, "after");
    else if (after && follows(after.caption, caption)) this.#join(shown, after, "before");
    else this.#begin(shown, before, after);
  }

  #goesOn(caption, before, after) {
    const { turn } = before;
    if (!follows(caption, before.caption)) return false;
    if (turn === after?.turn) return true;
    if (!after && (this.#apart || turn !== this.#turns.at(-1))) return false;
    return turn.captions.length < ENOUGH || !ends(before.element.textContent);
  }

  #join(shown, beside, where) {
    const { turn } = beside;
    const glue = glueOf(shown.caption.language);
    const at = turn.captions.indexOf(beside);
    turn.captions.splice(where === "after" ? at + 1 : at, 0, shown);
    if (where === "after") beside.element.after(glue, shown.element);
    else beside.element.before(shown.element, glue);
    shown.turn = turn;
    this.#head(turn, turn.named);
  }

  #begin(shown, before, after) {
    const { caption, element } = shown;
    const place = before ? this.#turns.indexOf(before.turn) + 1 : after ? this.#turns.indexOf(after.turn) : 0;
    const at = after ? place : this.#turns.length;
    const [section, header, text] = ["section", "header", "p"].map((name) => document.createElement(name));
    const turn = { track: caption.track, speaker: caption.speaker, section, header, text, captions: [shown] };
    const [above, below] = [this.#turns[at - 1], this.#turns[at]];
    section.className = "turn";
    text.append(element);
    section.append(header, text);
    if (below) below.section.before(section);
    else this.#root.append(section);
    this.#turns.splice(at, 0, turn);
    shown.turn = turn;
    this.#head(turn, !above || differ(turn, above) || (!below && this.#apart));
    if (below && differ(below, turn)) this.#head(below, true);
    if (!below) this.#apart = false;
  }

  #head(turn, named) {
    const { header, speaker, captions: [{ caption }] } = turn;
    turn.named = named;
    const name = document.createElement("b");
    name.textContent = speaker;
    const time = document.createElement("time");
    time.dateTime = caption.started_at;
    time.textContent = new Date(caption.started_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    header.replaceChildren(...(named && speaker ? [name] : []), time);
  }
}
