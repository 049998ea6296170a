// This device's own model: a thread that is begun, and a file that is read, when they are first needed.

import { Failure, isRecord, isText, refusal } from "./exchange.js";

const HEADINGS = { 400: "unwritable", 422: "none" };

/** The model in its thread; `alone`: there is no server. */
export class Device {
  #file; #worker = null; #ready = null; #waiting = new Map(); #count = 0;

  constructor({ file, server }) {
    this.#file = file;
    this.alone = server === false;
  }

  /** Resolve to the model's id when it can be asked. */
  ready() {
    this.#ready ??= this.#once("load", {}).catch((problem) => {
      this.#ready = null;
      throw problem;
    });
    return this.#ready;
  }

  /** Judge a text; `explain`: and say what each word adds to that. */
  async judge(text, signal, explain = false) {
    await this.ready();
    signal.throwIfAborted();
    return this.#once("judge", { text, explain }, signal);
  }

  /** Write a text, or go on with one; `told` hears `start` and each `piece`. True when it is whole. */
  async write(given, signal, told) {
    await this.ready();
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const id = this.#send("write", given, (said) => {
        if (signal.aborted) return;
        if (said.failed) reject(failureOf(said));
        if (said.start) told({ start: said.start });
        if (said.piece) told({ piece: said.piece });
        if (said.done) resolve(true);
      });
      signal.addEventListener("abort", () => {
        this.#stop(id);
        resolve(false);
      }, { once: true });
    });
  }

  #once(kind, given, signal) {
    return new Promise((resolve, reject) => {
      const id = this.#send(kind, given, (said) => (said.failed === undefined ? resolve(said.value) : reject(failureOf(said))));
      signal?.addEventListener("abort", () => this.#stop(id), { once: true });
    });
  }

  #stop(id) {
    if (this.#waiting.has(id)) this.#worker.postMessage({ id, kind: "stop" });
  }

  #send(kind, given, hear) {
    if (!this.#worker) {
      this.#worker = new Worker("worker.js", { type: "module" });
      this.#worker.addEventListener("message", ({ data }) => {
        const listener = this.#waiting.get(data.id);
        if (data.done) this.#waiting.delete(data.id);
        listener?.(data);
      });
      this.#worker.addEventListener("error", () => this.#lose());
    }
    const id = (this.#count += 1);
    this.#waiting.set(id, hear);
    this.#worker.postMessage({ id, kind, file: this.#file, ...given });
    return id;
  }

  #lose() {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#worker.terminate();
    this.#worker = this.#ready = null;
    for (const hear of all) hear({ failed: "the thread ended", done: true });
  }
}

function failureOf({ refusal: refused, failed }) {
  if (refused) return refusal(refused, refused, HEADINGS, true);
  return new Failure("unable", [["unableMore", { why: failed }]]);
}

/** Return this device, if it has a model of its own; keep the page for when there is no network. */
export async function findDevice() {
  let told = null;
  try {
    const response = await fetch("device.json");
    told = response.ok ? await response.json() : null;
  } catch {
    return null; // the page works without
  }
  if (!isRecord(told) || !isText(told.file) || !/^[\w.-]+$/.test(told.file)) return null;
  const device = new Device(told);
  if (device.alone) for (const link of document.querySelectorAll("a[href=docs]")) link.remove();
  if (!navigator.serviceWorker) device.ready().catch(() => {}); // there may be no other time
  else navigator.serviceWorker.register("sw.js").catch(() => device.ready().catch(() => {}));
  return device;
}
