// Turns captions into words and elements.
const UNSPACED = new Set(["zh", "ja", "th", "lo", "my", "yue", "km", "bo"]);

const RIGHT_TO_LEFT = new Set(["ar", "he", "fa", "ur", "ps", "sd", "yi"]);

// The direction of a language. The first letters of a text do not tell it: an Arabic sentence may begin with an English term.
export const directionOf = (language) => (RIGHT_TO_LEFT.has(language.split("-")[0]) ? "rtl" : "ltr");

// Tells an element the language of its text, for its direction, its fonts and those who hear it read.
export function inLanguage(element, language) {
  element.lang = language;
  element.dir = directionOf(language);
  return element;
}

// The separator between two words of a language.
export const glueOf = (language) => (UNSPACED.has(language.split("-")[0]) ? "" : " ");

// The words of a caption and the separator between them. Without spaces in the language, words are characters.
export function words(caption) {
  const glue = glueOf(caption.language);
  if (caption.words?.length) return { list: caption.words.map((word) => word.text), glue };
  return { list: caption.text ? (glue ? caption.text.split(" ") : [...caption.text]) : [], glue };
}

// The caption as at most two spans: the stable words, and the words that may still change.
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
