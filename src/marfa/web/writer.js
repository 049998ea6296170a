// One text under way: asked for, checked event by event, and resumed where the connection was lost.
// What is shown of it is not this module's business.

import { readEvents } from "./events.js";
import {
  Failure, PATIENCE_MS, explain, isCount, isRecord, isShare, isText, nonsense, post, readJson, reason,
  refusal,
} from "./exchange.js";

const SILENCE_MS = 20_000; // without a byte, not even a heartbeat: the connection counts as lost
const WAITS = [0.5, 1, 2, 4, 8, 8]; // seconds before each try to go on; any progress starts anew
const LONGEST_WAIT = 120; // of the seconds that a busy server may ask for
const TRIES_BESIDE = 2; // to go on with the server, where this device could
const HEADINGS = { 413: "longPrompt", 422: "noBeginning" };
const TOKEN = /^[0-9a-f.]{1,200}$/;

const SLOW = new DOMException("", "TimeoutError"); // the server did not begin in time

/** A seed that nobody has chosen, as the server takes them. */
function newSeed() {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high >>> 11) * 2 ** 32 + low;
}

/** The number of characters (code points), which is what positions count. */
const points = (text) => [...text].length;

/** A string without half characters, which could merge with their neighbours. */
const isWhole = (value) => typeof value === "string" && !/\p{Cs}/u.test(value);

function isStart(value) {
  return isWhole(value.prompt) && isText(value.model) && isCount(value.seed) &&
    isCount(value.length) && isCount(value.position) && value.position <= value.length &&
    isCount(value.unknown) && isCount(value.top_k) && isShare(value.top_p) &&
    typeof value.temperature === "number" && value.temperature >= 0;
}

/** A failure after which these settings cannot be gone on with, only begun again. */
function misfit(details) {
  return Object.assign(new Failure("misfit", details), { restart: true });
}

/**
 * A text that a model writes.
 *
 * `request`: the settings as the API takes them; `limit`: bytes of body that the server reads;
 * `told`: called with what happens: `begun()`, `grown()`, and `lost(why, seconds)` when a lost
 * connection will be tried again; `device`: this device, if it has a model. It takes over when the
 * server is slow to begin, fails, or is lost on the way, and goes on where the text ends. Read `start`,
 * `made`, `position` and `seconds` at any time.
 */
export class Writer {
  start = null; // what the server said at the beginning
  made = ""; // what follows the prompt
  position = 0; // characters of the whole text so far
  whole = false; // it came in one piece, not as it was made
  seconds = 0; // that characters took to arrive, without waiting for a connection
  taken = null; // `{ at, why }` once this device has taken over, after so many characters
  #request; #limit; #told; #device;
  #token = null;
  #halt = null;
  #since = 0;

  constructor(request, limit, told, device = null) {
    this.#device = device;
    this.#request = request;
    this.#limit = limit;
    this.#told = told;
  }

  get text() {
    return (this.start?.prompt ?? "") + this.made;
  }

  stop() {
    this.#halt?.abort();
  }

  /** Begin, or go on: resolve to true when all is written, to false when stopped, or throw. */
  run() {
    const { signal } = (this.#halt = new AbortController());
    const halted = new Promise((resolve) => { signal.addEventListener("abort", () => resolve(false)); });
    return Promise.race([halted, this.#work(signal)]); // whoever stops waits for nothing more, a model neither
  }

  async #work(signal) {
    if (this.#device?.alone) this.taken ??= { at: 0, why: "" };
    let tries = 0;
    for (;;) {
      if (this.taken) return this.#writeHere(signal);
      const before = this.position;
      try {
        await this.#listen(signal);
        return true;
      } catch (problem) {
        if (signal.aborted) return false;
        const failure = explain(problem, SILENCE_MS / 1000);
        if (await this.#takeOver(problem, failure, tries, signal)) continue;
        if (signal.aborted) return false;
        if (this.start === null || !failure.lost || failure.wait > LONGEST_WAIT) throw failure;
        if (this.position > before) tries = 0;
        if (tries === WAITS.length) {
          throw new Failure(failure.key, [...failure.details, ["tried", { n: tries }]]);
        }
        const wait = Math.max(WAITS[tries], failure.wait);
        tries += 1;
        this.#told.lost(failure.status ? failure.key : "cut", wait);
        await pause(wait, signal, !failure.wait);
        if (signal.aborted) return false;
      }
    }
  }

  /** Let this device go on, if it should and can; the server's text is lost only where it has one. */
  async #takeOver(problem, failure, tries, signal) {
    const isDue = failure.gone || (this.start ? failure.lost && tries >= TRIES_BESIDE : failure.again);
    if (!this.#device || !isDue) return false;
    const id = await this.#device.ready().catch(() => null);
    if (id === null || signal.aborted || (this.start && this.start.model !== id)) return false;
    this.taken = { at: this.start ? this.position : 0, why: reason(problem === SLOW ? null : failure) };
    return true;
  }

  /** Write on this device, from where the text ends. */
  async #writeHere(signal) {
    const asked = { seed: newSeed(), ...this.#request };
    this.whole = false;
    this.#since = performance.now();
    return this.#device.write({ asked, begun: this.start, made: this.made }, signal, ({ start, piece }) => {
      if (start && !this.start) {
        this.start = start;
        this.position = start.position;
      }
      if (start) this.#told.begun();
      if (piece) this.#add(piece, this.position + points(piece));
    });
  }

  async #listen(signal) {
    const connection = new AbortController();
    const close = () => connection.abort();
    signal.addEventListener("abort", close);
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => connection.abort(new DOMException("", "TimeoutError")), SILENCE_MS);
    };
    heard();
    const patience = this.start || !this.#device ? 0 : setTimeout(() => this.#offer(connection), PATIENCE_MS);
    try {
      const response = await this.#ask(connection.signal);
      let begun = false;
      for await (const event of readEvents(response.body, heard)) {
        signal.throwIfAborted();
        clearTimeout(patience);
        if (this.#take(event, begun)) return;
        begun ||= event.type === "start";
      }
    } finally {
      clearTimeout(timer);
      clearTimeout(patience);
      signal.removeEventListener("abort", close);
      close();
    }
    throw new Failure("cut", [["cutMore"]], { lost: true });
  }

  /** Patience has ended: the server may still be first, until this device is ready. */
  #offer(connection) {
    this.#device.ready().then(() => {
      if (!this.start) connection.abort(SLOW);
    }, () => {});
  }

  async #ask(signal) {
    const document = { ...this.#request };
    if (this.start) document.seed = this.start.seed;
    if (this.#token) document.continuation = this.#token;
    const response = await post("v1/generate", document, "text/event-stream", signal, this.#limit);
    if (!response.ok) {
      const refused = refusal(response, await readJson(response), HEADINGS);
      throw this.start && response.status < 500 && !refused.lost && !refused.gone ? misfit(refused.details) : refused;
    }
    const type = response.headers.get("Content-Type") ?? "";
    if (response.status !== 200 || !/^text\/event-stream\s*(;|$)/i.test(type)) throw nonsense();
    // A function in the cloud hands a text over when all of it is there: how fast it was made, who knows.
    this.whole = response.headers.has("Content-Length");
    return response;
  }

  /** Believe one event, or throw; true for the last one. */
  #take({ type, data, id }, begun) {
    if (!["start", "text", "done", "error"].includes(type)) return false; // of a newer server
    let value;
    try {
      value = JSON.parse(data);
    } catch {
      throw nonsense();
    }
    const misplaced = type !== "error" && begun === (type === "start");
    if (!isRecord(value) || misplaced) throw nonsense();
    if (type === "start") this.#begin(value);
    else if (type === "text") this.#grow(value, id);
    else if (type === "error") throw this.#broken(value);
    else if (value.position !== this.position || this.position !== this.start.length) throw nonsense();
    return type === "done";
  }

  #begin(start) {
    if (!isStart(start)) throw nonsense();
    const same = (name) => start[name] === this.start[name];
    if (this.start === null) {
      const { seed = start.seed, length } = this.#request;
      const asked = start.seed === seed && start.length === length;
      if (!asked || start.position !== points(start.prompt)) throw nonsense();
      this.start = start;
      this.position = start.position;
    } else if (start.position !== this.position || !["seed", "length", "prompt", "model"].every(same)) {
      throw misfit([["misfitMore"]]);
    }
    this.#since = performance.now();
    this.#told.begun();
  }

  #grow({ text, position }, id) {
    const sound = isWhole(text) && text !== "" && position === this.position + points(text) &&
      position <= this.start.length && TOKEN.test(id);
    if (!sound) throw nonsense();
    this.#token = id;
    this.#add(text, position);
  }

  #add(text, position) {
    const now = performance.now();
    this.seconds += (now - this.#since) / 1000;
    this.#since = now;
    this.made += text;
    this.position = position;
    this.#told.grown();
  }

  #broken(problem) {
    if (!isText(problem.title) && !isText(problem.detail)) return nonsense();
    const failure = refusal({ status: isCount(problem.status) ? problem.status : 500 }, problem);
    return Object.assign(failure, { lost: false, gone: false }); // it was told, so it is a person's to decide
  }
}

/** Wait, though not once stopped; `eager`: nor once the machine is online again. */
function pause(seconds, signal, eager) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    signal.addEventListener("abort", end);
    if (eager) addEventListener("online", end);
  });
}
