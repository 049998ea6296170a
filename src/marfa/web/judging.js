// The network that judges, the twin of marfa.engines.numpy_engine.

import { Matrix, padded, remember, sum } from "./lstm.js";

/** One direction of a layer that judges. */
class Direction {
  constructor(weights, name, hidden) {
    this.hidden = hidden;
    this.input = new Matrix(4 * hidden, weights[`${name}.weight_ih_l0`]);
    this.state = new Matrix(4 * hidden, weights[`${name}.weight_hh_l0`]);
    this.bias = sum(weights[`${name}.bias_ih_l0`], weights[`${name}.bias_hh_l0`]);
    this.gates = padded(this.state);
  }

  /** Move state and cell on by a word, of which `added` is what it adds to the gates. */
  step(added, state, cell) {
    this.state.multiply(state, 0, this.gates);
    remember(this.gates, added, this.hidden, cell, state, 0);
  }

  /** Read vectors in their order, or from the last one, and write states to `out` from `offset` on. */
  read(inputs, backwards, out, offset) {
    const { hidden } = this;
    const state = new Float64Array(hidden);
    const cell = new Float64Array(hidden);
    const projected = this.project(inputs);
    for (let step = 0; step < inputs.length; step += 1) {
      const place = backwards ? inputs.length - 1 - step : step;
      this.step(projected.get(inputs[place]), state, cell);
      out[place].set(state, offset);
    }
  }

  /** What each vector adds to the gates; a word that comes again is the same vector, computed once. */
  project(inputs) {
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

  /** The vector of each word; a word that comes again has the same one. */
  embedded(ids) {
    const rows = new Map(ids.map((id) => [id, this.table.row(id, this.shape.embedding)]));
    return ids.map((id) => rows.get(id));
  }

  probabilities(ids) {
    const { hidden } = this.shape;
    const embedded = this.embedded(ids);
    let states = embedded;
    for (const layer of this.layers) {
      const next = states.map(() => new Float64Array(hidden * layer.length));
      layer.forEach((each, at) => each.read(states, at === 1, next, at * hidden));
      states = next;
    }
    return this.shares(this.#features(states, embedded));
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
    return parts;
  }

  /** What the last layer makes of the parts of what it reads. */
  shares(parts) {
    const features = parts.flatMap((part) => [...part]);
    return softmax(Array.from(this.bias, (bias, label) => features.reduce(
      (total, value, at) => total + value * this.output[label * features.length + at], bias)));
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
