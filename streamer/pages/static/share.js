// The link that a speaker shares: it lets others read the room, and do nothing else.
import { makeToken, roomUrl } from "./client.js";

const HOURS = 24;
const MOMENT = { weekday: "long", hour: "2-digit", minute: "2-digit" };

// Returns the link, and what to tell the speaker of it.
export async function linkFor(room, { token, closed }) {
  if (!closed) return { link: roomUrl(room), note: "" };
  try {
    const made = await makeToken({ rooms: [room], rights: ["view"], expires_in: HOURS * 3600 }, { token });
    const until = new Date(made.expires_at * 1000).toLocaleString([], MOMENT);
    return {
      link: roomUrl(room, { token: made.token }),
      note: `Whoever has the link can read this room, and nothing else, until ${until}.`,
    };
  } catch (error) {
    // a server with old tokens alone cannot make others
    if (error.code === "not_found" && token) return { link: roomUrl(room, { token }), note: "" };
    return { link: roomUrl(room), note: "Readers need a key of their own." };
  }
}
