// Follows a room over its socket; goes on after the last event it saw when the connection is lost.
export function socketUrl(path, parameters) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  for (const [name, value] of parameters) if (value !== null && value !== "") url.searchParams.append(name, value);
  return url;
}

export const token = new URLSearchParams(location.search).get("token");

// Waits longer each time, up to 8 s, with some chance in it: a thousand readers should not come back at once.
export class Backoff {
  #next = 250;
  reset() { this.#next = 250; }
  wait(atLeast = 0) {
    const delay = Math.max(atLeast * 1000, this.#next) * (0.75 + Math.random() / 2);
    this.#next = Math.min(this.#next * 2, 8000);
    return new Promise((resolve) => setTimeout(resolve, delay));
  }
}

const FOR_GOOD = new Set(["bad_request", "unauthorized", "forbidden"]);

// Calls `told` with every message and `state` with connecting, live, reconnecting or refused (and why).
export async function follow(room, told, state) {
  const backoff = new Backoff();
  let after = null;
  for (;;) {
    let refusal = null;
    await new Promise((closed) => {
      const socket = new WebSocket(socketUrl(`/v1/rooms/${encodeURIComponent(room)}/captions`, [["after", after], ["token", token]]));
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.seq !== undefined) after = message.seq;
        if (message.type === "live") { backoff.reset(); state("live"); }
        if (message.type === "error") refusal = message;
        else told(message);
      };
      socket.onclose = closed;
    });
    if (refusal === null && after === null) refusal = await whyNot(room);
    if (refusal && FOR_GOOD.has(refusal.code)) return state("refused", refusal.message);
    state("reconnecting");
    await backoff.wait(refusal?.retry_after);
  }
}

// A browser does not tell why an upgrade was refused; plain HTTP does.
async function whyNot(room) {
  const parameters = token ? `?token=${encodeURIComponent(token)}` : "";
  try {
    const answer = await fetch(`/v1/rooms/${encodeURIComponent(room)}/transcript${parameters}`);
    return answer.ok || answer.status === 404 ? null : await answer.json();
  } catch {
    return null;
  }
}
