// Versions of a caption, one in the place of another.
import { span, spans, words } from "./captions.js";

const STANDS_OUT = 3000; // milliseconds; style.css fades it within this time

// Case and punctuation aside: a comma is no reason to look up.
const folded = (word) => word.normalize("NFKC").toLowerCase().replace(/[\p{P}\p{S}\p{Z}\p{C}]/gu, "");

// For each word of `after` whether it is new: whether it is not in the longest common subsequence with `before`.
export function changes(before, after) {
  const [old, now] = [before.map(folded), after.map(folded)];
  const common = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i][j] = old[i] === now[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const changed = now.map((word) => word !== "");
  for (let i = 0, j = 0; i < old.length && j < now.length;) {
    if (old[i] === now[j]) {
      changed[j] = false;
      i += 1;
      j += 1;
    } else if (common[i + 1][j] >= common[i][j + 1]) i += 1;
    else j += 1;
  }
  return changed;
}

// Shows `caption` in `element`, where `before` was shown. A final that is changed is changed quietly: the words that are new
// stand out for a moment, whether anybody sees it or not.
export function write(element, caption, before) {
  if (!before?.final) element.replaceChildren(...spans(caption));
  else if (before.text !== caption.text) {
    element.replaceChildren(...revised(caption, before));
    const changed = [...element.querySelectorAll(".changed")];
    setTimeout(() => changed.forEach((part) => part.classList.remove("changed")), STANDS_OUT);
  }
}

// The words of a final as spans; those that are not in `before` have the class `changed`.
function revised(caption, before) {
  const { list, glue } = words(caption);
  const changed = changes(words(before).list, list);
  const parts = [];
  list.forEach((text, at) => {
    if (at && changed[at] === changed[at - 1]) parts.at(-1).textContent += glue + text;
    else {
      if (at) parts.push(glue);
      parts.push(span(changed[at] ? "stable changed" : "stable", text));
    }
  });
  return parts;
}
