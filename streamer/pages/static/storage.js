// Remembers a reader's choices between visits. A browser may deny storage to an embedded page: then nothing is remembered.
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // the choice is lost when the page closes
  }
}
