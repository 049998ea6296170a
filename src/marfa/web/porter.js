// The Porter stemmer (M. F. Porter, "An algorithm for suffix stripping", Program 14, 1980), as
// Snowball's `porter` reads it. What the paper counts as measure is here a place: a suffix that begins
// at `one` or later has m > 0 before it, and m > 1 at `two` or later. A word is a list of characters.

const VOWELS = new Set("aeiouy"); // a y that is a consonant is written Y while a word is worked on
const DOUBLES = new Set(["bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"]);

const SECOND = table(`ational ate tional tion enci ence anci ance abli able entli ent eli e izer ize
  ization ize ation ate ator ate alism al aliti al alli al fulness ful ousli ous ousness ous
  iveness ive iviti ive biliti ble`);
const THIRD = table("icate ic iciti ic ical ic alize al ative - ful - ness -");
const FOURTH = table(`al - ance - ence - er - ic - able - ible - ant - ement - ment - ent - ion - ou -
  ism - ate - iti - ous - ive - ize -`);

/** Pairs of suffix and replacement, the longest suffix first: the longest that fits decides. */
function table(text) {
  const words = text.split(/\s+/);
  const pairs = words.flatMap((word, at) => (at % 2 ? [] : [[word, words[at + 1].replace("-", "")]]));
  return pairs.sort(([a], [b]) => b.length - a.length);
}

/** Return the stem of a word in lower case. */
export function stem(word) {
  const w = [...word];
  w.forEach((letter, at) => {
    if (letter === "y" && (at === 0 || VOWELS.has(w[at - 1]))) w[at] = "Y";
  });
  const one = region(w, 0);
  const two = region(w, one);
  plurals(w);
  past(w, one);
  if (/[yY]/.test(w.at(-1)) && hasVowel(w, w.length - 1)) w[w.length - 1] = "i";
  replace(w, SECOND, one);
  replace(w, THIRD, one);
  replace(w, FOURTH, two, (suffix, before) => suffix !== "ion" || before === "s" || before === "t");
  let last = w.length - 1;
  if (w[last] === "e" && (last >= two || (last >= one && !isShort(w, last)))) {
    w.pop();
    last -= 1;
  }
  if (w[last] === "l" && w[last - 1] === "l" && last >= two) w.pop();
  return w.join("").replaceAll("Y", "y");
}

/** The place after the first consonant that follows a vowel, from a place on; the end without one. */
function region(w, from) {
  for (let at = from + 1; at < w.length; at += 1) {
    if (!VOWELS.has(w[at]) && hasVowel(w, at, from)) return at + 1;
  }
  return w.length;
}

function hasVowel(w, end, from = 0) {
  for (let at = from; at < end; at += 1) if (VOWELS.has(w[at])) return true;
  return false;
}

/** Whether a word ends in consonant, vowel, consonant before a place, the last none of w, x, Y. */
function isShort(w, end) {
  const [a, b, c] = [w[end - 3], w[end - 2], w[end - 1]];
  return a !== undefined && !VOWELS.has(a) && VOWELS.has(b) && !VOWELS.has(c) && !/[wxY]/.test(c);
}

function endsIn(w, suffix) {
  const start = w.length - suffix.length;
  for (let at = 0; at < suffix.length; at += 1) if (w[start + at] !== suffix[at]) return false;
  return start >= 0;
}

const cut = (w, count, ...added) => w.splice(w.length - count, count, ...added);

function plurals(w) {
  if (endsIn(w, "sses") || endsIn(w, "ies")) cut(w, 2);
  else if (endsIn(w, "s") && !endsIn(w, "ss")) cut(w, 1);
}

function past(w, one) {
  if (endsIn(w, "eed")) {
    if (w.length - 3 >= one) cut(w, 1);
    return;
  }
  const suffix = ["ed", "ing"].find((each) => endsIn(w, each));
  if (!suffix || !hasVowel(w, w.length - suffix.length)) return;
  cut(w, suffix.length);
  const end = w.slice(-2).join("");
  if (["at", "bl", "iz"].includes(end)) w.push("e");
  else if (DOUBLES.has(end)) w.pop();
  else if (w.length === one && isShort(w, one)) w.push("e");
}

/** Replace the longest suffix that fits, if it stands in the region and may be replaced. */
function replace(w, pairs, region, allowed = () => true) {
  const found = pairs.find(([suffix]) => endsIn(w, suffix));
  if (!found) return;
  const [suffix, other] = found;
  const start = w.length - suffix.length;
  if (start >= region && allowed(suffix, w[start - 1])) cut(w, suffix.length, ...other);
}
