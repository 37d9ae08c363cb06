// The reader's token: from the page's address, or the key that was entered in this tab. The tab forgets the key when it closes.
const STORED = "key";

export const addressed = new URLSearchParams(location.search).get("token");
export let token = addressed || stored();

export function enter(key) {
  token = key;
  try {
    sessionStorage.setItem(STORED, key);
  } catch {
    // the key is lost when the reader leaves the page
  }
}

function stored() {
  try {
    return sessionStorage.getItem(STORED);
  } catch {
    return null;
  }
}
