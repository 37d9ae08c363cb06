import { Captions, spans } from "./captions.js";
import { MicrophoneError, list, open } from "./microphone.js";
import { Publisher } from "./publisher.js";
import { token } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const withToken = (path) => (token ? `${path}?token=${encodeURIComponent(token)}` : path);

const COLOURS = ["amber", "blue", "coral", "green", "indigo", "olive", "silver", "violet"];
const PLACES = ["atrium", "garden", "hall", "library", "studio", "terrace", "theatre", "tower"];
const any = (choices) => choices[Math.floor(Math.random() * choices.length)];
$("room").value = localStorage.getItem("room") || `${any(COLOURS)}-${any(PLACES)}-${10 + Math.floor(Math.random() * 90)}`;
$("speaker").value = localStorage.getItem("speaker") || "";
$("language").value = localStorage.getItem("language") || "";

function problem(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}
if (!isSecureContext) problem("The browser gives a microphone only to pages from https or localhost. Open this page over https to speak; reading works here.");

async function microphones() {
  const chosen = $("microphone").value;
  const named = (await list()).filter((device) => device.label && device.deviceId !== "default");
  $("microphone").replaceChildren(new Option("the system’s default", ""), ...named.map((device) => new Option(device.label, device.deviceId)));
  $("microphone").value = named.some((device) => device.deviceId === chosen) ? chosen : "";
}
microphones();
navigator.mediaDevices?.addEventListener("devicechange", microphones);

const STATES = {
  connecting: "connecting…", live: "live", reconnecting: "connection lost, reconnecting: your voice is kept",
  behind: "the server is behind: your voice is kept", finishing: "waiting for the last captions…", "resumed elsewhere": "a new session begins",
};
function state(name) {
  $("state").dataset.state = name;
  $("state").textContent = STATES[name] || "";
}

let speaking = null;

$("speak").addEventListener("submit", async (event) => {
  event.preventDefault();
  problem("");
  const room = $("room").value.trim();
  if (!$("room").checkValidity()) {
    problem("A room’s name is 1 to 64 letters, digits, . _ or - and begins with a letter or a digit.");
    $("room").focus();
    return;
  }
  for (const field of ["room", "speaker", "language"]) localStorage.setItem(field, $(field).value);
  $("start").disabled = true;
  try {
    await speak(room);
  } catch (error) {
    if (!(error instanceof MicrophoneError)) console.error(error);
    problem(error.message);
  } finally {
    $("start").disabled = false;
    lay(false);
    speaking = null;
  }
});

function lay(on) {
  $("start").hidden = on;
  for (const id of ["mute", "stop"]) $(id).hidden = !on;
  for (const field of $("speak").querySelectorAll("input, select")) field.disabled = on;
  if (!on) state("");
  else $("live").hidden = false;
}

async function speak(room) {
  let publisher = null;
  const microphone = await open($("microphone").value, (samples, level) => {
    publisher?.send(samples);
    meter(level);
  });
  try {
    microphones();
    const link = new URL(withToken(`/r/${room}`), location.href);
    $("link").href = link;
    $("link").textContent = link.host + link.pathname;
    $("mine").replaceChildren();
    const captions = new Captions();
    const shown = new Map();
    publisher = new Publisher(
      room,
      { sampleRate: microphone.sampleRate, speaker: $("speaker").value.trim(), language: $("language").value },
      (message) => message.type === "caption" && show(message, captions, shown),
      state,
    );
    speaking = { publisher, microphone, muted: false };
    lay(true);
    microphone.lost.then(() => {
      problem("The microphone is gone; the captions up to here are safe.");
      stop();
    });
    await publisher.run();
  } finally {
    clearInterval(speaking?.keepalive);
    await microphone.close();
    meter(0);
  }
}

function meter(level) {
  const share = level > 0 ? Math.max(0, Math.min(1, 1 + Math.log10(level) / 2.5)) : 0;
  $("meter").firstElementChild.style.transform = `scaleX(${share})`;
  $("meter").setAttribute("aria-valuenow", Math.round(share * 100));
}

function show(caption, captions, shown) {
  if (!captions.take(caption)) return;
  const key = Captions.key(caption);
  if (!shown.has(key)) {
    shown.set(key, document.createElement("span"));
    $("mine").append(shown.get(key), " ");
  }
  shown.get(key).replaceChildren(...spans(caption));
  $("mine").scrollTop = $("mine").scrollHeight;
}

$("mute").addEventListener("click", () => {
  speaking.muted = !speaking.muted;
  $("mute").setAttribute("aria-pressed", String(speaking.muted));
  $("mute").textContent = speaking.muted ? "Unmute" : "Mute";
  speaking.microphone.mute(speaking.muted);
  if (speaking.muted) speaking.publisher.finalize();
  clearInterval(speaking.keepalive);
  if (speaking.muted) speaking.keepalive = setInterval(() => speaking.publisher.keepalive(), 5000);
});

function stop() {
  if (!speaking) return;
  speaking.microphone.close();
  speaking.publisher.end();
  state("finishing");
}
$("stop").addEventListener("click", stop);

$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("link").href);
  $("copy").textContent = "Copied";
  setTimeout(() => { $("copy").textContent = "Copy link"; }, 1500);
});

$("read").addEventListener("submit", (event) => {
  event.preventDefault();
  location.href = withToken(`/r/${encodeURIComponent($("reading").value.trim())}`);
});

async function rooms() {
  try {
    const answer = await fetch(withToken("/v1/rooms"));
    if (!answer.ok) return;
    const live = await answer.json();
    const items = live.map((room) => {
      const link = document.createElement("a");
      link.href = withToken(`/r/${encodeURIComponent(room.room)}`);
      const who = room.tracks.map((track) => track.speaker).filter(Boolean).join(", ");
      const about = document.createElement("small");
      about.textContent = [who, `${room.viewers} reading`].filter(Boolean).join(" · ");
      link.append(room.room, about);
      const item = document.createElement("li");
      item.append(link);
      return item;
    });
    if (!items.length) {
      const item = document.createElement("li");
      item.className = "empty";
      item.textContent = "Nobody is speaking.";
      items.push(item);
    }
    $("rooms").replaceChildren(...items);
  } catch {
    // the server is away: the list stays as it was
  }
}
rooms();
setInterval(() => document.hidden || rooms(), 5000);
