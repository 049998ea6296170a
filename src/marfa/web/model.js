// The page's own model: unpacks the file that marfa.container.own writes, judges and writes with it,
// and answers in the words of the HTTP API, so that the page reads both in the same way.

import { Alphabet, Words } from "./codec.js";
import { Judging, Writing } from "./lstm.js";
import { draw } from "./sampling.js";

const FORMAT = 1;
const round = (share) => Math.round(share * 1e4) / 1e4;

async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** Rows of whole numbers, whose floats are made when they are asked for. */
class Table {
  constructor(numbers, runs) {
    this.numbers = numbers;
    this.runs = runs;
  }

  row(id, width) {
    let left = id;
    const [, scale] = this.runs.find(([count]) => (left -= count) < 0) ?? [0, 1];
    const found = new Float64Array(width);
    for (let at = 0; at < width; at += 1) found[at] = this.numbers[id * width + at] * scale;
    return found;
  }

  /** All of it as floats. */
  get floats() {
    const rows = this.runs.reduce((total, [count]) => total + count, 0);
    const width = this.numbers.length / (rows || 1);
    const found = new Float32Array(this.numbers.length);
    let at = 0;
    for (const [count, scale] of this.runs.length ? this.runs : [[1, 1]]) {
      const end = at + count * width;
      for (; at < end; at += 1) found[at] = this.numbers[at] * scale;
    }
    return found;
  }
}

function tensors(listed, body) {
  const found = {};
  for (const [name, { at, shape, runs }] of Object.entries(listed)) {
    const length = shape.reduce((product, axis) => product * axis, 1);
    const numbers = runs.length ? new Int8Array(body, at, length) : new Float32Array(body, at, length);
    found[name] = new Table(numbers, runs);
  }
  return found;
}

/** Read a model's file. */
export async function read(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const text = new TextDecoder().decode(await unpack(buffer.slice(4, 4 + length)));
  const head = JSON.parse(text);
  if (head.format !== FORMAT) throw new TypeError(`model file of format ${head.format}`);
  const stored = tensors(head.tensors, await unpack(buffer.slice(4 + length)));
  return head.task === "classifier" ? new Judge(head, stored) : new Author(head, stored);
}

/** All tensors as floats but one, of which a text needs only a few rows. */
function weightsOf(stored, kept = "") {
  return Object.fromEntries(
    Object.entries(stored).map(([name, each]) => [name, name === kept ? each : each.floats]));
}

/** A refusal in the words that the server would use: a status, a title, what is wrong. */
export class Refusal extends Error {
  constructor(status, title, detail) {
    super(detail);
    Object.assign(this, { status, title, detail });
  }
}

/** A model that judges. */
export class Judge {
  #network; #share; #labels;

  constructor(head, stored) {
    this.id = head.model;
    this.codec = new Words(head.codec);
    this.#labels = head.labels;
    this.#share = head.min_known_share;
    this.#network = new Judging(head.shape, weightsOf(stored, "embedding.weight"));
  }

  /** Probabilities as they are, and what was read; null where no word is known. */
  judge(text) {
    const read = this.codec.encode(text);
    return { read, shares: read.known ? this.#network.probabilities(read.ids) : null };
  }

  /** The answer of `/v1/predict`. */
  answer(text) {
    const { read: { known, total, unknown }, shares } = this.judge(text);
    if (!shares) {
      if (total) throw new Refusal(422, "Unknown text", `none of the ${total} words is known to the model`);
      throw new Refusal(422, "Empty text", "no word is left of the text after cleaning");
    }
    const best = shares.indexOf(Math.max(...shares));
    const judged = known >= this.#share * total;
    const reply = {
      label: judged ? this.#labels[best] : null,
      score: judged ? round(shares[best]) : null,
      probabilities: Object.fromEntries(this.#labels.map((label, at) => [label, round(shares[at])])),
      known_words: { known, total, unknown },
      model: this.id,
    };
    if (!judged) reply.reason = `only ${known} of ${total} words are known to the model`;
    return reply;
  }
}

/** A model that writes. */
export class Author {
  #network;

  constructor(head, stored) {
    this.id = head.model;
    this.codec = new Alphabet(head.codec);
    this.#network = new Writing(head.shape, weightsOf(stored), head.codec.symbols.length + 1);
  }

  /** Understand what is asked for: what the API's event `start` tells. */
  plan({ prompt = "", length, temperature, top_k, top_p, seed }) {
    const read = this.codec.read(prompt);
    const ids = this.codec.encode(read);
    const unknown = ids.filter((id) => id === 0).length;
    if (prompt && !read) {
      throw new Refusal(422, "Empty text", "nothing is left of the prompt once it is read as the training text was");
    }
    if (ids.length > length) {
      throw new Refusal(400, "Bad request", `the prompt has ${ids.length} characters, more than the ${length} asked for in all`);
    }
    if (ids.length && unknown === ids.length) {
      throw new Refusal(422, "Unknown text", `none of the ${unknown} characters of the prompt is known to the model`);
    }
    return { prompt: read, length, temperature, top_k, top_p, seed, unknown, position: ids.length, model: this.id };
  }

  /** Begin to read ids; see `Writing.open`. */
  open(ids) {
    return this.#network.open(ids);
  }

  /** Yield the characters after those that are there; `made` may go on from another engine's. */
  * write(task, made = "") {
    const reading = this.open(this.codec.encode(task.prompt + made || this.codec.opening));
    for (let place = task.position + [...made].length; place < task.length; place += 1) {
      const id = draw(reading.logits, place, task);
      yield this.codec.decode(id);
      if (place + 1 < task.length) reading.step(id);
    }
  }
}
