// The forward passes in plain JavaScript: of the network that judges and of the one that writes, the
// twins of marfa.engines.numpy_engine and numpy_writer. Gates are in torch's order: input, forget, cell,
// output. V8 multiplies fastest where eight rows of a matrix stand side by side, so that every number
// read of the state serves eight sums; rows are filled up to a multiple of eight with zeros.

const ROWS = 8;

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const tanh = (x) => 1 - 2 / (1 + Math.exp(2 * x)); // where exp overflows, 1

/** A matrix of `rows` by `columns`, made of matrices that stand beside each other. */
export class Matrix {
  constructor(rows, ...parts) {
    this.rows = Math.ceil(rows / ROWS) * ROWS;
    this.columns = parts.reduce((sum, part) => sum + part.length / rows, 0);
    this.numbers = new Float32Array(this.rows * this.columns);
    let offset = 0;
    for (const part of parts) {
      const width = part.length / rows;
      for (let row = 0; row < rows; row += 1) {
        const start = (row - (row % ROWS)) * this.columns + (row % ROWS);
        for (let column = 0; column < width; column += 1) {
          this.numbers[start + (offset + column) * ROWS] = part[row * width + column];
        }
      }
      offset += width;
    }
  }

  /** Write the product with a stretch of `x`, from `from` on, to `out`. */
  multiply(x, from, out) {
    const { numbers, rows, columns } = this;
    let at = 0;
    for (let row = 0; row < rows; row += ROWS) {
      let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let column = 0; column < columns; column += 1, at += ROWS) {
        const value = x[from + column];
        a += numbers[at] * value;
        b += numbers[at + 1] * value;
        c += numbers[at + 2] * value;
        d += numbers[at + 3] * value;
        e += numbers[at + 4] * value;
        f += numbers[at + 5] * value;
        g += numbers[at + 6] * value;
        h += numbers[at + 7] * value;
      }
      out[row] = a;
      out[row + 1] = b;
      out[row + 2] = c;
      out[row + 3] = d;
      out[row + 4] = e;
      out[row + 5] = f;
      out[row + 6] = g;
      out[row + 7] = h;
    }
  }

  /** The same for two vectors at once, which reads the matrix only once for both. */
  multiplyBoth(x, y, outX, outY) {
    const { numbers, rows, columns } = this;
    for (let row = 0; row < rows; row += ROWS / 2) {
      let at = (row - (row % ROWS)) * columns + (row % ROWS);
      let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let column = 0; column < columns; column += 1, at += ROWS) {
        const one = x[column];
        const other = y[column];
        const first = numbers[at];
        const second = numbers[at + 1];
        const third = numbers[at + 2];
        const fourth = numbers[at + 3];
        a += first * one;
        b += second * one;
        c += third * one;
        d += fourth * one;
        e += first * other;
        f += second * other;
        g += third * other;
        h += fourth * other;
      }
      outX[row] = a;
      outX[row + 1] = b;
      outX[row + 2] = c;
      outX[row + 3] = d;
      outY[row] = e;
      outY[row + 1] = f;
      outY[row + 2] = g;
      outY[row + 3] = h;
    }
  }
}

/** Move one layer's cell and state on, in place; `added` is what comes to the gates besides. */
function remember(gates, added, hidden, cell, state, at) {
  for (let unit = 0; unit < hidden; unit += 1) {
    const opened = sigmoid(gates[unit] + added[unit]);
    const kept = sigmoid(gates[hidden + unit] + added[hidden + unit]);
    const fresh = tanh(gates[2 * hidden + unit] + added[2 * hidden + unit]);
    const shown = sigmoid(gates[3 * hidden + unit] + added[3 * hidden + unit]);
    const value = kept * cell[at + unit] + opened * fresh;
    cell[at + unit] = value;
    state[at + unit] = shown * tanh(value);
  }
}

const sum = (a, b) => Float64Array.from(a, (value, at) => value + b[at]);
const padded = (matrix) => new Float64Array(matrix.rows);

/** One direction of a layer that judges. */
class Direction {
  constructor(weights, name, hidden) {
    this.hidden = hidden;
    this.input = new Matrix(4 * hidden, weights[`${name}.weight_ih_l0`]);
    this.state = new Matrix(4 * hidden, weights[`${name}.weight_hh_l0`]);
    this.bias = sum(weights[`${name}.bias_ih_l0`], weights[`${name}.bias_hh_l0`]);
  }

  /** Read vectors in their order, or from the last one, and write states to `out` from `offset` on. */
  read(inputs, backwards, out, offset) {
    const { hidden } = this;
    const gates = padded(this.state);
    const state = new Float64Array(hidden);
    const cell = new Float64Array(hidden);
    const projected = this.#project(inputs);
    for (let step = 0; step < inputs.length; step += 1) {
      const place = backwards ? inputs.length - 1 - step : step;
      this.state.multiply(state, 0, gates);
      remember(gates, projected.get(inputs[place]), hidden, cell, state, 0);
      out[place].set(state, offset);
    }
  }

  /** What each vector adds to the gates; a word that comes again is the same vector, computed once. */
  #project(inputs) {
    const projected = new Map(inputs.map((input) => [input, padded(this.input)]));
    const pairs = [...projected];
    for (let at = 0; at < pairs.length; at += 2) {
      const [x, outX] = pairs[at];
      const [y, outY] = pairs[Math.min(at + 1, pairs.length - 1)];
      this.input.multiplyBoth(x, y, outX, outY);
    }
    for (const [, out] of pairs) for (let gate = 0; gate < this.bias.length; gate += 1) out[gate] += this.bias[gate];
    return projected;
  }
}

/** A network that judges: word ids in, the probability of each label out. */
export class Judging {
  constructor(shape, weights) {
    this.shape = shape;
    this.table = weights["embedding.weight"];
    this.output = weights["output.weight"];
    this.bias = weights["output.bias"];
    const directions = shape.bidirectional ? [0, 1] : [0];
    this.layers = Array.from({ length: shape.layers }, (_, layer) =>
      directions.map((each) => new Direction(weights, `lstm.${layer}.${each}`, shape.hidden)));
  }

  probabilities(ids) {
    const { embedding, hidden } = this.shape;
    const rows = new Map(ids.map((id) => [id, this.table.row(id, embedding)]));
    const embedded = ids.map((id) => rows.get(id));
    let states = embedded;
    for (const layer of this.layers) {
      const next = states.map(() => new Float64Array(hidden * layer.length));
      layer.forEach((each, at) => each.read(states, at === 1, next, at * hidden));
      states = next;
    }
    return softmax(this.#logits(this.#features(states, embedded)));
  }

  #features(states, embedded) {
    const { pooling, skip, hidden } = this.shape;
    const parts = [];
    if (pooling.includes("mean")) parts.push(mean(states));
    if (pooling.includes("max")) parts.push(highest(states));
    if (pooling === "last") { // the backward direction ends at the first word
      parts.push(states.at(-1).slice(0, hidden), states[0].slice(hidden));
    }
    if (skip) parts.push(mean(embedded));
    return parts.flatMap((part) => [...part]);
  }

  #logits(features) {
    return Array.from(this.bias, (bias, label) => features.reduce(
      (total, value, at) => total + value * this.output[label * features.length + at], bias));
  }
}

function mean(rows) {
  const total = new Float64Array(rows[0].length);
  for (const row of rows) for (let at = 0; at < total.length; at += 1) total[at] += row[at];
  return total.map((value) => value / rows.length);
}

function highest(rows) {
  const found = rows[0].slice();
  for (const row of rows) for (let at = 0; at < found.length; at += 1) if (row[at] > found[at]) found[at] = row[at];
  return found;
}

function softmax(logits) {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

/** A network that writes: characters in, the numbers of the next one out. */
export class Writing {
  constructor(shape, weights, vocabulary) {
    const { hidden, layers } = shape;
    this.hidden = hidden;
    this.matrices = [];
    this.biases = [];
    for (let layer = 0; layer < layers; layer += 1) {
      const name = `lstm.${layer}.`;
      const below = layer ? [weights[`${name}weight_ih_l0`]] : [];
      this.matrices.push(new Matrix(4 * hidden, ...below, weights[`${name}weight_hh_l0`]));
      this.biases.push(sum(weights[`${name}bias_ih_l0`], weights[`${name}bias_hh_l0`]));
    }
    this.table = this.#fold(shape, weights, vocabulary);
    this.output = new Matrix(vocabulary, weights["output.weight"]);
    this.bias = weights["output.bias"];
    this.vocabulary = vocabulary;
  }

  /** What each character adds to the first layer's gates, the bias included. */
  #fold({ input, embedding, hidden }, weights, vocabulary) {
    const matrix = weights["lstm.0.weight_ih_l0"];
    const gates = 4 * hidden;
    if (input === "one-hot") {
      return Array.from({ length: vocabulary }, (_, id) =>
        Float64Array.from({ length: gates }, (_, gate) => matrix[gate * vocabulary + id] + this.biases[0][gate]));
    }
    const entering = new Matrix(gates, matrix);
    const numbers = Float64Array.from(weights["embedding.weight"]);
    return Array.from({ length: vocabulary }, (_, id) => {
      const out = padded(entering);
      entering.multiply(numbers, id * embedding, out);
      return sum(out.subarray(0, gates), this.biases[0]);
    });
  }

  /** Begin a text: a reading that `step` moves on by one character. */
  open(ids) {
    const reading = new Reading(this);
    for (const id of ids.slice(0, -1)) reading.advance(id);
    reading.step(ids.at(-1));
    return reading;
  }
}

class Reading {
  #network; #states; #cells; #gates; #scores;

  constructor(network) {
    const size = network.hidden * network.matrices.length; // side by side: a layer's input is one piece
    this.#network = network;
    this.#states = new Float64Array(size);
    this.#cells = new Float64Array(size);
    this.#gates = padded(network.matrices[0]);
    this.#scores = padded(network.output);
    this.logits = this.#scores.subarray(0, network.vocabulary);
  }

  advance(id) {
    const { hidden, matrices, biases, table } = this.#network;
    matrices.forEach((matrix, layer) => {
      matrix.multiply(this.#states, Math.max(layer - 1, 0) * hidden, this.#gates);
      const added = layer ? biases[layer] : table[id];
      remember(this.#gates, added, hidden, this.#cells, this.#states, layer * hidden);
    });
  }

  step(id) {
    const { hidden, matrices, output, bias } = this.#network;
    this.advance(id);
    output.multiply(this.#states, (matrices.length - 1) * hidden, this.#scores);
    for (let at = 0; at < bias.length; at += 1) this.logits[at] += bias[at];
    return this.logits;
  }
}
