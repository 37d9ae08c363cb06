// A caption as it is laid out.
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
