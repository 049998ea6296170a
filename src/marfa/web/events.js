// Server-sent events read by hand, since EventSource can neither POST nor hear the continuation
// token. Bytes may be cut anywhere: inside a character, a line, or the two signs of a line's end.

import { nonsense } from "./exchange.js";

const LINE_FEED = 10; // a byte that is no part of any longer character
const LONGEST = 1_000_000; // characters of one event: what never ends is no event

/** Put pieces of text together to events of `{ type, data, id }`; id is "" where none is told. */
export class EventParser {
  #rest = "";
  #returned = false; // the last piece ended with a carriage return, whose line feed may yet come
  #event = { type: "", data: null, id: "" };

  *read(piece) {
    const text = this.#returned && piece.startsWith("\n") ? piece.slice(1) : piece;
    if (piece) this.#returned = text.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line) this.#field(line);
      else if (this.#event.data !== null) yield this.#finish();
      else this.#finish(); // nothing to tell, as after a comment
    }
    if (this.#rest.length + (this.#event.data?.length ?? 0) > LONGEST) throw nonsense();
  }

  #field(line) {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line); // no name: a comment, a heartbeat
    if (name === "event") this.#event.type = value;
    if (name === "id") this.#event.id = value;
    if (name === "data") {
      this.#event.data = this.#event.data === null ? value : `${this.#event.data}\n${value}`;
    }
  }

  #finish() {
    const event = this.#event;
    this.#event = { type: "", data: null, id: "" };
    return event;
  }
}

/** The events of a response's body, in order; `heard` is called whenever bytes arrive. */
export async function* readEvents(body, heard) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const parser = new EventParser();
  const reader = body.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return; // an event without its empty line is no event
    heard();
    for (let at = 0, end; at < value.length; at = end) {
      end = value.indexOf(LINE_FEED, at) + 1 || value.length;
      let piece; // line by line, so that what came before a bad one is still read
      try {
        piece = decoder.decode(value.subarray(at, end), { stream: true });
      } catch {
        throw nonsense();
      }
      yield* parser.read(piece);
    }
  }
}
