// The page's own model: unpacks the file that marfa.container.own writes. What it answers, in the words
// of the HTTP API, so that the page reads both in the same way, is its task's: judge.js or author.js.

const FORMAT = 1;

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
  if (head.task === "classifier") return new (await import("./judge.js")).Judge(head, stored);
  return new (await import("./author.js")).Author(head, stored);
}

/** All tensors as floats but one, of which a text needs only a few rows. */
export function weightsOf(stored, kept = "") {
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
