import { Captions, spans, span } from "./captions.js";
import { Subtitles, WIDTH } from "./lines.js";
import { follow, token } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const room = decodeURIComponent(location.pathname.split("/").pop());
const captions = new Captions();
const subtitles = new Subtitles(matchMedia("(max-width: 46rem)").matches ? 28 : WIDTH);
const shown = new Map(); // key -> the element of a caption in the transcript
const tracks = new Map();
let live = false;

document.title = `${room} · captions`;
$("name").textContent = room;
for (const link of document.querySelectorAll("[data-format]")) {
  const query = new URLSearchParams({ format: link.dataset.format, ...(token ? { token } : {}) });
  link.href = `/v1/rooms/${encodeURIComponent(room)}/transcript?${query}`;
  link.download = `${room}.${link.dataset.format}`;
}

function mode(name) {
  document.body.dataset.mode = name;
  for (const button of document.querySelectorAll(".switch [data-mode]")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === name));
  }
  localStorage.setItem("mode", name);
  const url = new URL(location.href);
  url.searchParams.set("mode", name);
  history.replaceState(null, "", url);
  if (name === "transcript") toLive();
}
for (const button of document.querySelectorAll(".switch [data-mode]")) {
  button.addEventListener("click", () => mode(button.dataset.mode));
}

let size = Number(localStorage.getItem("size")) || 1;
function resize(factor) {
  size = Math.min(2.2, Math.max(0.6, size * factor));
  document.documentElement.style.setProperty("--size", size);
  localStorage.setItem("size", size);
}
$("larger").addEventListener("click", () => resize(1.15));
$("smaller").addEventListener("click", () => resize(1 / 1.15));
$("full").addEventListener("click", () => document.documentElement.requestFullscreen());
$("full").hidden = !document.fullscreenEnabled;

let following = true;
addEventListener("scroll", () => {
  following = innerHeight + scrollY >= document.documentElement.scrollHeight - 120;
  $("jump").hidden = following || document.body.dataset.mode !== "transcript";
}, { passive: true });
function toLive() {
  following = true;
  scrollTo({ top: document.documentElement.scrollHeight });
}
$("jump").addEventListener("click", toLive);

let turn = null;
function place(caption) {
  const fresh = !turn || turn.track !== caption.track || turn.count >= 4 || caption.start - turn.end > 6;
  if (fresh) {
    const section = document.createElement("section");
    section.className = "turn";
    const header = document.createElement("header");
    if (caption.speaker && turn?.track !== caption.track) {
      const name = document.createElement("b");
      name.textContent = caption.speaker;
      header.append(name);
    }
    const time = document.createElement("time");
    time.dateTime = caption.started_at;
    time.textContent = new Date(caption.started_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    header.append(time);
    const text = document.createElement("p");
    section.append(header, text);
    $("transcript").append(section);
    turn = { track: caption.track, count: 0, end: caption.end, text };
  }
  const element = document.createElement("span");
  element.lang = caption.language;
  if (turn.count) turn.text.append(" ");
  turn.text.append(element);
  turn.count += 1;
  return element;
}

function show(caption) {
  if (!captions.take(caption)) return;
  const key = Captions.key(caption);
  subtitles.take(key, caption);
  if (!shown.has(key) && caption.text) shown.set(key, place(caption));
  const element = shown.get(key);
  if (element) {
    element.replaceChildren(...spans(caption));
    element.dataset.final = caption.final;
    if (turn && turn.track === caption.track) turn.end = Math.max(turn.end, caption.end);
    const section = element.closest(".turn");
    section.hidden = !section.querySelector("p").textContent.trim();
  }
  if (caption.final && caption.text && live) announce(caption);
  if (caption.text) $("waiting").hidden = true;
  if (following && document.body.dataset.mode === "transcript") toLive();
  draw();
}

// Screen readers hear finals only: revisions would flood them.
function announce(caption) {
  const spoken = $("spoken");
  const line = document.createElement("p");
  line.lang = caption.language;
  line.textContent = caption.speaker ? `${caption.speaker}: ${caption.text}` : caption.text;
  spoken.append(line);
  while (spoken.childElementCount > 20) spoken.firstElementChild.remove();
}

function draw() {
  const lines = subtitles.lines().map(({ speaker, glue, words }) => {
    const line = document.createElement("div");
    line.className = "line";
    if (speaker) line.append(span("who", `${speaker}: `));
    words.forEach(({ text, stable }, at) => {
      if (at) line.append(glue);
      line.append(span(stable ? "stable" : "volatile", text));
    });
    return line;
  });
  $("subtitles").replaceChildren(...lines);
}

function note(text) {
  const line = document.createElement("p");
  line.className = "note";
  line.textContent = text;
  $("transcript").append(line);
  turn = null;
}

function presence() {
  const names = (state) => [...tracks.values()].filter((t) => t.state === state).map((t) => t.speaker || t.track);
  const speaking = names("live"), away = names("away");
  const parts = [];
  if (speaking.length) parts.push(`${speaking.join(", ")} ${speaking.length > 1 ? "are" : "is"} on`);
  if (away.length) parts.push(`${away.join(", ")} lost the connection`);
  $("presence").textContent = parts.join(" · ");
  if (live && !speaking.length && !away.length && tracks.size) $("presence").textContent = "Nobody is speaking now";
}

function told(message) {
  if (message.type === "caption") show(message);
  else if (message.type === "live") { live = true; presence(); }
  else if (message.type === "gap") note("Some of what was said here is no longer kept.");
  else if (message.type === "track") { tracks.set(message.track, message); presence(); }
}

resize(1);
mode(new URLSearchParams(location.search).get("mode") || localStorage.getItem("mode") || "transcript");
follow(room, told, (state, why) => {
  $("state").dataset.state = state;
  $("state").textContent = why || { live: "connected", reconnecting: "reconnecting…" }[state];
  if (state === "refused") $("waiting").textContent = why;
});
