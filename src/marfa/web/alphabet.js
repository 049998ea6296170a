// From text to the numbers of characters and back, as Python does it (marfa.text.alphabet).

/** Characters and their numbers, as a generator reads them. */
export class Alphabet {
  #settings; #ids; #shown;

  constructor({ text, symbols }) {
    this.#settings = text;
    this.#ids = new Map(symbols.map((symbol, at) => [symbol, at + 1]));
    this.#shown = ["\ufffd", ...symbols];
  }

  /** What an empty prompt is taken for. */
  get opening() {
    return ["\n", " "].find((mark) => this.#ids.has(mark)) ?? this.#shown[1];
  }

  /** What is left of a prompt once it is read as the training text was. */
  read(text) {
    const { case: letters, speakers, lines } = this.#settings;
    let found = text.replace(/\p{Cs}/gu, "\ufffd").replace(/\r\n?/g, "\n");
    if (letters === "lower") found = found.toLowerCase();
    if (speakers === "drop") found = found.split("\n").filter((line) => !line.includes(":")).join("\n");
    if (lines === "join" && found.includes("\n")) found = found.split("\n").filter(Boolean).join(" ");
    return found;
  }

  /** The ids of a text's characters, 0 for those that are not known. */
  encode(text) {
    return Array.from(text, (character) => this.#ids.get(character) ?? 0);
  }

  decode(id) {
    return this.#shown[id];
  }
}
