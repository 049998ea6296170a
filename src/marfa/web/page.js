// The page: one request at a time, and exactly one of empty, waiting, answer, declined or error is
// visible. A reply is checked in full before any class is named: what cannot be trusted is an error.

import { askModel, drawCard } from "./card.js";
import { findDevice } from "./device.js";
import {
  Failure, explain, isCount, isKind, isRecord, isShare, isText, make, nonsense, own, post, readJson, refusal, reveal,
  tell, tellList,
} from "./exchange.js";
import { drawHistory, keep, openHistory } from "./history.js";
import { drawLease, watchLease } from "./lease.js";
import { ask as askEither } from "./race.js";
import { isExplanation, why } from "./why.js";
import { likely, listed, percent, say, script, speak } from "./words.js";

const ENGLISH = {
  noText: "There is no text yet",
  noTextMore: "Write or paste something first.",
  leadClasses: "Paste a review, or another short text. The model answers with {classes}, says how sure it is, and marks the words it does not know.",
  reading: "Reading your text…",
  beside: "Asking this device too: {why}…",
  cancelled: "Cancelled. Nothing was answered.",
  positive: "positive",
  negative: "negative",
  sure0: "The model is hardly sure: {share}.",
  sure1: "The model is not very sure: {share}.",
  sure2: "The model is fairly sure: {share}.",
  sure3: "The model is very sure: {share}.",
  declined: "I cannot judge this",
  empty: "No word is left of this text once it is read.",
  unknown_words: "Too few of its words are known to the model.",
  script: "It is written in a script that the model was not trained on.",
  short: "It is too short: so few words say too little.",
  known: "{known} of {total} words known",
  dotted: "Dotted",
  unknown: ": not known to the model. ",
  more: " and more",
  less: "and {n} less likely",
  byServer: "Answered by the server",
  byDevice: "Answered on this device",
  byDeviceWhy: "Answered on this device ({why})",
  byModel: ", model {model}",
  why: "Why {label}?",
  whyAsking: "Looking for the words that weigh most…",
  whyForLine: "straight line",
  whyAgainstLine: "wavy line",
  whyFor: "speaks for {label}, most of all: ",
  whyAgainst: "speaks against {label}, most of all: ",
  whyNone: "no word",
  whyNote: "A number says about how much the probability changes when the word is taken out.",
  score: "Right on {share} of {n} test texts",
  scoreBeside: "; a simple bag of words, on {baseline}",
  trainedOn: "{data}, {n} texts",
  refusesEmpty: "a text without a word",
  refusesShare: "a text of which less than {share} of the words are known",
  refusesShort: { one: "a text of less than {n} word", other: "a text of less than {n} words" },
  refusesScript: "a text in another script than {scripts}",
  interval: " (95% interval: {low} to {high})",
  baseline: "A simple bag of words is right on {baseline} of them",
};
const TIMEOUT_MS = 15_000;
const MAX_SHOWN = 20_000; // characters of the text that are shown again
const MAX_LISTED = 12; // classes, and unknown words, that are listed
const SHAPES = new Map([["positive", "cone"], ["pos", "cone"], ["negative", "can"], ["neg", "can"]]);
const SURE = [0.6, 0.8, 0.95];
const HEADINGS = { 422: "none" };

const [form, input, send, result, status, cancel, answer, details, error, lead] = (
  "form text send result status cancel answer details error lead"
).split(" ").map((id) => document.getElementById(id));

let latest = 0; // number of the newest request; replies to older ones are dropped
let pending = null; // its AbortController, while it is under way
let undo = () => {}; // what a person sees who gives it up
let redraw = () => {}; // what is seen, once more, in another language
let bodyLimit = Infinity;
let model; // what the server tells of it; null: nothing
const device = findDevice(); // a promise: the page is there before

/** Show something, and the same again when the language changes. */
function draw(how) {
  redraw = how;
  how();
}

function show(state, message = "") {
  for (const part of [answer, details, error]) part.replaceChildren();
  result.dataset.state = state;
  status.textContent = message;
  cancel.hidden = state !== "waiting";
}

/** A label as the person calls it; those of one's own data are left as they are. */
const called = (label) => (["positive", "negative"].includes(label) ? say(label) : label);

/** True for a reply that says something definite and does not contradict itself; `points`: of the text. */
function isSound(reply, points) {
  if (!isRecord(reply)) return false;
  const { label, score, probabilities, known_words: words } = reply;
  if (!isCount(words?.known) || !isCount(words.total) || words.known > words.total) return false;
  if (!Array.isArray(words.unknown)) return false;
  if (!words.unknown.every((word) => typeof word === "string")) return false;
  if (!isRecord(probabilities)) return false;
  const shares = Object.values(probabilities);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (!shares.every(isShare) || (shares.length && Math.abs(sum - 1) > 0.02)) return false;
  if (label === null) return score === null && isText(reply.reason);
  if (points && !isExplanation(reply.explanation, label, points)) return false;
  return ( // a label without a share of its own fails the comparisons, as NaN does
    isText(label) && isShare(score) && shares.length > 1 &&
    Math.abs(score - probabilities[label]) < 1e-3 && probabilities[label] === Math.max(...shares)
  );
}

/** Send one text; resolve to a sound reply or throw a Failure. The clock is the server's alone. */
async function exchange(text, points, signal) {
  const asked = points ? { text, explain: true } : { text };
  const connection = new AbortController();
  const close = () => connection.abort(signal.reason);
  signal.addEventListener("abort", close);
  const timer = setTimeout(() => connection.abort(new DOMException("", "TimeoutError")), TIMEOUT_MS);
  try {
    const response = await post("v1/predict", asked, "application/json", connection.signal, bodyLimit);
    const reply = await readJson(response);
    if (!response.ok) throw refusal(response, reply, HEADINGS);
    if (response.status !== 200 || !isSound(reply, points)) throw nonsense();
    return reply;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", close);
  }
}

/** Ask about a text, dropping whatever was asked before; `points`: ask why, too. Null: given up. */
async function request(text, points, slow) {
  const turn = ++latest;
  pending?.abort();
  const mine = (pending = new AbortController());
  try {
    const found = await askEither({
      text, explain: Boolean(points), server: (signal) => exchange(text, points, signal), device: await device,
      seconds: TIMEOUT_MS / 1000, signal: mine.signal, slow: (reason) => turn === latest && slow(reason),
    });
    if (!isSound(found.reply, points)) throw nonsense();
    return turn === latest ? { ...found, points } : null;
  } catch (problem) {
    if (turn !== latest) return null;
    throw explain(problem, TIMEOUT_MS / 1000);
  } finally {
    if (turn === latest) pending = null;
  }
}

async function ask(text) {
  if (!text.trim()) {
    latest += 1;
    pending?.abort();
    pending = null;
    fail(new Failure("noText", [["noTextMore"]], { again: false }));
    input.focus();
    return;
  }
  keep(text);
  undo = () => draw(() => show("empty", say("cancelled")));
  draw(() => show("waiting", say("reading")));
  reveal(result);
  try {
    const found = await request(text, null, (reason) => {
      draw(() => show("waiting", say("beside", { why: say(reason) })));
    });
    if (!found) return;
    draw(() => present(text, found));
    if (model && isText(found.reply.model) && found.reply.model !== model.model) meet(found.by);
  } catch (problem) {
    fail(problem);
  }
}

/** Ask for the words that weigh most; what was answered stays until they are there. */
async function askWhy(text, before, button) {
  const again = (note) => draw(() => {
    present(text, before);
    document.getElementById("why-failed").append(...note());
  });
  undo = () => again(() => [say("cancelled")]);
  const wait = (asked) => {
    asked.ariaDisabled = "true";
    asked.textContent = status.textContent = say("whyAsking");
    cancel.hidden = false;
  };
  wait(button);
  redraw = () => {
    present(text, before);
    wait(document.getElementById("why"));
  };
  try {
    const found = await request(text, [...text], () => {});
    if (!found) return;
    draw(() => present(text, found));
    details.querySelector("h3")?.focus();
  } catch (problem) {
    again(() => [`${problem.heading}. `, ...problem.sentences]);
    document.getElementById("why").focus();
  }
}

function stop() {
  latest += 1; // whatever still arrives is stale
  pending?.abort();
  pending = null;
  undo();
  (document.getElementById("why") ?? send).focus();
}

/** Say in place of an answer that there is none, since of such a text there can be none. */
function decline() {
  answer.append(make("h2", {},
    make("span", { className: "mark none" }), own(say("declined"))));
}

function fail(failure) {
  draw(() => {
    if (failure.key === "declined") {
      show("declined");
      decline();
      answer.append(make("p", {}, ...failure.sentences));
      return;
    }
    show("error");
    const retry = make("button", { type: "button", textContent: say("again") });
    retry.addEventListener("click", () => {
      send.focus(); // this button is about to disappear
      form.requestSubmit();
    });
    error.append(make("h2", { textContent: failure.heading }), make("p", {}, ...failure.sentences));
    if (failure.again) error.append(retry);
  });
  reveal(result);
}

const shapeOf = (label) => SHAPES.get(label.toLowerCase()) ?? "buoy";

function present(text, found) {
  const { label, score, probabilities, known_words: words, reason, refused, model: id } = found.reply;
  const judged = label !== null;
  show(judged ? "answer" : "declined");
  const sure = SURE.filter((least) => score >= least).length;
  const said = judged ? [say(`sure${sure}`, { share: likely(score) })]
    : [isKind(refused) ? say(refused) : own(reason)];
  if (!judged) decline();
  else answer.append(make("h2", {}, make("span", { className: `mark ${shapeOf(label)}` }), own(called(label))));
  answer.append(make("p", {}, ...said));
  if (judged) details.append(bars(probabilities, label));
  const heading = make("h3", { tabIndex: -1 });
  details.append(heading);
  if (judged && found.points) {
    heading.append(...tell("why", { label: called(label) }));
    details.append(why(found.reply.explanation, found.points, MAX_SHOWN, called(label)));
  } else {
    heading.append(say("known", { known: words.known, total: words.total }));
    details.append(reading(text, words));
  }
  if (judged && !found.points) {
    const button = make("button", { type: "button", id: "why" }, ...tell("why", { label: called(label) }));
    button.addEventListener("click", () => pending || askWhy(text, found, button));
    details.append(button, make("p", { id: "why-failed", role: "alert" }));
  }
  const by = found.by === "server" ? "byServer" : found.why ? "byDeviceWhy" : "byDevice";
  const credit = say(by, { why: found.why && say(found.why) });
  details.append(make("p", { className: "fine", id: "credit" }, credit, ...(isText(id) ? tell("byModel", { model: id }) : [])));
}

/** One bar a class, the likeliest first. */
function bars(probabilities, label) {
  const sorted = Object.entries(probabilities)
    .sort(([a, x], [b, y]) => (b === label) - (a === label) || y - x);
  const list = make("ul", { className: "bars" });
  for (const [name, share] of sorted.slice(0, MAX_LISTED)) {
    const fill = make("span", { className: `fill ${shapeOf(name)}` });
    fill.style.inlineSize = `${share * 100}%`;
    list.append(make("li", { className: name === label ? "best" : "" },
      own(called(name)),
      make("span", { className: "share", textContent: likely(share) }),
      make("span", { className: "track", ariaHidden: "true" }, fill)));
  }
  const rest = sorted.length - MAX_LISTED;
  if (rest > 0) list.append(make("li", { textContent: say("less", { n: rest }) }));
  return list;
}

// Nearly as the model's own reader splits: letters, marks and digits with inner apostrophes; Han and
// kana one by one; invisible signs do not count. Not mirrored are the other scripts written without
// spaces (Thai, Lao, Burmese, Khmer) and the `latin` alphabet, which splits at accented letters:
// there unknown words are listed below the text, but not always marked in it.
const ALONE = "[\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}]";
const WORD = new RegExp(`${ALONE}|(?:(?!${ALONE})[\\p{L}\\p{M}\\p{N}\\p{Cf}'’ʼ＇])+`, "gu");
const normal = (word) => word.normalize("NFC").toLowerCase()
  .replace(/\p{Cf}/gu, "").replace(/[’ʼ＇]/g, "'").replace(/^'+|'+$/g, "");

/** The text again, its unknown words marked, and what the marks mean. */
function reading(text, { unknown }) {
  const strange = new Set(unknown.map(normal));
  const shown = text.slice(0, MAX_SHOWN);
  const quote = make("blockquote", { dir: "auto" });
  let end = 0;
  for (const { 0: word, index } of shown.matchAll(WORD)) {
    if (!strange.has(normal(word))) continue;
    quote.append(shown.slice(end, index), make("u", { textContent: word }));
    end = index + word.length;
  }
  quote.append(shown.slice(end), shown.length < text.length ? "…" : "");
  const figure = make("figure", {}, quote);
  if (unknown.length) {
    const legend = make("figcaption", {},
      make("u", { textContent: say("dotted") }), say("unknown"), ...tellList(unknown.slice(0, MAX_LISTED)));
    if (unknown.length > MAX_LISTED) legend.append(say("more"));
    figure.append(legend);
  }
  return figure;
}

function interval95(interval) {
  if (!Array.isArray(interval) || interval.length !== 2 || !interval.every(isShare)) return [];
  const [low, high] = interval.map(likely);
  return [say("interval", { low, high })];
}

/** What the model refuses to judge, in words. */
function refusals({ min_known_share: share, min_words: least, scripts }) {
  const found = [say("refusesEmpty")];
  if (isShare(share) && share) found.push(say("refusesShare", { share: percent(share) }));
  if (isCount(least) && least > 1) found.push(say("refusesShort", { n: least }));
  if (Array.isArray(scripts) && scripts.length && scripts.every((each) => /^[A-Za-z]{4}$/.test(each))) {
    found.push(say("refusesScript", { scripts: listed(scripts.map(script), "conjunction").map(({ value }) => value) }));
  }
  return listed(found, "conjunction").map(({ value }) => value);
}

/** Fill in what the server tells about its model; the page works without. */
function describe() {
  if (model === undefined) return;
  const { labels, metrics, card, refuses } = model ?? {};
  const { accuracy, accuracy_95: interval, baseline_accuracy: baseline, n } = metrics ?? {};
  const said = [];
  const rows = [];
  if (isShare(accuracy)) {
    const values = { share: likely(accuracy), n: isCount(n) ? n : "" };
    said.push(say("score", values));
    rows.push(["cardScore", [say("score", values), ...interval95(interval)]]);
    if (isShare(baseline)) {
      said.push(say("scoreBeside", { baseline: likely(baseline) }));
      rows.push(["cardBaseline", [say("baseline", { baseline: likely(baseline) })]]);
    }
    said.push(".");
  }
  const isNamed = Array.isArray(labels) && labels.length > 1 && labels.length <= MAX_LISTED && labels.every(isText);
  const names = isNamed ? labels.map(called) : [];
  if (isNamed) {
    lead.replaceChildren(...tell("leadClasses", { classes: tellList(names, "disjunction") }));
    rows.unshift(["cardLabels", tellList(names)]);
  }
  if (isText(card?.data)) {
    rows.push(["cardData", isCount(card.texts) ? tell("trainedOn", { data: card.data, n: card.texts }) : [card.data]]);
  }
  if (isText(card?.made)) rows.push(["cardMade", [make("bdi", { textContent: card.made })]]);
  if (isRecord(refuses)) rows.push(["cardRefuses", refusals(refuses)]);
  drawCard(model, said, rows);
}

async function meet(by) {
  model = (await askModel(by)) ?? model ?? null;
  if (isCount(model?.limits?.body_bytes)) bodyLimit = model.limits.body_bytes;
  describe();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(input.value);
});
cancel.addEventListener("click", stop);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && pending) stop();
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (sends && event.target === input) form.requestSubmit();
});
for (const example of document.querySelectorAll("[data-text]")) {
  example.addEventListener("click", () => {
    input.value = example.dataset.text;
    form.requestSubmit();
  });
}
openHistory(input);
speak(ENGLISH, () => {
  redraw();
  describe();
  drawHistory(input);
  drawLease();
});
meet().then(() => device).then((each) => each?.alone || watchLease());
