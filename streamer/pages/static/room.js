import { framed, showAccount, toldAs } from "./account.js";
import { span } from "./captions.js";
// not client.js: viewers need not load the modules that publish
import { transcriptUrl } from "./client/rooms.js";
import { view } from "./client/view.js";
import { fit, letter } from "./fit.js";
import { Subtitles } from "./lines.js";
import { recall, remember } from "./storage.js";
import { token } from "./token.js";
import { Transcript } from "./transcript.js";

const $ = (id) => document.getElementById(id);
const room = decodeURIComponent(location.pathname.split("/").pop());
const captions = view(room, { token });
const subtitles = new Subtitles();
const transcript = new Transcript($("transcript"));
const tracks = new Map();
let live = false;

document.title = `${room} · captions`;
$("name").textContent = room;
if (framed) document.querySelector(".brand").target = "_blank"; // the start page is not shown in frames
for (const link of document.querySelectorAll("[data-format]")) {
  link.href = transcriptUrl(room, link.dataset.format, { token }).href;
  link.download = `${room}.${link.dataset.format}`;
}

const modes = [...document.querySelectorAll(".switch [data-mode]")];
function mode(name) {
  document.body.dataset.mode = name;
  for (const button of modes) button.setAttribute("aria-pressed", String(button.dataset.mode === name));
  draw();
}
function choose(name) {
  mode(name);
  remember("mode", name);
  const url = new URL(location.href);
  url.searchParams.set("mode", name);
  history.replaceState(null, "", url);
  following = true;
}
for (const button of modes) button.addEventListener("click", () => choose(button.dataset.mode));

let size = Number(recall("size")) || 1;
function resize(factor) {
  size = Math.min(2.2, Math.max(0.6, size * factor));
  document.documentElement.style.setProperty("--size", size);
  remember("size", size);
  measure();
}
const letterWidth = letter(getComputedStyle(document.body).fontFamily);
function measure() {
  const fitted = fit(document.documentElement.clientWidth, innerHeight, letterWidth, size);
  $("subtitles").style.fontSize = `${fitted.size}px`;
  $("subtitles").style.width = `${fitted.width}px`;
  subtitles.columns = fitted.columns;
  draw();
}
$("larger").addEventListener("click", () => resize(1.15));
$("smaller").addEventListener("click", () => resize(1 / 1.15));
$("full").addEventListener("click", () => document.documentElement.requestFullscreen());
$("full").hidden = !document.fullscreenEnabled;
addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelector(".menu[open]")?.removeAttribute("open");
});

// The page follows new captions. It stops when the reader scrolls up, and follows again when they scroll back down.
let following = true;
let scrolled = 0;
const bottom = () => document.documentElement.scrollHeight - innerHeight;
addEventListener("scroll", () => {
  const up = scrollY < scrolled; // only a reader scrolls up; new captions move the end down
  scrolled = scrollY;
  if (document.body.dataset.mode !== "transcript") return;
  if (up && scrollY < NEAR_TOP && !failed) showEarlier();
  if (scrollY >= bottom() - 120) following = true;
  else if (up) following = false;
  $("jump").hidden = following;
}, { passive: true });
$("jump").addEventListener("click", () => {
  following = true;
  $("jump").hidden = true;
  $("captions").focus({ preventScroll: true });
  draw();
});

// Changes the transcript. For a reader who scrolled up, what is being read keeps its position, whatever changes above it.
// Not every browser anchors it by itself.
function inPlace(change) {
  const top = (element) => element.getBoundingClientRect().top;
  const read = following ? [] : transcript.below(document.querySelector(".bar").getBoundingClientRect().bottom);
  const before = read.map(top);
  change();
  const stays = read.findIndex((element) => element.getClientRects().length);
  if (stays >= 0) scrollBy({ top: top(read[stays]) - before[stays], behavior: "instant" });
}

// Inserts a page of earlier captions above.
const NEAR_TOP = 1200;
let failed = false;
let loading = false;
async function showEarlier() {
  if (!captions.more || loading) return;
  loading = true;
  const page = await captions.earlier().catch(() => null);
  loading = false;
  failed = page === null;
  $("earlier").textContent = failed ? "Earlier captions could not be loaded. Try again" : "Earlier captions";
  $("earlier").hidden = !captions.more;
  if (failed) return;
  inPlace(() => page.forEach((caption) => transcript.show(caption)));
  draw();
}
$("earlier").addEventListener("click", () => {
  following = false;
  showEarlier();
});

// Draws at most once per frame: a new reader receives hours of captions at once.
let drawing = false;
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (document.body.dataset.mode === "subtitles") $("subtitles").replaceChildren(...subtitles.lines().map(line));
    else if (following) scrollTo({ top: bottom(), behavior: "instant" });
  });
}

function line({ name, glue, words }) {
  const element = document.createElement("div");
  element.className = "line";
  if (name) element.append(span("who", name));
  words.forEach(({ text, stable }, at) => {
    if (at) element.append(glue);
    element.append(span(stable ? "stable" : "volatile", text));
  });
  return element;
}

function show(caption) {
  let settled = false;
  subtitles.take(caption);
  if (caption.final) inPlace(() => { settled = transcript.show(caption); });
  else transcript.show(caption);
  if (caption.text) $("waiting").hidden = true;
  if (settled && caption.text && live) announce(caption);
  draw();
}

// The room so far comes in the order of its last changes. It is shown in the order it was spoken, once it is complete.
let soFar = [];
let complete = false;
function showSoFar() {
  complete = true;
  soFar.sort((one, other) => Date.parse(one.started_at) - Date.parse(other.started_at)).forEach(show);
  soFar = [];
}

// Screen readers announce each caption once, when it is final: partials change too often, and what the second pass changes
// was heard already.
function announce(caption) {
  const spoken = $("spoken");
  const element = document.createElement("p");
  element.lang = caption.language;
  element.textContent = caption.speaker ? `${caption.speaker}: ${caption.text}` : caption.text;
  spoken.append(element);
  while (spoken.childElementCount > 20) spoken.firstElementChild.remove();
}

function presence() {
  const names = (state) => [...new Set([...tracks.values()].filter((t) => t.state === state).map((t) => t.speaker || t.track))];
  const speaking = names("live");
  const away = names("away");
  const parts = [];
  if (speaking.length) parts.push(`${speaking.join(", ")} ${speaking.length > 1 ? "are" : "is"} on`);
  if (away.length) parts.push(`${away.join(", ")} lost the connection`);
  if (!parts.length && live && tracks.size) parts.push("Nobody is speaking now");
  $("presence").textContent = parts.join(" · ");
}

function state(name, text) {
  $("state").dataset.state = name;
  $("state").textContent = text;
}

captions.addEventListener("caption", ({ detail }) => {
  if (complete) show(detail);
  else soFar.push(detail);
});
captions.addEventListener("track", ({ detail }) => {
  tracks.set(detail.track, detail);
  presence();
});
captions.addEventListener("live", () => {
  showSoFar();
  $("earlier").hidden = !captions.more;
  live = true;
  state("live", "connected");
  presence();
});
// After a gap the server sends all retained events again, also the tracks.
captions.addEventListener("gap", () => {
  tracks.clear();
  transcript.note("Some earlier captions are no longer kept.");
});
captions.addEventListener("deleted", () => {
  soFar = [];
  transcript.clear();
  subtitles.clear();
  $("spoken").replaceChildren();
  transcript.note("What was said so far was deleted.");
  draw();
});
captions.addEventListener("reconnecting", () => {
  showSoFar();
  complete = false;
  state("reconnecting", "reconnecting…");
});
captions.addEventListener("error", async ({ detail }) => {
  showSoFar();
  state("refused", "refused");
  if (detail.code === "unauthorized") await showAccount(room); // the session may have ended
  $("presence").textContent = "";
  const read = $("transcript").childElementCount > 0;
  $("waiting").hidden = read;
  $("ended").hidden = !read;
  $("waiting").textContent = toldAs(detail);
  $("ended").textContent = `The captions stop here. ${toldAs(detail)}`;
});

showAccount(room);
resize(1);
const asked = [new URLSearchParams(location.search).get("mode"), location.hash.slice(1), recall("mode")];
mode(asked.find((name) => modes.some((button) => button.dataset.mode === name)) || "transcript");
addEventListener("resize", measure);
