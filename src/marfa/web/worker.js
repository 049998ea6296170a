// The thread in which the page's own model computes, so that the page stays responsive. Each message
// asks something under a number; its answers carry the same number.

import { Refusal, read } from "./model.js";

const PIECE_MS = 30; // of computing before what there is is shown, and a message to stop is heard

let model = null; // a promise
const stopped = new Set();

async function load(file) {
  const response = await fetch(file);
  if (!response.ok) throw new TypeError(`status ${response.status}`);
  return read(await response.arrayBuffer());
}

const heard = () => new Promise((resolve) => setTimeout(resolve));

async function write(id, author, { asked, begun, made }) {
  const task = begun ?? author.plan(asked);
  postMessage({ id, start: task });
  let piece = "";
  let since = 0; // the first character is shown at once
  for (const character of author.write(task, made)) {
    piece += character;
    if (performance.now() - since < PIECE_MS) continue;
    postMessage({ id, piece });
    piece = "";
    await heard();
    if (stopped.delete(id)) return;
    since = performance.now();
  }
  postMessage({ id, piece, done: true });
}

async function judge(id, ready, { text, explain }) {
  let since = performance.now();
  for (const value of ready.answering(text, explain)) {
    if (value) postMessage({ id, done: true, value });
    if (performance.now() - since < PIECE_MS) continue;
    await heard();
    if (stopped.delete(id)) throw new Error("it was stopped");
    since = performance.now();
  }
}

addEventListener("message", async ({ data: { id, kind, ...given } }) => {
  if (kind === "stop") {
    stopped.add(id);
    return;
  }
  try {
    model ??= load(given.file);
    const ready = await model;
    if (kind === "write") await write(id, ready, given);
    else if (kind === "judge") await judge(id, ready, given);
    else postMessage({ id, done: true, value: ready.id });
  } catch (problem) {
    if (kind === "load") model = null; // it may be had another time
    const refusal = problem instanceof Refusal ? { ...problem } : null;
    postMessage({ id, done: true, refusal, failed: String(problem.message) });
  }
});
