// The page: one request at a time, and exactly one of empty, waiting, answer, declined or error is
// visible. A reply is checked in full before any class is named: what cannot be trusted is an error.

import {
  Failure, askModel, explain, introduce, isCount, isRecord, isShare, isText, make, nonsense, post,
  readJson, refusal, reveal,
} from "./exchange.js";
import { findDevice } from "./device.js";
import { ask as askEither, credit } from "./race.js";

const TIMEOUT_MS = 15_000;
const MAX_SHOWN = 20_000; // characters of the text that are shown again
const MAX_LISTED = 12; // classes, and unknown words, that are listed
const SHAPES = new Map([["positive", "cone"], ["pos", "cone"], ["negative", "can"], ["neg", "can"]]);
const HEADINGS = { 422: "No answer for this text" };

const [form, input, send, result, status, cancel, answer, details, error, about, classes] = (
  "form text send result status cancel answer details error about classes"
).split(" ").map((id) => document.getElementById(id));

let latest = 0; // number of the newest request; replies to older ones are dropped
let pending = null; // its AbortController, while it is under way
let bodyLimit = Infinity;
const device = findDevice(); // a promise: the page is there before

function show(state, message = "") {
  for (const part of [answer, details, error]) part.replaceChildren();
  result.dataset.state = state;
  result.dir = "ltr";
  status.textContent = message;
  cancel.hidden = state !== "waiting";
}

/** True for a reply that says something definite and does not contradict itself. */
function isSound(reply) {
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
  return ( // a label without a share of its own fails the comparisons, as NaN does
    isText(label) && isShare(score) && shares.length > 1 &&
    Math.abs(score - probabilities[label]) < 1e-3 && probabilities[label] === Math.max(...shares)
  );
}

/** Send one text; resolve to a sound reply or throw a Failure. */
async function exchange(text, signal) {
  const response = await post("v1/predict", { text }, "application/json", signal, bodyLimit);
  const reply = await readJson(response);
  if (!response.ok) throw refusal(response, reply, HEADINGS);
  if (response.status !== 200 || !isSound(reply)) throw nonsense();
  return reply;
}

/** Ask about a text, dropping whatever was asked before. */
async function ask(text) {
  const turn = ++latest;
  pending?.abort();
  pending = null;
  if (!text.trim()) {
    fail(new Failure("There is no text yet", "Write or paste something first.", { again: false }));
    input.focus();
    return;
  }
  const request = (pending = new AbortController());
  const timer = setTimeout(() => request.abort(new DOMException("", "TimeoutError")), TIMEOUT_MS);
  const slow = (why) => {
    if (turn === latest) status.textContent = `Asking this device too: ${why}…`;
  };
  const direction = getComputedStyle(input).direction; // of dir="auto": the first strong letter's
  show("waiting", "Reading your text…");
  reveal(result);
  try {
    const found = await askEither({
      text, server: (signal) => exchange(text, signal), device: await device,
      seconds: TIMEOUT_MS / 1000, signal: request.signal, slow,
    });
    if (!isSound(found.reply)) throw nonsense();
    if (turn === latest) present(text, found, direction);
  } catch (problem) {
    if (turn === latest) fail(explain(problem, TIMEOUT_MS / 1000));
  } finally {
    clearTimeout(timer);
    if (turn === latest) pending = null;
  }
}

function stop() {
  latest += 1; // whatever still arrives is stale
  pending?.abort();
  pending = null;
  show("empty", "Cancelled. Nothing was answered.");
  send.focus();
}

function fail({ heading, detail, again }) {
  show("error");
  const retry = make("button", { type: "button", textContent: "Try again" });
  retry.addEventListener("click", () => {
    send.focus(); // this button is about to disappear
    form.requestSubmit();
  });
  error.append(make("h2", { textContent: heading }), make("p", { dir: "auto", textContent: detail }));
  if (again) error.append(retry);
  reveal(result);
}

/** A probability in words that never claim certainty. */
function percent(share) {
  if (share > 0.999) return "> 99.9%";
  if (share < 0.001) return "< 0.1%";
  return `${(share * 100).toFixed(1)}%`;
}

function sureness(share) {
  if (share >= 0.95) return "very sure";
  if (share >= 0.8) return "fairly sure";
  return share >= 0.6 ? "not very sure" : "hardly sure";
}

const shapeOf = (label) => SHAPES.get(label.toLowerCase()) ?? "buoy";

function present(text, found, direction) {
  const { label, score, probabilities, known_words: words, reason, model } = found.reply;
  const judged = label !== null;
  show(judged ? "answer" : "declined");
  result.dir = direction;
  const count = `${words.known} of ${words.total} words known`;
  answer.append(
    make("h2", {},
      make("span", { className: `mark ${judged ? shapeOf(label) : "none"}` }),
      make("bdi", { textContent: judged ? label : "I cannot judge this" })),
    make("p", { dir: "auto", textContent: judged ? `The model is ${sureness(score)}: ${percent(score)}.` : reason }),
  );
  if (judged) details.append(bars(probabilities, label));
  details.append(make("h3", { dir: "auto", textContent: count }), reading(text, words));
  const name = isText(model) ? [", model ", make("bdi", { textContent: model })] : [];
  details.append(make("p", { className: "fine", id: "credit", dir: "auto" }, credit(found), ...name));
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
      make("bdi", { textContent: name }),
      make("span", { className: "share", dir: "ltr", textContent: percent(share) }),
      make("span", { className: "track", ariaHidden: "true" }, fill)));
  }
  const rest = sorted.length - MAX_LISTED;
  if (rest > 0) list.append(make("li", { dir: "auto", textContent: `and ${rest} less likely` }));
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
    const legend = make("figcaption", { dir: "auto" },
      make("u", { textContent: "Dotted" }), ": not known to the model. ");
    unknown.slice(0, MAX_LISTED).forEach((word, at) => {
      legend.append(at ? ", " : "", make("bdi", { textContent: word }));
    });
    if (unknown.length > MAX_LISTED) legend.append(" and more");
    figure.append(legend);
  }
  return figure;
}

/** Fill in what the server tells about its model; the page works without. */
async function describe() {
  const model = await askModel();
  if (!introduce(about, model)) return;
  const { labels, limits, metrics = {} } = model;
  if (isCount(limits?.body_bytes)) bodyLimit = limits.body_bytes;
  if (Array.isArray(labels) && labels.length > 1 && labels.length <= MAX_LISTED && labels.every(isText)) {
    classes.replaceChildren(...labels.flatMap((label, at) => [
      at === 0 ? "" : at === labels.length - 1 ? " or " : ", ", make("bdi", { textContent: label }),
    ]));
  }
  const { accuracy, baseline_accuracy: baseline, n } = metrics ?? {};
  if (isShare(accuracy)) {
    const count = isCount(n) ? `${n.toLocaleString("en")} ` : "";
    about.append(`. Right on ${percent(accuracy)} of ${count}test texts`);
    if (isShare(baseline)) about.append(`; a simple bag of words, on ${percent(baseline)}`);
  }
  about.append(".");
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
describe();
