// From text to the numbers of words, letter by letter as Python does it (marfa.text): clean, words,
// vocabulary, truncation. The tables that Python owns come with the model.

import { stem } from "./porter.js";

const RARE = 1; // the id of every word without a number of its own
const FIRST = 2; // of the commonest word
const MOST_UNKNOWN = 50;
const MOST_STEMMED = 10_000; // different words of a text; what comes after them is rare
const MOST_MARKS = 30;

// Python ignores case in another way: its i matches both Turkish ones, its s the long one.
const SCRIPT = /<[sSſ][cC][rR][iIİı][pP][tT](?![\p{L}\p{N}_])[^<>]*>/gu;
const SCRIPT_END = /<\/[sSſ][cC][rR][iIİı][pP][tT][^<>]*>/gu;
const STYLE = /<[sSſ][tT][yY][lL][eE](?![\p{L}\p{N}_])[^<>]*>/gu;
const STYLE_END = /<\/[sSſ][tT][yY][lL][eE][^<>]*>/gu;
const SPANS = [[/<!--/gu, /-->/gu], [SCRIPT, SCRIPT_END], [STYLE, STYLE_END]];
const TAG = /<\/?[a-zA-Z][^<>]*>|<![a-zA-Z[][^<>]*>|<\?[^<>]*>/gu;
const ENTITY =
  /&(?:#[0-9]{1,7}(?![0-9])|#[xX][0-9a-fA-F]{1,6}(?![0-9a-fA-F])|[a-zA-Z][a-zA-Z0-9]{1,31});?/gu;
const LONG_RUN = new RegExp(`[\\p{M}\\u{10000}-\\u{10ffff}]{${MOST_MARKS + 1},}`, "gu");
const MARK = /\p{M}/u;

/** Replace each opening...closing span by a space; what is never closed stays. */
function cutSpans(text, opening, closing) {
  let kept = "";
  let position = 0;
  for (;;) {
    opening.lastIndex = position;
    const start = opening.exec(text);
    if (!start) break;
    closing.lastIndex = opening.lastIndex;
    if (!closing.exec(text)) break; // later ones are not closed either
    kept += `${text.slice(position, start.index)} `;
    position = closing.lastIndex;
  }
  return kept + text.slice(position);
}

/** Putting many marks of one letter in order takes the square of their number: drop what is too much. */
function cutMarks(run) {
  let marks = 0;
  return [...run].filter((each) => (marks = MARK.test(each) ? marks + 1 : 0) <= MOST_MARKS).join("");
}

/** Strip markup, resolve entities, compose; `resolve` knows what an entity stands for. */
export function clean(text, resolve) {
  let found = text;
  if (found.includes("<")) {
    for (const [opening, closing] of SPANS) found = cutSpans(found, opening, closing);
    found = found.replace(TAG, " ");
  }
  if (found.includes("&")) found = found.replace(ENTITY, resolve);
  if (found.normalize("NFC") === found) return found;
  return found.replace(LONG_RUN, cutMarks).normalize("NFC");
}

/** Make the function from an entity to its text; names without a semicolon count by their beginning. */
export function resolver({ entities, numbers }) {
  const names = new Map(Object.entries(entities));
  const odd = new Map(Object.entries(numbers));
  return (whole) => {
    const name = whole.slice(1);
    if (name[0] === "#") {
      const [digits, base] = /^#[xX]/.test(name) ? [name.slice(2), 16] : [name.slice(1), 10];
      const number = parseInt(digits, base);
      const isCharacter = number <= 0x10ffff && (number < 0xd800 || number > 0xdfff);
      return odd.get(String(number)) ?? (isCharacter ? String.fromCodePoint(number) : "\ufffd");
    }
    for (let length = name.length; length > 1; length -= 1) {
      const text = names.get(name.slice(0, length));
      if (text !== undefined) return text + name.slice(length);
    }
    return whole;
  };
}

/** Words and their numbers, as a classifier reads them. */
export class Words {
  #resolve; #ids; #dropped; #settings; #stemmed; #apostrophes; #alone; #starts;
  #known = new Map(); // characters to what stands for them among words

  constructor(codec) {
    this.#resolve = resolver(codec);
    this.#ids = new Map(codec.words.map((word, at) => [word, at + FIRST]));
    this.#dropped = new Set(codec.dropped);
    this.#settings = codec.text;
    this.#stemmed = codec.stemmed;
    this.#apostrophes = codec.apostrophes;
    this.#alone = codec.alone;
    this.#starts = codec.starts;
  }

  clean(text) {
    return clean(text, this.#resolve);
  }

  /** Return `{ ids, known, total, unknown }` of a text. */
  encode(text) {
    const ids = [];
    const unknown = new Set();
    const found = this.split(this.clean(text));
    const late = this.#late(found);
    for (const word of found) {
      const id = late.has(word) ? RARE : this.#lookUp(word);
      if (id) ids.push(id);
      if (id === RARE && unknown.size < MOST_UNKNOWN) unknown.add(word);
    }
    const known = ids.filter((id) => id !== RARE).length;
    return { ids: crop(ids, this.#settings), known, total: ids.length, unknown: [...unknown] };
  }

  #late(found) {
    if (found.length <= MOST_STEMMED || this.#settings.stem === "none") return new Set();
    const words = [...new Set(found)].slice(MOST_STEMMED);
    return new Set(words.filter((word) => !this.#dropped.has(word)));
  }

  /** Split clean text into lower-case words. */
  split(text) {
    const lower = text.toLowerCase();
    if (this.#settings.alphabet === "latin") return lower.split(/[^a-z0-9]+/).filter(Boolean);
    let found = "";
    for (const character of lower) found += this.#letter(character);
    return found.split(" ").map((word) => word.replace(/^'+|'+$/g, "")).filter(Boolean);
  }

  #letter(character) {
    let found = this.#known.get(character);
    if (found === undefined) {
      found = this.#stand(character);
      this.#known.set(character, found);
    }
    return found;
  }

  #stand(character) {
    const point = character.codePointAt(0);
    const within = ([low, high]) => low <= point && point <= high;
    if (this.#apostrophes.includes(character)) return "'";
    if (/\p{Cf}/u.test(character)) return ""; // invisible, inside words
    if (!/[\p{L}\p{M}\p{N}]/u.test(character)) return " ";
    if (this.#alone.some(within)) return ` ${character} `;
    return this.#starts.some(within) ? ` ${character}` : character;
  }

  #lookUp(word) {
    if (this.#dropped.has(word)) return 0;
    const [least, most] = this.#stemmed;
    const stems = this.#settings.stem === "porter" && word.length >= least;
    const length = stems ? [...word].length : 0;
    return this.#ids.get(stems && length >= least && length <= most ? stem(word) : word) ?? RARE;
  }
}

function crop(ids, { max_words: limit, crop: side }) {
  if (ids.length <= limit || side === "head") return ids.slice(0, limit);
  if (side === "tail") return ids.slice(-limit);
  const head = Math.floor(limit / 2);
  return [...ids.slice(0, head), ...ids.slice(ids.length - (limit - head))];
}
