// The page of a model that writes: one text at a time, and exactly one of empty, waiting, writing,
// stopped, done or error. Whatever ends a text, what was written of it stays.

import { Failure, askModel, introduce, isCount, isRecord, isText, make, reveal } from "./exchange.js";
import { findDevice } from "./device.js";
import { Writer } from "./writer.js";

const WORDS = [ // for temperatures below each
  [0.01, "always the likeliest"], [0.55, "careful"], [1.05, "balanced"], [1.45, "daring"],
  [Infinity, "wild"],
];
const REMEDIES = { on: "Go on", again: "Try again", anew: "Start again" };

const [form, prompt, more, wrong, send, degree] = (
  "form prompt more wrong send degree"
).split(" ").map((id) => document.getElementById(id));
const [result, status, error, paper, course, facts, note, stop, remedy, copy, keep, about] = (
  "result status error paper course facts note stop remedy copy keep about"
).split(" ").map((id) => document.getElementById(id));
const { length, temperature, top_k: topK, top_p: topP, seed } = Object.fromEntries(
  [...form.querySelectorAll("input")].map((input) => [input.name, input]),
);
const [given, made] = paper.children;

let writer = null; // the text that is shown
let frame = 0; // of the animation in which what has arrived will be shown
let bodyLimit = Infinity;
let turns = 0; // texts that were asked for; while a device is looked for, only the last one counts
let device = null; // this device, once it is known to have a model
const found = findDevice().then((each) => { device = each; });

const count = (number) => number.toLocaleString("en");
const characters = (number) => `${count(number)} ${number === 1 ? "character" : "characters"}`;

/** Show a state, its words, and the buttons that it has. */
function show(state, message = "", help = "") {
  const before = document.activeElement;
  const busy = state === "waiting" || state === "writing";
  const begun = writer?.start ?? null;
  render();
  result.dataset.state = state;
  status.textContent = message;
  error.replaceChildren();
  paper.hidden = course.hidden = begun === null || state === "waiting";
  paper.ariaBusy = String(busy);
  course.dir = getComputedStyle(paper).direction;
  stop.hidden = !busy;
  remedy.hidden = !help;
  remedy.textContent = REMEDIES[help] ?? "";
  remedy.dataset.help = help;
  copy.hidden = paper.hidden || busy;
  keep.hidden = begun === null || busy;
  tell(begun, busy);
  if (before?.hidden) [stop, remedy, copy, send].find((button) => !button.hidden).focus();
}

/** Say what the text was made with, and what of the prompt the model could not read. */
function tell(begun, busy) {
  const unknown = begun?.unknown ?? 0;
  const are = unknown === 1 ? "is" : "are";
  const noted = unknown ? `${characters(unknown)} of your prompt ${are} not known to the model.` : "";
  if (note.textContent !== noted) note.textContent = noted; // said once, not with every state
  facts.replaceChildren();
  if (begun === null) return;
  const said = [`seed ${begun.seed}`];
  const speed = writer.seconds > 0 && !writer.whole ? [...writer.made].length / writer.seconds : 0;
  if (!busy && speed) said.push(`${count(Math.max(1, Math.round(speed)))} characters a second`);
  facts.append(`${said.join(" · ")} · model `, make("bdi", { textContent: begun.model }), ` · ${credit(writer)}`);
}

/** Say who has written. */
function credit({ taken }) {
  if (!taken) return "written by the server";
  const why = taken.why && ` (${taken.why})`;
  return taken.at
    ? `the first ${characters(taken.at)} by the server, then on this device${why}` : `written on this device${why}`;
}

/** Bring the paper up to what has arrived; it scrolls along unless a person scrolled it back. */
function render() {
  cancelAnimationFrame(frame);
  frame = 0;
  const follows = paper.scrollHeight - paper.scrollTop - paper.clientHeight < 48;
  const ink = made.firstChild ?? made.appendChild(new Text());
  const prompted = writer?.start?.prompt ?? "";
  if (given.textContent !== prompted) given.textContent = prompted; // else it keeps a selection
  ink.appendData((writer?.made ?? "").slice(ink.length));
  course.firstChild.style.inlineSize =
    writer?.start ? `${(100 * writer.position) / writer.start.length}%` : "0";
  if (follows) paper.scrollTop = paper.scrollHeight;
}

/** The state while a text is being made: waiting until there is a character to see. */
function busy(message) {
  const state = writer.made ? "writing" : "waiting";
  show(state, message ?? (writer.made ? "Writing…" : "Waiting for the first character…"));
}

/** What the form asks for, or null where a number is out of its range: then that is said. */
function settings() {
  const asked = { prompt: prompt.value };
  let first = null;
  for (const input of [length, temperature, topK, topP, seed]) {
    const good = input.checkValidity();
    input.ariaInvalid = String(!good);
    if (good) input.removeAttribute("aria-describedby");
    else input.setAttribute("aria-describedby", "wrong");
    if (!good) first ??= input;
    if (input.value !== "") asked[input.name] = input.valueAsNumber;
  }
  const label = first?.labels[0].firstChild.textContent.trim();
  wrong.textContent = first ? `${label}: ${first.dataset.range}, please.` : "";
  if (first && more.contains(first)) more.open = true;
  first?.focus();
  return first ? null : asked;
}

/** Write a new text, dropping the one before. */
async function begin() {
  const asked = settings();
  if (asked === null) return;
  writer?.stop();
  const turn = (turns += 1);
  if (device === null) await found;
  if (turn !== turns) return;
  made.replaceChildren();
  const mine = new Writer(asked, bodyLimit, {
    begun: () => mine === writer && busy(),
    grown: () => {
      if (mine !== writer) return;
      if (result.dataset.state !== "writing" || status.textContent !== "Writing…") busy();
      frame ||= requestAnimationFrame(render);
    },
    lost: (why, seconds) => mine === writer && busy(`${why}; going on in ${seconds} s.`),
  }, device);
  writer = mine;
  goOn();
  reveal(result);
}

/** Write, from the beginning or from where the text ends, until it is done, stopped or broken. */
async function goOn() {
  const mine = writer;
  busy();
  try {
    const done = await mine.run();
    if (mine !== writer) return;
    if (done) show("done", `Done, ${characters(mine.position)}.`);
    else stopped();
  } catch (problem) {
    if (mine === writer) fail(problem);
  }
}

function stopped() {
  if (writer.start === null) {
    writer = null;
    show("empty", "Stopped. Nothing was written.");
    return;
  }
  const { position, start } = writer;
  show("stopped", `Stopped after ${count(position)} of ${characters(start.length)}.`, "on");
}

function fail(problem) {
  if (!(problem instanceof Failure)) throw problem;
  const help = writer.start ? "on" : problem.again ? "again" : "";
  show("error", "", problem.restart ? "anew" : help);
  error.append(
    make("h2", { textContent: problem.heading }),
    make("p", { dir: "auto", textContent: problem.detail }),
  );
  if (writer.start) {
    const { position, start } = writer;
    error.append(make("p", { textContent: `Kept: ${count(position)} of ${characters(start.length)}.` }));
  }
  reveal(result);
}

async function copyText() {
  try {
    await navigator.clipboard.writeText(writer.text);
    status.textContent = `Copied ${characters(writer.position)}.`;
  } catch { // refused, or not there at all: browsers keep the clipboard from plain http
    getSelection().selectAllChildren(paper);
    status.textContent = "The browser does not let this page copy. The text is selected: copy it with Ctrl or ⌘ + C.";
  }
}

function keepSeed() {
  more.open = true;
  seed.value = writer.start.seed;
  status.textContent = `Seed ${seed.value} is set: the same beginning and settings give the same text.`;
}

function showDegree() {
  const [, words] = WORDS.find(([below]) => temperature.valueAsNumber < below);
  const said = `${temperature.valueAsNumber}, ${words}`;
  degree.textContent = said;
  temperature.setAttribute("aria-valuetext", said);
}

/** Fill in what the server tells about its model; the page works without. */
async function describe() {
  const model = await askModel();
  if (!introduce(about, model)) return;
  const { alphabet, defaults, limits, metrics } = model;
  if (isCount(limits?.body_bytes)) bodyLimit = limits.body_bytes;
  if (isCount(limits?.length) && limits.length > 0) {
    length.max = limits.length;
    length.dataset.range = `a whole number from 1 to ${count(limits.length)}`;
  }
  for (const input of [length, temperature, topK, topP]) { // but not over what was typed meanwhile
    const value = isRecord(defaults) ? defaults[input.name] : undefined;
    if (typeof value === "number" && input.value === input.defaultValue) input.value = value;
  }
  showDegree();
  if (isText(alphabet)) hideForeign(alphabet);
  const { bits_per_character: bits, baseline: rival, baseline_bits_per_character: least, n } = metrics ?? {};
  if (bits > 0) {
    const held = isCount(n) ? `${count(n)} characters of held-out text` : "held-out text";
    about.append(`. ${Number(bits).toFixed(2)} bits per character on ${held}`);
    if (least > 0 && isText(rival)) {
      about.append(`; counting ${rival}s, ${Number(least).toFixed(2)} (fewer is better)`);
    }
  }
  about.append(".");
}

/** Hide the beginnings of which the model knows no letter. */
function hideForeign(alphabet) {
  const known = new Set(alphabet.toLowerCase());
  for (const example of document.querySelectorAll("[data-text]")) {
    const letters = example.dataset.text.toLowerCase().match(/\p{L}/gu) ?? [];
    example.hidden = !letters.some((letter) => known.has(letter));
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !stop.hidden) writer.stop();
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (!sends || !form.contains(event.target)) return;
  event.preventDefault(); // a field of one line would send by itself as well
  form.requestSubmit();
});
for (const example of document.querySelectorAll("[data-text]")) {
  example.addEventListener("click", () => {
    prompt.value = example.dataset.text;
    form.requestSubmit();
  });
}
stop.addEventListener("click", () => writer.stop());
remedy.addEventListener("click", () => (remedy.dataset.help === "on" ? goOn() : form.requestSubmit()));
copy.addEventListener("click", copyText);
keep.addEventListener("click", keepSeed);
temperature.addEventListener("input", showDegree);
showDegree();
describe();
