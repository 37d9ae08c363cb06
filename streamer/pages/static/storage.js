// What a reader chose, from visit to visit. An embedded page may be denied its storage: then nothing is remembered.
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
    // the choice lasts as long as the page
  }
}
