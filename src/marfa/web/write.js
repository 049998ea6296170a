// The page of a model that writes: one text at a time, and exactly one of empty, waiting, writing,
// stopped, done or error. Whatever ends a text, what was written of it stays.

import { askModel, drawCard } from "./card.js";
import { findDevice } from "./device.js";
import { Failure, isCount, isRecord, isText, make, reveal, tell } from "./exchange.js";
import { drawHistory, keep as keepText, openHistory } from "./history.js";
import { drawLease, watchLease } from "./lease.js";
import { count, say, speak } from "./words.js";
import { Writer } from "./writer.js";

const ENGLISH = {
  longPrompt: "This prompt is too long",
  noBeginning: "No text can begin with this",
  misfit: "The server’s answer does not fit",
  misfitMore: "It goes on with another text than the one that was begun here.",
  cut: "The connection was lost",
  cutMore: "The answer broke off.",
  tried: "To go on was tried {n} times.",
  on: "Go on",
  anew: "Start again",
  degree0: "{number}, always the likeliest",
  degree1: "{number}, careful",
  degree2: "{number}, balanced",
  degree3: "{number}, daring",
  degree4: "{number}, wild",
  wrong: "{label}: {range}, please.",
  length_range: "a whole number from 1 to {n}",
  top_k_range: "a whole number from 0, which means all",
  top_p_range: "a number above 0 and up to 1",
  seed_range: "a whole number from 0, or nothing",
  temperature_range: "a number from 0 to 2",
  characters: { one: "{n} character", other: "{n} characters" },
  unread: {
    one: "{n} character of your prompt is not known to the model.",
    other: "{n} characters of your prompt are not known to the model.",
  },
  seeded: "seed {seed}",
  speed: { one: "{n} character a second", other: "{n} characters a second" },
  byPen: "model {model}",
  penServer: "written by the server",
  penDevice: "written on this device",
  penDeviceWhy: "written on this device ({why})",
  penBoth: "the first {characters} by the server, then on this device ({why})",
  writing: "Writing…",
  waiting: "Waiting for the first character…",
  resuming: "{why}; going on in {n} s.",
  done: "Done, {characters}.",
  nothing: "Stopped. Nothing was written.",
  stopped: "Stopped after {n} of {characters}.",
  kept: "Kept: {n} of {characters}.",
  copied: "Copied {characters}.",
  uncopied: "The browser does not let this page copy. The text is selected: copy it with Ctrl or ⌘ + C.",
  seedSet: "Seed {seed} is set: the same beginning and settings give the same text.",
  learnt: "{data}, {characters}",
  bits: "{bits} bits per character on held-out text",
  bitsOf: "{bits} bits per character on {n} characters of held-out text",
  bitsBeside: "; counting {rival}s, {bits} (fewer is better)",
};
const DEGREES = [0.01, 0.55, 1.05, 1.45]; // temperatures from which the next words are used
const REMEDIES = ["on", "again", "anew"];

const [form, prompt, more, wrong, send, degree] = (
  "form prompt more wrong send degree"
).split(" ").map((id) => document.getElementById(id));
const [result, status, error, paper, course, facts, note, stop, remedy, copy, keep] = (
  "result status error paper course facts note stop remedy copy keep"
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
let model; // what the server tells of it; null: nothing
let redraw = () => {}; // what is seen, once more, in another language
const found = findDevice().then((each) => { device = each; });

const characters = (n) => say("characters", { n });

/** Show a state, its words (a key and values), and the buttons that it has. */
function show(state, message = [], help = "") {
  redraw = () => show(state, message, help);
  const before = document.activeElement;
  const busy = state === "waiting" || state === "writing";
  const begun = writer?.start ?? null;
  render();
  result.dataset.state = state;
  status.textContent = message.length ? say(...message) : "";
  error.replaceChildren();
  paper.hidden = course.hidden = begun === null || state === "waiting";
  paper.ariaBusy = String(busy);
  course.dir = getComputedStyle(paper).direction;
  stop.hidden = !busy;
  remedy.hidden = !help;
  remedy.textContent = REMEDIES.includes(help) ? say(help) : "";
  remedy.dataset.help = help;
  copy.hidden = paper.hidden || busy;
  keep.hidden = begun === null || busy;
  report(begun, busy);
  if (before?.hidden) [stop, remedy, copy, send].find((button) => !button.hidden).focus();
}

/** Say what the text was made with, and what of the prompt the model could not read. */
function report(begun, busy) {
  const unknown = begun?.unknown ?? 0;
  const noted = unknown ? say("unread", { n: unknown }) : "";
  if (note.textContent !== noted) note.textContent = noted; // said once, not with every state
  facts.replaceChildren();
  if (begun === null) return;
  const said = [say("seeded", { seed: String(begun.seed) })];
  const speed = writer.seconds > 0 && !writer.whole ? [...writer.made].length / writer.seconds : 0;
  if (!busy && speed) said.push(say("speed", { n: Math.max(1, Math.round(speed)) }));
  facts.append(`${said.join(" · ")} · `, ...tell("byPen", { model: begun.model }), ` · ${credit(writer)}`);
}

/** Say who has written. */
function credit({ taken }) {
  if (!taken) return say("penServer");
  const why = taken.why && say(taken.why);
  if (taken.at) return say("penBoth", { characters: characters(taken.at), why });
  return say(why ? "penDeviceWhy" : "penDevice", { why });
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
  const share = writer?.start ? writer.position / writer.start.length : 0;
  course.firstChild.style.inlineSize = `${100 * share}%`;
  course.ariaValueNow = String(Math.floor(10 * share) * 10); // tenths are told, not letters
  if (follows) paper.scrollTop = paper.scrollHeight;
}

/** The state while a text is being made: waiting until there is a character to see. */
function busy(message) {
  const state = writer.made ? "writing" : "waiting";
  show(state, message ?? [writer.made ? "writing" : "waiting"]);
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
  const values = first && {
    label: first.labels[0].firstChild.textContent, range: say(`${first.name}_range`, { n: Number(first.max) }),
  };
  wrong.textContent = first ? say("wrong", values) : "";
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
  keepText(asked.prompt);
  if (device === null) await found;
  if (turn !== turns) return;
  made.replaceChildren();
  const mine = new Writer(asked, bodyLimit, {
    begun: () => {
      if (mine !== writer) return;
      busy();
      if (model && mine.start.model !== model.model) meet(mine.taken ? "device" : "server");
    },
    grown: () => {
      if (mine !== writer) return;
      if (result.dataset.state !== "writing" || status.textContent !== say("writing")) busy();
      frame ||= requestAnimationFrame(render);
    },
    lost: (why, seconds) => mine === writer && busy(["resuming", { why: say(why), n: seconds }]),
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
    if (done) show("done", ["done", { characters: characters(mine.position) }]);
    else stopped();
  } catch (problem) {
    if (mine === writer) fail(problem);
  }
}

function stopped() {
  if (writer.start === null) {
    writer = null;
    show("empty", ["nothing"]);
    return;
  }
  const { position, start } = writer;
  show("stopped", ["stopped", { n: position, characters: characters(start.length) }], "on");
}

function fail(problem) {
  if (!(problem instanceof Failure)) throw problem;
  drawFailure(problem);
  reveal(result);
}

function drawFailure(problem) {
  const help = writer.start ? "on" : problem.again ? "again" : "";
  show("error", [], problem.restart ? "anew" : help);
  redraw = () => drawFailure(problem);
  error.append(make("h2", { textContent: problem.heading }), make("p", {}, ...problem.sentences));
  if (!writer.start) return;
  const { position, start } = writer;
  error.append(make("p", { textContent: say("kept", { n: position, characters: characters(start.length) }) }));
}

async function copyText() {
  try {
    await navigator.clipboard.writeText(writer.text);
    status.textContent = say("copied", { characters: characters(writer.position) });
  } catch { // refused, or not there at all: browsers keep the clipboard from plain http
    getSelection().selectAllChildren(paper);
    status.textContent = say("uncopied");
  }
}

function keepSeed() {
  more.open = true;
  seed.value = writer.start.seed;
  status.textContent = say("seedSet", { seed: seed.value });
}

function showDegree() {
  const number = temperature.valueAsNumber;
  const said = say(`degree${DEGREES.filter((least) => number >= least).length}`, { number });
  degree.textContent = said;
  temperature.setAttribute("aria-valuetext", said);
}

/** Fill in what the server tells about its model; the page works without. */
async function meet(by) {
  model = (await askModel(by)) ?? model ?? null;
  const { alphabet, defaults, limits } = model ?? {};
  if (isCount(limits?.body_bytes)) bodyLimit = limits.body_bytes;
  if (isCount(limits?.length) && limits.length > 0) length.max = limits.length;
  for (const input of [length, temperature, topK, topP]) { // but not over what was typed meanwhile
    const value = isRecord(defaults) ? defaults[input.name] : undefined;
    if (typeof value === "number" && input.value === input.defaultValue) input.value = value;
  }
  showDegree();
  if (isText(alphabet)) hideForeign(alphabet);
  describe();
}

function describe() {
  if (model === undefined) return;
  const rows = score().length ? [["cardScore", score()]] : [];
  const { data, characters: n, made } = model?.card ?? {};
  if (isText(data)) rows.push(["cardData", isCount(n) ? tell("learnt", { data, characters: characters(n) }) : [data]]);
  if (isText(made)) rows.push(["cardMade", [made]]);
  drawCard(model, score(), rows);
}

/** How good the model is, as a sentence in pieces; none where that is not told. */
function score() {
  const { bits_per_character: bits, baseline: rival, baseline_bits_per_character: least, n } = model?.metrics ?? {};
  if (!(bits > 0)) return [];
  const said = tell(isCount(n) ? "bitsOf" : "bits", { bits: count(Number(bits), 2), n });
  if (least > 0 && isText(rival)) said.push(...tell("bitsBeside", { rival, bits: count(Number(least), 2) }));
  return [...said, "."];
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
openHistory(prompt);
speak(ENGLISH, () => {
  redraw();
  showDegree();
  describe();
  drawHistory(prompt);
  drawLease();
});
showDegree();
meet().then(() => found).then(() => device?.alone || watchLease());
