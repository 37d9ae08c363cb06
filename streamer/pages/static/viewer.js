// Follows a room over its socket; goes on after the last event it saw when the connection is lost.
import { Backoff, roomPath, socketUrl, withToken } from "./connection.js";

const FOR_GOOD = new Set(["bad_request", "unauthorized", "forbidden"]);

// The first connection brings the last `history` finals, later ones what was missed. Calls `told` with every message and `state` with live, reconnecting or refused (and why).
export async function follow(room, history, told, state) {
  const backoff = new Backoff();
  let after = null;
  for (;;) {
    let refusal = null;
    let opened = false;
    await new Promise((closed) => {
      const socket = new WebSocket(socketUrl(roomPath(room, "captions"), [["after", after], ["history", history]]));
      socket.onopen = () => { opened = true; };
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === "error") refusal = message;
        if (message.type === "gap") after = message.to;
        if (message.seq !== undefined) after = message.seq;
        if (message.type === "live") {
          backoff.reset();
          state("live");
        }
        told(message);
      };
      socket.onclose = closed;
    });
    if (!opened) refusal = await whyNot(room);
    if (refusal && FOR_GOOD.has(refusal.code)) return state("refused", refusal.message);
    state("reconnecting");
    await backoff.wait(refusal?.retry_after);
  }
}

// A browser does not tell why an upgrade was refused. The same content over plain HTTP is refused for the same reason.
async function whyNot(room) {
  const stopping = new AbortController();
  const headers = { Accept: "text/event-stream" };
  try {
    const response = await fetch(withToken(roomPath(room, "captions")), { headers, signal: stopping.signal });
    return response.ok ? null : await response.json();
  } catch {
    return null; // no server at all: it may come back
  } finally {
    stopping.abort();
  }
}
