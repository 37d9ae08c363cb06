import { loggedIn, offered, sentence, showAccount, toldAs } from "./account.js";
import { makeToken, microphones, publish, roomUrl, rooms } from "./client.js";
import { write } from "./revised.js";
import { recall, remember } from "./storage.js";
import { linkFor } from "./share.js";
import { addressed, enter, token } from "./token.js";

const $ = (id) => document.getElementById(id);

const DAY = 86_400; // seconds
const COLOURS = ["amber", "blue", "coral", "green", "indigo", "olive", "silver", "violet"];
const PLACES = ["atrium", "garden", "hall", "library", "studio", "terrace", "theatre", "tower"];
const any = (choices) => choices[Math.floor(Math.random() * choices.length)];
$("room").value = recall("room") || `${any(COLOURS)}-${any(PLACES)}-${10 + Math.floor(Math.random() * 90)}`;
$("speaker").value = recall("speaker") || "";
$("language").value = recall("language") || "";

function problem(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

async function listMicrophones() {
  const chosen = $("microphone").value;
  const named = (await microphones()).filter((device) => device.label && device.deviceId !== "default");
  $("microphone").replaceChildren(new Option("The system’s default", ""), ...named.map((device) => new Option(device.label, device.deviceId)));
  $("microphone").value = named.some((device) => device.deviceId === chosen) ? chosen : "";
}
listMicrophones().catch(({ message }) => problem(`${message} You can still read captions here.`));
navigator.mediaDevices?.addEventListener("devicechange", listMicrophones);

const STATES = {
  connecting: "Connecting…",
  live: "Live",
  behind: "The server is behind; your audio is kept",
  reconnecting: "Connection lost, trying again; your audio is kept",
  refused: "The server refuses the connection. It may be full, or your link may not allow speaking. Trying again",
  finishing: "Waiting for the last captions…",
};
function state(name, lost) {
  $("state").dataset.state = name;
  $("state").textContent = (STATES[name] || "") + (lost ? ` (${lost} s of your audio were lost)` : "");
}

let speaking = null; // the publisher
let ending = false;

$("speak").addEventListener("submit", async (event) => {
  event.preventDefault();
  problem("");
  const room = $("room").value.trim();
  $("room").value = room;
  if (!$("room").checkValidity()) {
    problem("A room’s name is 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or a digit.");
    $("room").focus();
    return;
  }
  for (const field of ["room", "speaker", "language"]) remember(field, $(field).value);
  $("choices").disabled = true;
  try {
    await speak(room);
  } catch (error) {
    const captioned = $("mine").childElementCount > 0;
    problem(captioned ? `${toldAs(error)} Your captions so far are kept.` : toldAs(error));
    $("live").hidden ||= !captioned;
    $("readers").hidden = true;
  } finally {
    speaking = null;
    $("choices").disabled = false;
    showControls(false);
    $("start").focus();
  }
});

// Shows the form before speaking and the controls while speaking. Captions stay until the next start.
function showControls(on) {
  $("choices").hidden = on;
  $("controls").hidden = !on;
  $("meter").hidden = !on;
  $("quiet").hidden = true;
  $("speak-title").textContent = on ? `Speaking in ${$("room").value}` : "Speak";
  if (on) {
    $("live").hidden = false;
    mute(false);
    $("stop").textContent = "Stop";
    $("mute").hidden = false;
    $("mute").focus();
  }
}

async function speak(room) {
  const publisher = publish(room, {
    token, deviceId: $("microphone").value, speaker: $("speaker").value.trim(), language: $("language").value,
  });
  const shown = new Map();
  publisher.addEventListener("state", ({ detail }) => {
    if (!speaking) begin(room, publisher);
    state(detail.state, detail.lost);
  });
  publisher.addEventListener("level", ({ detail }) => meter(detail));
  publisher.addEventListener("caption", ({ detail }) => show(detail, shown));
  publisher.addEventListener("warning", ({ detail }) => publisher.muted || warn(detail.message));
  publisher.addEventListener("ended", () => {
    problem("The microphone was disconnected. The audio so far is captioned.");
    stop();
  });
  await publisher.finished;
}

// Called when there is audio. Before that, the microphone may be refused.
function begin(room, publisher) {
  speaking = publisher;
  ending = false;
  listMicrophones();
  share(room);
  $("mine").replaceChildren();
  warn("");
  showControls(true);
}

async function share(room) {
  $("readers").hidden = false;
  const { link, note } = await linkFor(room, { token, closed: Boolean(token) || loggedIn });
  $("link").href = link;
  $("link").textContent = `${link.host}${link.pathname}${link.search ? "?token=…" : ""}`;
  $("shared").hidden = !note;
  $("shared").textContent = note;
}

// Shows the server's warning about the audio.
function warn(text) {
  $("warning").textContent = text;
  $("warning").hidden = !text;
}

let silentSince = null;
function meter(level) {
  const share = level > 0 ? Math.max(0, Math.min(1, 1 + Math.log10(level) / 2.5)) : 0;
  $("meter").firstElementChild.style.transform = `scaleX(${share})`;
  $("meter").setAttribute("aria-valuenow", Math.round(share * 100));
  if (level > 0 || speaking?.muted) silentSince = null;
  else silentSince ??= performance.now();
  $("quiet").hidden = silentSince === null || performance.now() - silentSince < 4000;
}

function show(caption, shown) {
  const { key } = caption;
  if (!shown.has(key)) {
    shown.set(key, { element: document.createElement("span"), before: null });
    $("mine").append(shown.get(key).element, " ");
  }
  const { element, before } = shown.get(key);
  write(element, caption, before);
  shown.get(key).before = caption;
  if (!before?.final) $("mine").scrollTop = $("mine").scrollHeight;
}

function mute(muted) {
  $("mute").setAttribute("aria-pressed", String(muted));
  $("mute").textContent = muted ? "Unmute" : "Mute";
  speaking.mute(muted);
}
$("mute").addEventListener("click", () => mute(!speaking.muted));

// The first call ends the audio and waits for the last captions. The second call does not wait.
function stop() {
  if (!speaking) return;
  if (ending) {
    speaking.close();
    return;
  }
  ending = true;
  speaking.end();
  meter(0);
  $("quiet").hidden = true;
  $("mute").hidden = true;
  $("stop").textContent = "Stop waiting";
}
$("stop").addEventListener("click", stop);

$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText($("link").href);
    $("copy").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren($("link"));
    $("copy").textContent = "Press Ctrl+C";
  }
  setTimeout(() => { $("copy").textContent = "Copy link"; }, 2000);
});

$("read").addEventListener("submit", (event) => {
  event.preventDefault();
  location.href = roomUrl($("reading").value.trim(), { token: addressed });
});

async function listRooms() {
  try {
    const live = await rooms({ token });
    $("locked").hidden = true;
    $("rooms").replaceChildren(...(live.length ? live.map(entry) : [nothing("Nobody is speaking.")]));
  } catch (error) {
    if (error.code === "unauthorized") {
      await showAccount(); // the session may have ended
      locked(token ? sentence(error.message) : "");
      return;
    }
    if (error.code !== "unreachable") $("rooms").replaceChildren(nothing(toldAs(error)));
  }
}

// Asks for a key, and no more for rooms until there is one.
function locked(problem) {
  clearInterval(listing);
  $("locked").hidden = false;
  if (offered) $("locked-lead").textContent = "Log in at the top of the page. If you have a key instead, enter it here.";
  $("key-problem").textContent = problem;
  $("key-problem").hidden = !problem;
  $("rooms").replaceChildren(nothing(offered ? "Log in first, at the top of the page." : "Enter a key to see the rooms."));
}

// The tab keeps a token that expires, and not the key. A server with old tokens alone cannot make one.
$("unlock").addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = $("key").value.trim();
  $("key").value = "";
  try {
    enter((await makeToken({ expires_in: DAY }, { token: key })).token);
  } catch (error) {
    if (error.code !== "not_found") {
      locked(sentence(error.message));
      $("key").focus();
      return;
    }
    enter(key);
  }
  problem("");
  keepListing();
  await listRooms();
  ($("locked").hidden ? $("room") : $("key")).focus();
});

function nothing(text) {
  const item = document.createElement("li");
  item.className = "empty";
  item.textContent = text;
  return item;
}

function entry({ room, tracks, viewers }) {
  const link = document.createElement("a");
  link.href = roomUrl(room, { token: addressed });
  const who = [...new Set(tracks.map((track) => track.speaker).filter(Boolean))].join(", ");
  const about = document.createElement("small");
  about.textContent = [who, `${viewers} reading`].filter(Boolean).join(" · ");
  link.append(room, about);
  const item = document.createElement("li");
  item.append(link);
  return item;
}
let listing;
function keepListing() {
  clearInterval(listing);
  listing = setInterval(() => document.hidden || listRooms(), 5000);
}
showAccount();
keepListing();
listRooms();
