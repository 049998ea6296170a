// Why a label: what its probability loses without each word, the twin of marfa.explaining. Where the
// network has one layer, each direction goes on from what it remembered before the word, so that a text
// without a word costs half of a text.

const MOST_READ = 360_000;
const RARE = 1;

/** A direction that reads, with what it remembers and has pooled before each word. */
class Trail {
  #direction; #added; #places;

  constructor(direction, inputs) {
    const projected = direction.project(inputs);
    const none = new Float64Array(direction.hidden);
    this.#direction = direction;
    this.#added = inputs.map((input) => projected.get(input));
    this.#places = [{ state: none, cell: none, total: none, most: none.map(() => -Infinity) }];
    for (let at = 0; at < inputs.length; at += 1) this.#places.push(this.#on(at, at, at + 1));
  }

  /** What is pooled where it leaves out the words from `from` on, up to `to`. */
  without(from, to) {
    return this.#on(from, to, this.#added.length);
  }

  #on(place, from, to) {
    const [state, cell, total, most] = ["state", "cell", "total", "most"].map((name) => this.#places[place][name].slice());
    for (let at = from; at < to; at += 1) {
      this.#direction.step(this.#added[at], state, cell);
      for (let unit = 0; unit < state.length; unit += 1) {
        total[unit] += state[unit];
        if (state[unit] > most[unit]) most[unit] = state[unit];
      }
    }
    return { state, cell, total, most };
  }
}

/** Make the function from a stretch of words, `from` and `to`, to the shares without it. */
function leaving(network, ids) {
  const { layers, pooling, skip } = network.shape;
  const count = ids.length;
  if (layers > 1) return (from, to) => network.probabilities([...ids.slice(0, from), ...ids.slice(to)]);
  const embedded = network.embedded(ids);
  const trails = network.layers[0].map((each, at) => new Trail(each, at ? embedded.toReversed() : embedded));
  const bag = embedded.reduce((sum, row) => sum.map((value, at) => value + row[at]), new Float64Array(network.shape.embedding));
  return (from, to) => {
    const left = count - to + from;
    const found = trails.map((trail, at) => (at ? trail.without(count - to, count - from) : trail.without(from, to)));
    const mean = (sum) => sum.map((value) => value / left);
    const parts = [];
    if (pooling.includes("mean")) parts.push(...found.map(({ total }) => mean(total)));
    if (pooling.includes("max")) parts.push(...found.map(({ most }) => most));
    if (pooling === "last") parts.push(...found.map(({ state }) => state));
    if (skip) {
      const rest = bag.slice();
      for (const row of embedded.slice(from, to)) row.forEach((value, at) => { rest[at] -= value; });
      parts.push(mean(rest));
    }
    return network.shares(parts);
  };
}

/** Yield for each stretch of words how many it holds, and what each of them adds to the label. */
export function* weigh(network, ids, label, whole) {
  const size = Math.ceil(ids.length ** 2 / MOST_READ);
  const shares = ids.length > size ? leaving(network, ids) : () => network.probabilities([RARE]);
  for (let from = 0; from < ids.length; from += size) {
    const to = Math.min(from + size, ids.length);
    yield [to - from, (whole - shares(from, to)[label]) / (to - from)];
  }
}
