import { Captions, spans } from "./captions.js";
import { ask, withToken } from "./connection.js";
import { INSECURE, list, open } from "./microphone.js";
import { Publisher } from "./publisher.js";
import { recall, remember } from "./storage.js";

const $ = (id) => document.getElementById(id);

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
if (!isSecureContext) problem(`${INSECURE} Reading works here.`);

async function microphones() {
  const chosen = $("microphone").value;
  const named = (await list()).filter((device) => device.label && device.deviceId !== "default");
  $("microphone").replaceChildren(new Option("The system’s default", ""), ...named.map((device) => new Option(device.label, device.deviceId)));
  $("microphone").value = named.some((device) => device.deviceId === chosen) ? chosen : "";
}
microphones();
navigator.mediaDevices?.addEventListener("devicechange", microphones);

const STATES = {
  connecting: "Connecting…",
  live: "Live",
  behind: "The server is behind; your voice is kept",
  reconnecting: "Connection lost, trying again; your voice is kept",
  refused: "The server lets nobody in now: it may be full, or your link may not allow speaking. Trying again",
  finishing: "Waiting for the last captions…",
};
function state(name, lost) {
  $("state").dataset.state = name;
  $("state").textContent = (STATES[name] || "") + (lost ? ` (${lost} s of your voice were lost)` : "");
}

let speaking = null;

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
    problem(error.message);
  } finally {
    speaking = null;
    $("choices").disabled = false;
    lay(false);
    $("start").focus();
  }
});

// The form while choosing, the controls while speaking; what was said stays until the next start.
function lay(on) {
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
  let publisher = null;
  const microphone = await open($("microphone").value, (samples, level) => {
    publisher?.send(samples);
    meter(level);
  });
  try {
    microphones();
    const link = new URL(withToken(`r/${encodeURIComponent(room)}`));
    $("link").href = link;
    $("link").textContent = link.host + link.pathname;
    $("mine").replaceChildren();
    warn("");
    const captions = new Captions();
    const shown = new Map();
    publisher = new Publisher(
      room,
      { sampleRate: microphone.sampleRate, speaker: $("speaker").value.trim(), language: $("language").value },
      (message) => {
        if (message.type === "caption") show(message, captions, shown);
        if (message.type === "warning" && !speaking?.muted) warn(message.message);
      },
      state,
    );
    speaking = { publisher, microphone, muted: false, ending: false };
    lay(true);
    microphone.lost.then(() => {
      problem("The microphone is gone; what was said up to here is captioned.");
      stop();
    });
    await publisher.run();
  } finally {
    clearInterval(speaking?.keepalive);
    await microphone.close();
  }
}

// What is wrong with the sound, as the server hears it.
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

function show(caption, captions, shown) {
  const key = captions.take(caption);
  if (key === null) return;
  if (!shown.has(key)) {
    shown.set(key, document.createElement("span"));
    $("mine").append(shown.get(key), " ");
  }
  shown.get(key).replaceChildren(...spans(caption));
  $("mine").scrollTop = $("mine").scrollHeight;
}

function mute(muted) {
  $("mute").setAttribute("aria-pressed", String(muted));
  $("mute").textContent = muted ? "Unmute" : "Mute";
  speaking.muted = muted;
  speaking.microphone.mute(muted);
  clearInterval(speaking.keepalive);
  if (!muted) return;
  speaking.publisher.finalize();
  speaking.keepalive = setInterval(() => speaking.publisher.keepalive(), 5000);
}
$("mute").addEventListener("click", () => mute(!speaking.muted));

// Once: the last captions are waited for. Twice: they are not.
function stop() {
  if (!speaking) return;
  if (speaking.ending) {
    speaking.publisher.leave();
    return;
  }
  speaking.ending = true;
  speaking.microphone.close();
  meter(0);
  $("quiet").hidden = true;
  $("mute").hidden = true;
  $("stop").textContent = "Stop waiting";
  state("finishing", 0);
  speaking.publisher.end();
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
  location.href = withToken(`r/${encodeURIComponent($("reading").value.trim())}`);
});

async function rooms() {
  const { answer, refusal } = await ask("v1/rooms");
  if (answer) $("rooms").replaceChildren(...(answer.length ? answer.map(entry) : [nothing("Nobody is speaking.")]));
  else if (refusal) $("rooms").replaceChildren(nothing(refusal.message));
}

function nothing(text) {
  const item = document.createElement("li");
  item.className = "empty";
  item.textContent = text;
  return item;
}

function entry({ room, tracks, viewers }) {
  const link = document.createElement("a");
  link.href = withToken(`r/${encodeURIComponent(room)}`);
  const who = [...new Set(tracks.map((track) => track.speaker).filter(Boolean))].join(", ");
  const about = document.createElement("small");
  about.textContent = [who, `${viewers} reading`].filter(Boolean).join(" · ");
  link.append(room, about);
  const item = document.createElement("li");
  item.append(link);
  return item;
}
rooms();
setInterval(() => document.hidden || rooms(), 5000);
