// Asks the page's own engine what a test wants to know; the same in node and in a browser.

import { clean, resolver } from "./codec.js";
import { read } from "./model.js";
import { stem } from "./porter.js";
import { uniform } from "./sampling.js";

/** The code points at which this machine's Unicode is another than the one that was told. */
function differing({ classes, lower, composed }) {
  const found = [];
  for (let point = 0; point < 0x110000; point += 1) {
    const known = classes[point];
    if (known === "?") continue;
    const character = String.fromCodePoint(point);
    const kind = /\p{Cf}/u.test(character) ? "f" : /[\p{L}\p{M}\p{N}]/u.test(character) ? "w" : ".";
    const marked = known === "m" ? /\p{M}/u.test(character) && kind === "w" : kind === known && !/\p{M}/u.test(character);
    const same = character.toLowerCase() === (lower[point] ?? character)
      && character.normalize("NFC") === (composed[point] ?? character);
    if (!marked || !same) found.push(point);
  }
  return found;
}

function answered(model, asked) {
  const { text, explain } = typeof asked === "string" ? { text: asked } : asked;
  try {
    return { status: 200, body: model.answer(text, explain) };
  } catch (refusal) {
    const { status, title, detail, refused } = refusal;
    return { status, body: { title, detail, refused } };
  }
}

function written(model, asked) {
  try {
    const task = model.plan(asked);
    return { status: 200, body: { ...task, text: task.prompt + [...model.write(task)].join("") } };
  } catch (refusal) {
    return { status: refusal.status, body: { detail: refusal.detail } };
  }
}

/** A text in one go, and the same one stopped after so many characters and gone on with. */
function resumed(model, { stopped, ...asked }) {
  const task = model.plan(asked);
  const whole = [...model.write(task)];
  const made = whole.slice(0, stopped).join("");
  return { whole: whole.join(""), resumed: made + [...model.write(task, made)].join("") };
}

/** The numbers after a prompt, and after each character of what follows it. */
function logits(model, { prompt, rest }) {
  const reading = model.open(prompt);
  return [Array.from(reading.logits), ...rest.map((id) => Array.from(reading.step(id)))];
}

export async function run({ model: buffer, jobs }) {
  const model = buffer && (await read(buffer));
  const tasks = {
    judge: (text) => {
      const { read, shares } = model.judge(text);
      return { ...read, shares };
    },
    answer: (asked) => answered(model, asked),
    write: (asked) => written(model, asked),
    resume: (asked) => resumed(model, asked),
    logits: (asked) => logits(model, asked),
    stem,
    clean: ({ text, tables }) => clean(text, resolver(tables)),
    resolve: ({ names, tables }) => names.map(resolver(tables)),
    uniform: ([seed, position]) => uniform(seed, position),
    differing,
  };
  return Object.fromEntries(Object.entries(jobs).map(([name, list]) => [name, list.map(tasks[name])]));
}
