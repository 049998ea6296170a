// What both pages need: elements made of text, and failures in words. Nothing here knows what the model
// does.

import { listed, pieces, say } from "./words.js";

const HEADINGS = { 413: "long", 429: "busy", 503: "busy" };
const PASSING = new Set([408, 429, 502, 503, 504]); // statuses that the same request may outlive
const GONE = new Set([401, 403, 404, 410, 421, 451]); // a gateway's, where nothing is behind it any more

/**
 * A failure in words for a person: a heading, and `[key, values]` of each sentence below it. `again`:
 * the same request may go better the next time; `lost`: it is nobody's fault, so that it may be sent
 * again unasked, after `wait` seconds; `gone`: whoever is there is not a server of ours, or lets nobody in;
 * `status`: of HTTP.
 */
export class Failure extends Error {
  constructor(key, details, { again = true, lost = false, gone = false, wait = 0, status = 0 } = {}) {
    super(key);
    Object.assign(this, { key, details, again, lost, gone, wait, status });
  }

  get heading() {
    return say(this.key);
  }

  get sentences() {
    return this.details.flatMap((each, at) => [at ? " " : "", ...tell(...each)]);
  }
}

export const nonsense = () => new Failure("nonsense", [["nonsenseMore"]]);

export const isShare = (value) => typeof value === "number" && value >= 0 && value <= 1; // not NaN
export const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
export const isText = (value) => typeof value === "string" && value.trim() !== "";
export const isRecord = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** Make an element; strings become text, never markup. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A sentence in pieces, in which every text that is not ours keeps its own direction. */
export const tell = (key, values = {}) => pieces(key, Object.fromEntries(
  Object.entries(values).map(([name, value]) => [name, typeof value === "string" ? own(value) : value])));

/** Somebody else's text as a piece of ours. */
export const own = (text) => make("bdi", { textContent: text });

/** A list of such texts. */
export const tellList = (texts, type) =>
  listed(texts, type).map(({ type: kind, value }) => (kind === "element" ? own(value) : value));

/** Scroll an element to where it can be seen, if it cannot. */
export function reveal(element) {
  const { top, bottom } = element.getBoundingClientRect();
  if (top > innerHeight - 120 || bottom < 120) element.scrollIntoView({ block: "start" });
}

/** POST a document as JSON; `limit`: bytes of body that the server reads. */
export async function post(path, document, accept, signal, limit) {
  const body = JSON.stringify(document);
  if (new TextEncoder().encode(body).length > limit) {
    throw new Failure("long", [["longMore", { n: limit }]], { again: false });
  }
  const headers = { "Content-Type": "application/json", Accept: accept };
  return fetch(path, { method: "POST", headers, body, signal, redirect: "error", cache: "no-store" });
}

/** The JSON of a response, or null where it is none: then its status has the word. */
export async function readJson(response) {
  try {
    return JSON.parse(await response.text());
  } catch (problem) {
    if (problem instanceof SyntaxError) return null;
    throw problem;
  }
}

/** Kinds of texts that a model declines to judge, each of which is put into words. */
const KINDS = ["empty", "unknown_words", "script", "short"];
export const isKind = (value) => KINDS.includes(value);

/** Put a problem document (RFC 9457), or what came in its place, into words; `isOwn`: this device says it. */
export function refusal({ status, headers }, problem, headings = {}, isOwn = false) {
  if (isKind(problem?.refused)) return new Failure("declined", [[problem.refused]], { again: false, status });
  const said = [problem?.title, problem?.detail].filter(isText).join(": ").slice(0, 400);
  const after = headers?.get("Retry-After") ?? "";
  const wait = /^\d{1,4}$/.test(after) ? Number(after) : 0;
  const key = headings[status] ?? HEADINGS[status] ?? (status >= 500 ? "failed" : "refused");
  const details = [said ? [isOwn ? "ownSaid" : "said", { said }] : ["status", { status: String(status) }]];
  if (wait) details.push(["wait", { n: wait }]);
  return new Failure(key, details, {
    again: status >= 500 || PASSING.has(status), lost: PASSING.has(status), gone: GONE.has(status), wait, status,
  });
}

/** Put what fetch threw into words; `seconds`: how long it was waited for. */
export function explain(problem, seconds) {
  if (problem instanceof Failure) return problem;
  const lost = { lost: true };
  if (problem?.name === "TimeoutError") return new Failure("timeout", [["timeoutMore", { n: seconds }]], lost);
  const key = navigator.onLine ? "lost" : "offline";
  return new Failure(key, [[`${key}More`]], lost);
}

export const PATIENCE_MS = 1500; // that the server has alone

/** Why the server is not who answered, as a key to words; null: it was only slow. */
export function reason(failure) {
  if (failure === null) return "wasSlow";
  if (failure.status === 429 || failure.status === 503) return "wasBusy";
  if (failure.status) return "hasFailed";
  return failure.lost ? "wasLost" : "wasNonsense";
}
