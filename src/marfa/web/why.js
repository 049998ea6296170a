// Why a label: the words that speak for it and against it, told apart by the line below them, its weight
// and a sign, and listed besides; never by colour alone.

import { isCount, isRecord, make, tell, tellList } from "./exchange.js";
import { percent, say } from "./words.js";

const LEAST = 0.005; // of a weight that counts
const DEGREES = 3;
const MOST_LISTED = 5;

/** True where an explanation is of this label and text, given as code points. */
export function isExplanation(explanation, label, points) {
  if (!isRecord(explanation) || explanation.label !== label || !Array.isArray(explanation.words)) return false;
  let from = 0;
  return explanation.words.every((word) => {
    if (!isRecord(word)) return false;
    const { text, start, end, weight } = word;
    const isNext = isCount(start) && isCount(end) && start >= from && end > start;
    from = start;
    return isNext && Math.abs(weight) <= 1 && typeof weight === "number" && points.slice(start, end).join("") === text;
  });
}

const side = (weight) => (weight > 0 ? "for" : "against");
const marked = (text, weight, degree) =>
  make("span", { className: `${side(weight)} of${degree}`, textContent: text });

/** The text again, with its marks, what they mean, and the strongest words; `name`: of the label. */
export function why({ words }, points, limit, name) {
  const most = words.reduce((high, { weight }) => Math.max(high, Math.abs(weight)), LEAST);
  const quote = make("blockquote", { dir: "auto" });
  let at = 0;
  for (const { text, start, end, weight } of words) {
    const size = Math.abs(weight);
    if (size < LEAST || start < at || end > limit) continue;
    quote.append(points.slice(at, start).join(""), marked(text, weight, Math.ceil((DEGREES * size) / most)));
    at = end;
  }
  quote.append(points.slice(at, limit).join(""), points.length > limit ? "…" : "");
  return make("figure", {}, quote, legend(words, name));
}

function legend(words, name) {
  const strongest = (sign) => words.filter(({ weight }) => sign * weight >= LEAST)
    .sort((a, b) => sign * (b.weight - a.weight)).slice(0, MOST_LISTED)
    .map(({ text, weight }) => `${text} ${percent(weight, true)}`);
  const found = [["whyFor", 1], ["whyAgainst", -1]].map(([key, sign]) => {
    const listed = strongest(sign);
    const sample = marked(say(`${key}Line`), sign, 2);
    const said = tell(key, { label: name });
    return make("p", {}, sample, " ", ...said, ...(listed.length ? tellList(listed) : tell("whyNone")));
  });
  return make("figcaption", {}, ...found, make("p", {}, ...tell("whyNote")));
}
