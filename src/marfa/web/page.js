// The page: one request at a time, and exactly one of empty, waiting, answer, declined or error is
// visible. A reply is checked in full before any class is named: what cannot be trusted is an error.

const TIMEOUT_MS = 15_000;
const MAX_SHOWN = 20_000; // characters of the text that are shown again
const MAX_LISTED = 12; // classes, and unknown words, that are listed
const SHAPES = new Map([["positive", "cone"], ["pos", "cone"], ["negative", "can"], ["neg", "can"]]);
const HEADINGS = {
  413: "This text is too long",
  422: "No answer for this text",
  429: "The server is busy",
  503: "The server is busy",
};

const [form, input, send, result, status, cancel, answer, details, error, about, classes] = (
  "form text send result status cancel answer details error about classes"
).split(" ").map((id) => document.getElementById(id));

let latest = 0; // number of the newest request; replies to older ones are dropped
let pending = null; // its AbortController, while it is under way
let bodyLimit = Infinity;

/** A failure in words for a person; `again` offers to send once more. */
class Failure extends Error {
  constructor(heading, detail = "", again = true) {
    super(heading);
    Object.assign(this, { heading, detail, again });
  }
}

/** Make an element; strings become text, never markup. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function show(state, message = "") {
  for (const part of [answer, details, error]) part.replaceChildren();
  result.dataset.state = state;
  result.dir = "ltr";
  status.textContent = message;
  cancel.hidden = state !== "waiting";
}

const isShare = (value) => typeof value === "number" && value >= 0 && value <= 1; // NaN is neither
const isCount = (value) => Number.isInteger(value) && value >= 0;
const isText = (value) => typeof value === "string" && value.trim() !== "";

/** True for a reply that says something definite and does not contradict itself. */
function isSound(reply) {
  if (reply === null || typeof reply !== "object") return false;
  const { label, score, probabilities, known_words: words } = reply;
  if (!isCount(words?.known) || !isCount(words.total) || words.known > words.total) return false;
  if (!Array.isArray(words.unknown)) return false;
  if (!words.unknown.every((word) => typeof word === "string")) return false;
  if (probabilities === null || typeof probabilities !== "object" || Array.isArray(probabilities)) {
    return false;
  }
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
  const body = JSON.stringify({ text });
  if (new TextEncoder().encode(body).length > bodyLimit) {
    const most = bodyLimit.toLocaleString("en");
    throw new Failure(HEADINGS[413], `The server reads at most ${most} bytes.`, false);
  }
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const response = await fetch("v1/predict", {
    method: "POST", headers, body, signal, redirect: "error", cache: "no-store",
  });
  let reply = null;
  try {
    reply = JSON.parse(await response.text());
  } catch (problem) {
    if (!(problem instanceof SyntaxError)) throw problem; // not JSON is judged below, by the status
  }
  if (!response.ok) throw refusal(response, reply);
  if (response.status !== 200 || !isSound(reply)) {
    throw new Failure("The reply made no sense", "So nothing is shown, rather than a guess.");
  }
  return reply;
}

/** Put a problem document (RFC 9457), or what came in its place, into words. */
function refusal(response, problem) {
  const said = [problem?.title, problem?.detail].filter(isText).join(": ").slice(0, 400);
  const wait = /^\d{1,4}$/.test(response.headers.get("Retry-After") ?? "")
    ? ` Try again in ${response.headers.get("Retry-After")} s.` : "";
  const heading = HEADINGS[response.status]
    ?? (response.status >= 500 ? "The server failed" : "The server did not accept this");
  const detail = said ? `The server says: “${said}”.` : `It answered with status ${response.status}.`;
  // the same text again would be refused again, unless it was the server's fault or haste
  const again = response.status >= 500 || [408, 429].includes(response.status);
  return new Failure(heading, detail + wait, again);
}

/** Put what fetch threw into words. */
function explain(problem) {
  if (problem instanceof Failure) return problem;
  if (problem?.name === "TimeoutError") {
    return new Failure("This took too long", `There was no answer within ${TIMEOUT_MS / 1000} seconds.`);
  }
  return navigator.onLine
    ? new Failure("The server did not answer", "It may have stopped, or the connection was lost.")
    : new Failure("You are offline", "Your text is still here. Send it when you are connected again.");
}

/** Ask about a text, dropping whatever was asked before. */
async function ask(text) {
  const turn = ++latest;
  pending?.abort();
  pending = null;
  if (!text.trim()) {
    fail(new Failure("There is no text yet", "Write or paste something first.", false));
    input.focus();
    return;
  }
  const request = (pending = new AbortController());
  const timer = setTimeout(() => request.abort(new DOMException("", "TimeoutError")), TIMEOUT_MS);
  const direction = getComputedStyle(input).direction; // of dir="auto": the first strong letter's
  show("waiting", "Reading your text…");
  reveal();
  try {
    const reply = await exchange(text, request.signal);
    if (turn === latest) present(text, reply, direction);
  } catch (problem) {
    if (turn === latest) fail(explain(problem));
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

function reveal() {
  const { top, bottom } = result.getBoundingClientRect();
  if (top > innerHeight - 120 || bottom < 120) result.scrollIntoView({ block: "start" });
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
  reveal();
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

function present(text, reply, direction) {
  const { label, score, probabilities, known_words: words, reason, model } = reply;
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
  if (isText(model)) {
    const name = make("bdi", { textContent: model });
    details.append(make("p", { className: "fine", dir: "auto" }, "Answered by model ", name));
  }
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
async function introduce() {
  let model;
  try {
    const response = await fetch("v1/model", { headers: { Accept: "application/json" } });
    model = response.ok ? await response.json() : null;
  } catch {
    model = null; // said below; asking the model is still worth trying
  }
  if (model === null || typeof model !== "object") {
    about.textContent = "The server tells nothing about its model.";
    return;
  }
  const { labels, limits, metrics = {} } = model;
  if (isCount(limits?.body_bytes)) bodyLimit = limits.body_bytes;
  if (Array.isArray(labels) && labels.length > 1 && labels.length <= MAX_LISTED && labels.every(isText)) {
    classes.replaceChildren(...labels.flatMap((label, at) => [
      at === 0 ? "" : at === labels.length - 1 ? " or " : ", ", make("bdi", { textContent: label }),
    ]));
  }
  const name = isText(model.name) ? model.name : "without a name";
  about.replaceChildren("Model ", make("bdi", { textContent: name }));
  if (isText(model.model)) about.append(" ", make("code", { textContent: model.model }));
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
introduce();
