// Who is logged in, where the operator has set up a login. The browser keeps the session's token in a cookie that scripts
// cannot read, and sends it by itself.
import { token } from "./token.js";

const $ = (id) => document.getElementById(id);
export const framed = window.top !== window;
const ROOT = new URL("../", import.meta.url);

export const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;

export let offered = false; // a login that the reader has not used
export let loggedIn = false;

// What to tell the reader of a refusal: the server's own words are for programs that have a token.
export function toldAs(error) {
  if (error.code === "unauthorized" && !token) {
    if (offered) return "Log in first, at the top of the page.";
    return "This server asks for a key. Enter it on the start page, or ask for a link that lets you read.";
  }
  return sentence(error.message);
}

// Shows the account in the page's bar. `room`: the room's page that a login returns to. A page with a token needs no login.
// Nor does an overlay in another site's frame: browsers send no cookie there.
export async function showAccount(room = "") {
  if (token || framed) return;
  const { available, subject } = await session();
  offered = available && subject === null;
  loggedIn = subject !== null;
  $("account").hidden = !available;
  $("who").textContent = $("who").title = subject ? subject.replace(/^oidc:/, "") : "";
  $("login").hidden = subject !== null;
  $("logout").hidden = subject === null;
  const login = new URL("login", ROOT);
  if (room) login.searchParams.set("room", room);
  $("login").href = login;
}

async function session() {
  try {
    return await (await fetch(new URL("login/session", ROOT))).json();
  } catch {
    return { available: false, subject: null };
  }
}

// The captions that are already shown are gone as well: the computer may be somebody else's in a minute.
$("logout").addEventListener("click", async () => {
  await fetch(new URL("logout", ROOT), { method: "POST" });
  location.reload();
});
