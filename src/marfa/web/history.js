// The texts that a person has sent, in this browser alone: the latest few, one by one or all to be
// deleted, and none where the person wants none.

import { make } from "./exchange.js";
import { say, store } from "./words.js";

const MOST = 20; // texts
const MOST_CHARACTERS = 100_000; // of all together; a longer one is not kept
const MOST_SHOWN = 120; // characters of one
const PLACE = new URL("./", location).pathname; // other pages of the same host keep their own
const TEXTS = `marfa.texts ${PLACE}`;
const OFF = `marfa.off ${PLACE}`;

let latest = []; // where the browser keeps nothing, until the page is closed
let unkept = false; // it has refused to keep them
const [past, keeps, all, note] = ["past", "keeps", "forget", "kept"].map((id) => document.getElementById(id));

function read() {
  if (unkept) return latest;
  try {
    const found = JSON.parse(store.get(TEXTS));
    if (Array.isArray(found)) return found.filter((each) => typeof each === "string");
  } catch { // somebody else's writing
  }
  return []; // or deleted, perhaps from another tab
}

function write(texts) {
  let left = MOST_CHARACTERS;
  latest = texts.slice(0, MOST).filter((text) => (left -= text.length) >= 0);
  unkept = !store.set(TEXTS, latest.length ? JSON.stringify(latest) : null);
}

/** Keep a text, unless the person wants none kept. */
export function keep(text) {
  if (text.trim() && store.get(OFF) === null && text.length <= MOST_CHARACTERS) {
    write([text, ...read().filter((each) => each !== text)]);
  }
}

/** Show what is kept, as buttons that put a text back into `input`. */
export function drawHistory(input) {
  const kept = read().map((text) => {
    const start = [...text].slice(0, MOST_SHOWN).join("");
    const again = make("button", { type: "button", className: "past", dir: "auto", textContent: start });
    again.ariaLabel = say("past", { text: start });
    again.addEventListener("click", () => {
      input.value = text;
      document.getElementById("texts").hidePopover();
      input.focus();
    });
    const drop = make("button", { type: "button", textContent: "×", ariaLabel: say("forget", { text: start }) });
    drop.addEventListener("click", () => {
      write(read().filter((each) => each !== text));
      drawHistory(input);
      (past.querySelector("button") ?? keeps).focus();
    });
    return make("li", {}, again, drop);
  });
  past.replaceChildren(...kept);
  keeps.checked = store.get(OFF) === null;
  all.hidden = !kept.length;
  const keepable = store.set(`${TEXTS} try`, "1") && store.set(`${TEXTS} try`, null);
  note.textContent = keepable ? (kept.length ? "" : say("noPast")) : say("unkeepable");
}

/** Let a person see and delete what is kept. */
export function openHistory(input) {
  document.getElementById("texts").addEventListener("beforetoggle", () => drawHistory(input));
  keeps.addEventListener("change", () => {
    store.set(OFF, keeps.checked ? null : "1");
    if (!keeps.checked) write([]);
    drawHistory(input);
  });
  all.addEventListener("click", () => {
    write([]);
    drawHistory(input);
    keeps.focus();
  });
}
