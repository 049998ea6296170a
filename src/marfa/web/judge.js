// A model that judges: a text in, the answer of `/v1/predict` out.

import { Words } from "./codec.js";
import { Judging } from "./judging.js";
import { Refusal, weightsOf } from "./model.js";

const round = (share) => Math.round(share * 1e4) / 1e4;

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
