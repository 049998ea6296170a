// The network that writes, the twin of marfa.engines.numpy_writer.

import { Matrix, padded, remember, sum } from "./lstm.js";

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
