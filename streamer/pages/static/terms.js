// The start page's field for terms: a list to edit, terms found in a programme, and the room's own terms.
import { toldAs } from "./account.js";
import { findTerms, glossary, saveGlossary } from "./client/glossary.js";
import { nameIn, termsOf } from "./lines-of-terms.js";
import { token } from "./token.js";

const $ = (id) => document.getElementById(id);
const MOST_OF_SESSION = 100;

let ofRoom = null; // the room's terms as they were read: {room, text, version}. Null if this reader may not change them
let shown = null; // the room's terms that the field was filled with: {room, text, version}
let asking = false; // whether the next press of the save button replaces terms that the field has not shown

function told(text, isProblem = false) {
  $("terms-told").textContent = text;
  $("terms-told").classList.toggle("problem", isProblem);
}

const number = (count) => (count === 1 ? "1 term" : `${count} terms`);
const linesOf = (text) => text.split(/\r?\n/u).filter((line) => line.trim() && !line.trim().startsWith("#"));
const room = () => $("room").value.trim();

// The terms of the session that begins, without those that the room has. Throws an Error that tells what to do.
export function termsOfSession() {
  const known = new Set((ofRoom?.room === room() ? termsOf(ofRoom.text) : []).map((term) => JSON.stringify(term)));
  let terms;
  try {
    terms = termsOf($("terms").value).filter((term) => !known.has(JSON.stringify(term)));
    if (terms.length > MOST_OF_SESSION) {
      throw new Error(`These are ${number(terms.length)}; you can speak with ${MOST_OF_SESSION}. Remove some, or save them for the room.`);
    }
  } catch (error) {
    $("expecting").open = true;
    $("terms").focus();
    throw error;
  }
  return terms;
}

// Reads the room's terms, fills an empty field with them, and shows the buttons to those who may change them.
async function look() {
  if (!$("expecting").open) return;
  const asked = room();
  let why = "";
  ofRoom = null;
  if (asked && $("room").checkValidity()) {
    try {
      const found = { room: asked, ...(await glossary(asked, { token })) };
      if (room() !== asked) return;
      ofRoom = found;
    } catch (error) {
      if (room() !== asked) return;
      why = error.code === "forbidden"
        ? "These terms count while you speak. Only those who manage the room can save terms for it."
        : `These terms count while you speak. The room’s own terms cannot be read: ${toldAs(error)}`;
    }
  }
  if (shown && shown.room !== asked && $("terms").value === shown.text) $("terms").value = "";
  if (ofRoom && linesOf(ofRoom.text).length && !$("terms").value.trim()) fill(ofRoom.text);
  $("save").hidden = ofRoom === null;
  $("not-saved").textContent = why;
  $("not-saved").hidden = !why;
  offer();
}

// Lets the buttons say what they do with what the field has now.
function offer() {
  const count = ofRoom ? linesOf(ofRoom.text).length : 0;
  $("load").hidden = missing().length === 0;
  $("load").textContent = `Show the room’s ${number(count)}`;
  $("save").textContent = asking ? `Replace ${number(count)}` : "Save for this room";
}

// The lines of the room's terms that the field lacks.
function missing() {
  const there = new Set(linesOf($("terms").value).map(nameIn));
  return ofRoom ? linesOf(ofRoom.text).filter((line) => !there.has(nameIn(line))) : [];
}

// Puts the room's terms into the field: what is saved from now on is a change of them.
function fill(text) {
  $("terms").value = text;
  shown = { ...ofRoom, text };
}

function begun(text) {
  const lines = text.trimEnd();
  return lines ? `${lines}\n` : "";
}

function toTheTop() {
  $("terms").setSelectionRange(0, 0);
  $("terms").focus({ preventScroll: true });
  $("terms").scrollTop = 0;
}

async function find() {
  const text = $("programme").value;
  if (!text.trim()) {
    told("Paste a programme, an abstract or a list of names first.");
    $("programme").focus();
    return;
  }
  const language = $("language").value;
  const found = await findTerms(text, language, { token });
  const there = new Set(linesOf($("terms").value).map(nameIn));
  const fresh = found.filter((term) => !there.has(term)).map((term) => term.replace(/[\\|]|^#/gu, "\\$&"));
  if (fresh.length) {
    $("terms").value = `${begun($("terms").value)}${fresh.join("\n")}\n`;
    $("programme").value = "";
    toTheTop();
    told(`${number(fresh.length)} found. Remove what nobody will say.`);
  } else {
    told(found.length ? "The terms in this text are in the list already." : "No terms found.");
  }
}

async function save() {
  const text = $("terms").value;
  const { room: asked, version } = ofRoom;
  const had = linesOf(ofRoom.text).length;
  const now = linesOf(text).length;
  const seen = shown?.room === asked && shown.version === version;
  if (!asking && had && !(seen && now)) {
    asking = true;
    told(now ? `Replace the room’s ${number(had)} by ${now === 1 ? "this 1" : `these ${now}`}? Press again to replace.`
      : `Delete the room’s ${number(had)}? Press again to delete.`);
    return;
  }
  asking = false;
  try {
    const stored = await saveGlossary(asked, text, version, { token });
    shown = { room: asked, text, version: stored.version };
    await look();
    const lost = stored.leftOut.length ? ` Too long for captions, and left out: ${stored.leftOut.join(", ")}.` : "";
    told(`Saved. The captions of everybody who speaks in ${asked} now expect ${number(stored.count)}.${lost}`, Boolean(lost));
  } catch (error) {
    if (error.code !== "changed") throw error;
    await look();
    told("Somebody else has changed the room’s terms meanwhile. Show them: they are added to yours. Then save again.", true);
  }
}

function load() {
  const lines = missing();
  const typed = begun($("terms").value);
  fill(`${typed}${lines.join("\n")}\n`);
  told(typed ? `${number(lines.length)} of ${ofRoom.room} added.` : `These are the terms of ${ofRoom.room}.`);
  toTheTop();
}

// What was told and asked is over when the reader does something else.
function over() {
  asking = false;
  told("");
  offer();
}

for (const [id, act] of Object.entries({ find, save, load })) {
  $(id).addEventListener("click", async () => {
    $(id).disabled = true;
    if (id === "save") told("");
    else over();
    try {
      await act();
    } catch (error) {
      told(toldAs(error), true);
    } finally {
      $(id).disabled = false;
      offer();
    }
  });
}
$("terms").addEventListener("input", over);
$("room").addEventListener("input", over);
$("expecting").addEventListener("toggle", look);
$("room").addEventListener("change", look);
