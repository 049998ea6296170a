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
// with all that may become one with it: marks, the later letters of Hangul's syllables, a vowel of Kirat Rai
const LETTER = /[^][\p{M}\u1160-\u11ff\u{16d67}]*/gu;

/** A text on its way, and of each of its units the piece of the text as sent that it stands for. */
class Traced {
  constructor(text) {
    this.text = text;
    this.starts = []; // in code points
    let point = 0;
    for (const character of text) {
      for (let unit = 0; unit < character.length; unit += 1) this.starts.push(point);
      point += 1;
    }
    this.ends = this.starts.map((start) => start + 1);
  }

  /** Put something else in the place of stretches, `[from, to, made]` in their order. */
  change(edits) {
    if (!edits.length) return;
    const { text, starts, ends } = this;
    Object.assign(this, { text: "", starts: [], ends: [] });
    let position = 0;
    for (const [from, to, made] of [...edits, [text.length, text.length, ""]]) {
      this.text += text.slice(position, from) + made;
      for (; position < from; position += 1) this.#push(starts[position], ends[position]);
      for (let unit = 0; unit < made.length; unit += 1) this.#push(starts[from], ends[to - 1]);
      position = to;
    }
  }

  #push(start, end) {
    this.starts.push(start);
    this.ends.push(end);
  }

  replace(pattern, make) {
    this.change(Array.from(this.text.matchAll(pattern), ({ 0: sent, index }) => [index, index + sent.length, make(sent)]));
  }
}

/** Where each stretch stands that is closed; it becomes a space, and what is never closed stays. */
function hidden(text, opening, closing) {
  const found = [];
  for (closing.lastIndex = 0; ;) {
    opening.lastIndex = closing.lastIndex;
    const start = opening.exec(text);
    if (!start) return found;
    closing.lastIndex = opening.lastIndex;
    if (!closing.exec(text)) return found; // later ones are not closed either
    found.push([start.index, closing.lastIndex, " "]);
  }
}

/** What stands for an entity; of `&notit` the last two letters stand for themselves. */
function resolved({ 0: sent, index }, resolve) {
  const made = resolve(sent);
  let kept = 0;
  if (sent[1] !== "#") while (kept < made.length && sent.at(-1 - kept) === made.at(-1 - kept)) kept += 1;
  return [index, index + sent.length - kept, made.slice(0, made.length - kept)];
}

/** Putting many marks of one letter in order takes the square of their number: find what is too much. */
function tooMany({ 0: run, index }) {
  const found = [];
  let marks = 0;
  for (const character of run) {
    marks = MARK.test(character) ? marks + 1 : 0;
    if (marks > MOST_MARKS) found.push([index, index + character.length, ""]);
    index += character.length;
  }
  return found;
}

/** Of letters and marks that change, each stands where it stood, and the last for the rest. */
function composed({ 0: sent, index }) {
  const made = sent.normalize();
  if (made === sent) return [];
  const [old, fresh] = [[...sent], [...made]];
  const last = Math.min(old.length, fresh.length) - 1;
  const end = index + sent.length;
  const edits = fresh.slice(0, last).map((each, at) => [index, index += old[at].length, each]);
  return [...edits, [index, end, fresh.slice(last).join("")]];
}

function cleaned(text, resolve) {
  const found = new Traced(text);
  if (text.includes("<")) {
    for (const [opening, closing] of SPANS) found.change(hidden(found.text, opening, closing));
    found.replace(TAG, () => " ");
  }
  if (found.text.includes("&")) found.change(Array.from(found.text.matchAll(ENTITY), (each) => resolved(each, resolve)));
  if (found.text.normalize() === found.text) return found;
  found.change([...found.text.matchAll(LONG_RUN)].flatMap(tooMany));
  found.change([...found.text.matchAll(LETTER)].flatMap(composed));
  return found;
}

/** Strip markup, resolve entities, compose; `resolve` knows what an entity stands for. */
export const clean = (text, resolve) => cleaned(text, resolve).text;

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

  /** Return `{ ids, known, total, unknown }` of a text, and where the words stand in it, `places`. */
  encode(text) {
    const read = [];
    const unknown = new Set();
    const found = this.#split(text);
    const late = this.#late(found);
    for (const [word, ...place] of found) {
      const id = late.has(word) ? RARE : this.#lookUp(word);
      if (id) read.push([id, place]);
      if (id === RARE && unknown.size < MOST_UNKNOWN) unknown.add(word);
    }
    const known = read.filter(([id]) => id !== RARE).length;
    const kept = crop(read, this.#settings);
    const [ids, places] = [0, 1].map((at) => kept.map((each) => each[at]));
    return { ids, places, known, total: read.length, unknown: [...unknown] };
  }

  #late(found) {
    if (found.length <= MOST_STEMMED || this.#settings.stem === "none") return new Set();
    const words = [...new Set(found.map(([word]) => word))].slice(MOST_STEMMED);
    return new Set(words.filter((word) => !this.#dropped.has(word)));
  }

  /** Split a text into lower-case words, `[word, start, end]`. */
  #split(text) {
    const found = cleaned(text, this.#resolve);
    const lower = found.text.toLowerCase();
    found.replace(/\u0130/g, (each) => each.toLowerCase()); // the one letter that becomes two
    found.text = lower;
    let pattern = /[a-z0-9]+/g;
    if (this.#settings.alphabet !== "latin") {
      pattern = /[^ ']+(?:'+[^ ']+)*/g;
      found.change(this.#written(lower));
    }
    return Array.from(found.text.matchAll(pattern), ({ 0: word, index }) =>
      [word, found.starts[index], found.ends[index + word.length - 1]]);
  }

  #written(lower) {
    const edits = [];
    let at = 0;
    for (const character of lower) {
      const made = this.#letter(character);
      if (made !== character) edits.push([at, at + character.length, made]);
      at += character.length;
    }
    return edits;
  }

  #letter(character) {
    let found = this.#known.get(character);
    if (found === undefined) this.#known.set(character, found = this.#stand(character));
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
