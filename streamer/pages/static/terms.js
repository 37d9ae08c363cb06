// The start page's field for terms: a list to edit, terms found in a programme, and the room's own terms.
import { toldAs } from "./account.js";
import { findTerms, glossary, saveGlossary } from "./client/glossary.js";
import { termsOf } from "./lines-of-terms.js";
import { token } from "./token.js";

const $ = (id) => document.getElementById(id);
const MOST_OF_SESSION = 100;

let ofRoom = null; // the room's terms as they were read: {room, text, version}. Null if this reader may not change them
let saved = null; // what stands in the field if it is what the room has: {room, text}

function told(text, isProblem = false) {
  $("terms-told").textContent = text;
  $("terms-told").classList.toggle("problem", isProblem);
}

const number = (count) => (count === 1 ? "1 term" : `${count} terms`);
const countOf = (lines) => lines.split("\n").filter(Boolean).length;
const room = () => $("room").value.trim();

// The terms of the session that begins: none where the room has the same. Throws an Error that tells what to do.
export function termsOfSession() {
  const text = $("terms").value;
  if (!text.trim() || (saved?.room === room() && saved.text === text)) return [];
  let terms;
  try {
    terms = termsOf(text);
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

// Asks whether this reader may change the room's terms, and shows the buttons for it.
async function look() {
  if (!$("expecting").open) return;
  const asked = room();
  ofRoom = null;
  if (asked && $("room").checkValidity()) {
    try {
      const found = { room: asked, ...(await glossary(asked, { token })) };
      if (room() !== asked) return;
      ofRoom = found;
    } catch {
      // most speakers may not: they have terms of their own
    }
  }
  const count = ofRoom ? countOf(ofRoom.text) : 0;
  $("load").hidden = count === 0;
  $("load").textContent = `Show the room’s ${number(count)}`;
  $("save").hidden = ofRoom === null;
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
  const there = new Set($("terms").value.split("\n").map((line) => line.split("|")[0].trim()));
  const fresh = found.filter((term) => !there.has(term)).map((term) => term.replace(/[\\|]|^#/gu, "\\$&"));
  if (fresh.length) {
    const lines = $("terms").value.trimEnd();
    const before = lines ? `${lines}\n` : "";
    $("terms").value = `${before}${fresh.join("\n")}\n`;
    $("terms").setSelectionRange(before.length, before.length); // where the reader begins to check
    $("terms").scrollTop = 0;
    $("programme").value = "";
    $("terms").focus();
  }
  told(fresh.length ? `${number(fresh.length)} found. Remove what nobody will say.` : "No further terms are in this text.");
}

async function save() {
  const text = $("terms").value;
  const asked = ofRoom.room;
  try {
    const { count, leftOut } = await saveGlossary(asked, text, ofRoom.version, { token });
    saved = { room: asked, text };
    await look();
    const lost = leftOut.length ? ` Too long for captions, and left out: ${leftOut.join(", ")}.` : "";
    told(`Saved. The captions of everybody who speaks in ${asked} now expect ${number(count)}.${lost}`, Boolean(lost));
  } catch (error) {
    if (error.code !== "changed") throw error;
    await look();
    told("Somebody else has changed the room’s terms meanwhile. Show them, and repeat your change.", true);
  }
}

function load() {
  $("terms").value = ofRoom.text;
  saved = { room: ofRoom.room, text: ofRoom.text };
  told(`These are the terms of ${ofRoom.room}.`);
  $("terms").focus();
}

for (const [id, act] of Object.entries({ find, save, load })) {
  $(id).addEventListener("click", async () => {
    $(id).disabled = true;
    try {
      await act();
    } catch (error) {
      told(toldAs(error), true);
    } finally {
      $(id).disabled = false;
    }
  });
}
$("expecting").addEventListener("toggle", look);
$("room").addEventListener("change", look);
