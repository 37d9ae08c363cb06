// What publishers and viewers share: addresses, the token, and the patience between two attempts.
export const token = new URLSearchParams(location.search).get("token");

// Where the server is: a proxy may have it under a path of its own. This file lies in its folder `static`.
const ROOT = new URL("../", import.meta.url);

export const roomPath = (room, path) => `v1/rooms/${encodeURIComponent(room)}/${path}`;

// The address of a path of the server, which begins without a slash.
export function withToken(path) {
  const url = new URL(path, ROOT);
  if (token) url.searchParams.append("token", token);
  return url.href;
}

export function socketUrl(path, parameters) {
  const url = new URL(withToken(path));
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  for (const [name, value] of parameters) if (value !== null && value !== "") url.searchParams.append(name, value);
  return url;
}

// A browser does not tell why an upgrade was refused; plain HTTP does.
// Resolves to {reached, answer, refusal}: whether there is a server, and what it says.
export async function ask(path) {
  let response;
  try {
    response = await fetch(withToken(path));
  } catch {
    return { reached: false, answer: null, refusal: null };
  }
  const body = await response.json().catch(() => null);
  return { reached: body !== null, answer: response.ok ? body : null, refusal: !response.ok && body?.code ? body : null };
}

// Waits longer each time, up to 8 s, with some chance in it: a thousand readers should not come back at once.
export class Backoff {
  #next = 250;

  reset() { this.#next = 250; }

  // Seconds at least, where the server named them; cut short when the network comes back.
  wait(atLeast = 0) {
    const delay = Math.max(atLeast * 1000, this.#next) * (0.75 + Math.random() / 2);
    this.#next = Math.min(this.#next * 2, 8000);
    return new Promise((resolve) => {
      const timer = setTimeout(go, delay);
      function go() {
        clearTimeout(timer);
        removeEventListener("online", go);
        resolve();
      }
      addEventListener("online", go);
    });
  }
}
