// What both pages need: elements made of text, failures in words, and what the server tells of its
// model. Nothing here knows what the model does.

const HEADINGS = {
  413: "This text is too long",
  429: "The server is busy",
  503: "The server is busy",
};
const PASSING = new Set([408, 429, 502, 503, 504]); // statuses that the same request may outlive

/**
 * A failure in words for a person. `again`: the same request may go better the next time; `lost`: it
 * is nobody's fault, so that it may be sent again unasked, after `wait` seconds; `status`: of HTTP.
 */
export class Failure extends Error {
  constructor(heading, detail = "", { again = true, lost = false, wait = 0, status = 0 } = {}) {
    super(heading);
    Object.assign(this, { heading, detail, again, lost, wait, status });
  }
}

export const nonsense = () =>
  new Failure("The reply made no sense", "So it is not shown, rather than guessed at.");

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

/** Scroll an element to where it can be seen, if it cannot. */
export function reveal(element) {
  const { top, bottom } = element.getBoundingClientRect();
  if (top > innerHeight - 120 || bottom < 120) element.scrollIntoView({ block: "start" });
}

/** POST a document as JSON; `limit`: bytes of body that the server reads. */
export async function post(path, document, accept, signal, limit) {
  const body = JSON.stringify(document);
  if (new TextEncoder().encode(body).length > limit) {
    const most = limit.toLocaleString("en");
    throw new Failure(HEADINGS[413], `The server reads at most ${most} bytes.`, { again: false });
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

/** Put a problem document (RFC 9457), or what came in its place, into words; `who` has said it. */
export function refusal({ status, headers }, problem, headings = {}, who = "The server") {
  const said = [problem?.title, problem?.detail].filter(isText).join(": ").slice(0, 400);
  const after = headers?.get("Retry-After") ?? "";
  const wait = /^\d{1,4}$/.test(after) ? Number(after) : 0;
  const heading = headings[status] ?? HEADINGS[status]
    ?? (status >= 500 ? "The server failed" : "The server did not accept this");
  const detail = said ? `${who} says: “${said}”.` : `It answered with status ${status}.`;
  return new Failure(heading, detail + (wait ? ` Try again in ${wait} s.` : ""), {
    again: status >= 500 || PASSING.has(status), lost: PASSING.has(status), wait, status,
  });
}

/** Put what fetch threw into words; `seconds`: how long it was waited for. */
export function explain(problem, seconds) {
  if (problem instanceof Failure) return problem;
  const lost = { lost: true };
  if (problem?.name === "TimeoutError") {
    return new Failure("This took too long", `There was no answer within ${seconds} seconds.`, lost);
  }
  return navigator.onLine
    ? new Failure("The server did not answer", "It may have stopped, or the connection was lost.", lost)
    : new Failure("You are offline", "Your text is still here. Try again when you are connected.", lost);
}

export const PATIENCE_MS = 1500; // that the server has alone

/** Why the server is not who answered; null: it was only slow. */
export function reason(failure) {
  if (failure === null) return "the server was slow";
  if (failure.status === 429 || failure.status === 503) return "the server was busy";
  if (failure.status) return "the server failed";
  return failure.lost ? "the server did not answer" : "the server’s answer made no sense";
}

/** What the server tells of its model, or null; a page works without. */
export async function askModel() {
  try {
    const response = await fetch("v1/model", { headers: { Accept: "application/json" } });
    const model = response.ok ? await response.json() : null;
    return isRecord(model) ? model : null;
  } catch {
    return null; // asking the model itself is still worth trying
  }
}

/** Begin the line about the model with its name and id; false where nothing is told. */
export function introduce(about, model) {
  if (model === null) {
    about.textContent = "The server tells nothing about its model.";
    return false;
  }
  const name = isText(model.name) ? model.name : "without a name";
  about.replaceChildren("Model ", make("bdi", { textContent: name }));
  if (isText(model.model)) about.append(" ", make("code", { textContent: model.model }));
  return true;
}
