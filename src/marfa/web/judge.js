// A model that judges: a text in, the answer of `/v1/predict` out.

import { Words } from "./codec.js";
import { weigh } from "./explaining.js";
import { Judging } from "./judging.js";
import { Refusal, weightsOf } from "./model.js";

const round = (share) => Math.round(share * 1e4) / 1e4;

/** A model that judges. */
export class Judge {
  #network; #share; #least; #scripts; #labels; #ranges; #named;

  constructor(head, stored) {
    this.id = head.model;
    this.codec = new Words(head.codec);
    this.#labels = head.labels;
    this.#share = head.min_known_share;
    this.#least = head.min_words ?? 1;
    this.#scripts = head.scripts; // absent from bundles that know no kinds of refusals
    this.#ranges = head.codec.ranges;
    this.#named = head.codec.named;
    this.#network = new Judging(head.shape, weightsOf(stored, "embedding.weight"));
  }

  /** Probabilities as they are, and what was read; null where no word is known. */
  judge(text) {
    const read = this.codec.encode(text);
    return { read, shares: read.known ? this.#network.probabilities(read.ids) : null };
  }

  /** The answer of `/v1/predict`; `explain`: with what each word adds to the label. */
  answer(text, explain = false) {
    let last = null;
    for (last of this.answering(text, explain));
    return last;
  }

  /** The same in steps, so that others may be heard between them; the last one is the answer. */
  *answering(text, explain) {
    const { read, shares } = this.judge(text);
    const { known, total, unknown } = read;
    const [kind, reason] = this.#refusal(text, read);
    const refused = kind && this.#scripts ? { refused: kind } : {};
    if (!shares) {
      const title = kind === "empty" ? "Empty text" : "Unknown text";
      throw Object.assign(new Refusal(422, title, reason), refused);
    }
    const best = shares.indexOf(Math.max(...shares));
    const answer = {
      label: kind ? null : this.#labels[best],
      score: kind ? null : round(shares[best]),
      probabilities: Object.fromEntries(this.#labels.map((label, at) => [label, round(shares[at])])),
      known_words: { known, total, unknown },
      model: this.id,
      ...(kind ? { reason } : {}),
      ...refused,
    };
    if (explain && !kind) answer.explanation = yield* this.#explanation(text, read, best, shares[best]);
    yield answer;
  }

  *#explanation(text, { ids, places }, best, whole) {
    const points = [...text];
    const words = [];
    for (const [count, weight] of weigh(this.#network, ids, best, whole)) {
      for (const [start, end] of places.slice(words.length, words.length + count)) {
        words.push({ text: points.slice(start, end).join(""), start, end, weight: round(weight) + 0 }); // no -0
      }
      yield null;
    }
    return { label: this.#labels[best], words };
  }

  /** Why a text is not judged, in a word and in a sentence; none where it is. */
  #refusal(text, { known, total }) {
    const strange = this.#scripts?.length ? foreign(this.codec.clean(text), this.#scripts, this.#ranges) : "";
    if (strange) {
      const trained = this.#scripts.map((code) => this.#named[code]).join(" and ");
      return ["script", `the text is written in ${this.#named[strange]}; the model was trained on ${trained}`];
    }
    if (!total) return ["empty", "no word is left of the text after cleaning"];
    if (!known) return ["unknown_words", `none of the ${total} words is known to the model`];
    if (known < this.#share * total) return ["unknown_words", `only ${known} of ${total} words are known to the model`];
    if (total < this.#least) return ["short", `the text has ${total} words; the model judges ${this.#least} or more`];
    return [];
  }
}

/** The commonest script that is not known, where more than half of a text is in such; as marfa.text.scripts. */
function foreign(text, known, ranges) {
  const counts = new Map();
  let all = 0;
  let strange = 0;
  for (const character of text) {
    const point = character.codePointAt(0);
    const code = ranges.find(([, last]) => point <= last);
    if (!code || point < code[0]) continue;
    all += 1;
    if (known.includes(code[2])) continue;
    strange += 1;
    counts.set(code[2], (counts.get(code[2]) ?? 0) + 1);
  }
  if (2 * strange <= all) return "";
  const most = Math.max(...counts.values());
  return [...counts.keys()].filter((code) => counts.get(code) === most).sort()[0];
}
