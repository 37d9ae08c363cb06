// Terms, one a line: `term | sounds like, sounds like | weight`, as docs/glossaries.md describes them.
const PIECES = /\\[\\|,#]|[^]/gu;

// The parts of a text between separators that have no backslash before them.
function split(text, separator) {
  const parts = [""];
  for (const [piece] of text.matchAll(PIECES)) {
    if (piece === separator) parts.push("");
    else parts[parts.length - 1] += piece;
  }
  return parts;
}

const plain = (text) => text.replace(/\\([\\|,#])/gu, "$1").trim();

// The term of a line, as captions show it.
export const nameIn = (line) => plain(split(line, "|")[0]);

// The terms of a text, each a text or an object with what is known of it. Throws an Error that names the line that is wrong.
export function termsOf(text) {
  const terms = new Map();
  for (const [at, line] of text.split(/\r?\n/u).entries()) {
    if (!line.trim() || line.trim().startsWith("#")) continue;
    const term = termOf(line.trim(), (problem) => new Error(`Line ${at + 1} of the terms: ${problem}.`));
    if (!terms.has(term.text)) terms.set(term.text, Object.keys(term).length > 1 ? term : term.text);
  }
  return [...terms.values()];
}

function termOf(line, wrong) {
  const [text, sounds = "", weight, ...more] = split(line, "|");
  if (more.length) throw wrong("write term | sounds like, sounds like | weight");
  const term = { text: plain(text) };
  if (!term.text) throw wrong("the term is missing");
  if ([...term.text].length > 50) throw wrong("the term is longer than 50 characters");
  const spellings = split(sounds, ",").map(plain).filter(Boolean);
  if (spellings.length > 5) throw wrong("a term has at most 5 sounds");
  if (spellings.some((spelling) => [...spelling].length > 50)) throw wrong("a sound is longer than 50 characters");
  if (spellings.length) term.sounds_like = spellings;
  if (weight === undefined) return term;
  if (!/^\s*\d{1,2}(\.\d{1,20})?\s*$/u.test(weight) || Number(weight) < 0.1 || Number(weight) > 10) {
    throw wrong("the weight must be 0.1 to 10");
  }
  return { ...term, weight: Number(weight) };
}
