// From the network's numbers to the next character, the same one as Python's for the same seed and
// position (marfa.engines.sampling): SplitMix64 read by counter, top-k, then top-p.

const MASK = (1n << 64n) - 1n;
const STEP = 0x9e3779b97f4a7c15n;
const COLDEST = 1e-30;

/** The chance for one position of one seed: a multiple of 2^-53, at least 0 and below 1. */
export function uniform(seed, position) {
  let mixed = (BigInt(seed) + BigInt(position + 1) * STEP) & MASK;
  mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return Number((mixed ^ (mixed >> 31n)) >> 11n) * 2 ** -53;
}

/** Draw the id of the next character: 1 to V - 1, the unknown one's 0 never. */
export function draw(logits, position, { temperature, top_k: topK, top_p: topP, seed }) {
  const scores = Array.from(logits.subarray(1), (score) => (Number.isFinite(score) ? score : -Infinity));
  const likeliest = scores.reduce((best, score, at) => (score > scores[best] ? at : best), 0);
  if (scores[likeliest] === -Infinity) throw new RangeError("the network's numbers are not finite");
  if (temperature === 0) return likeliest + 1;
  const highest = scores[likeliest];
  const heat = Math.max(temperature, COLDEST);
  let weights = scores.map((score) => Math.exp((score - highest) / heat));
  if ((topK > 0 && topK < scores.length) || topP < 1) weights = few(weights, scores, topK, topP);
  const shares = running(weights);
  const chance = uniform(seed, position) * shares.at(-1);
  return shares.findIndex((share) => share > chance) + 1;
}

/** The weights with nothing for all that top-k and then top-p leave out. */
function few(weights, scores, topK, topP) {
  let order = scores.map((_, at) => at).sort((a, b) => scores[b] - scores[a] || a - b);
  if (topK) order = order.slice(0, topK);
  if (topP < 1) {
    const shares = running(order.map((at) => weights[at]));
    const enough = shares.findIndex((share) => share >= topP * shares.at(-1));
    order = order.slice(0, enough + 1);
  }
  const kept = new Array(weights.length).fill(0);
  for (const at of order) kept[at] = weights[at];
  return kept;
}

function running(numbers) {
  let sum = 0;
  return numbers.map((number) => (sum += number));
}
