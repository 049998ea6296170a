// A model that writes: what is asked at `/v1/generate` in, characters out.

import { Alphabet } from "./alphabet.js";
import { Refusal, weightsOf } from "./model.js";
import { draw } from "./sampling.js";
import { Writing } from "./writing.js";

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
    const reading = this.open(this.codec.encode((task.prompt || this.codec.opening) + made));
    for (let place = task.position + [...made].length; place < task.length; place += 1) {
      const id = draw(reading.logits, place, task);
      yield this.codec.decode(id);
      if (place + 1 < task.length) reading.step(id);
    }
  }
}
