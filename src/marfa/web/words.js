// What a person reads, in their language, with numbers as it writes them. English stands here and in the
// pages; each other language is a file, which is fetched where it is wanted.

const ENGLISH = {
  nonsense: "The reply made no sense",
  nonsenseMore: "So it is not shown, rather than guessed at.",
  long: "This text is too long",
  longMore: "The server reads at most {n} bytes.",
  busy: "The server is busy",
  failed: "The server failed",
  refused: "The server did not accept this",
  none: "No answer for this text",
  unwritable: "This cannot be written",
  said: "The server says: “{said}”.",
  ownSaid: "This device says: “{said}”.",
  status: "It answered with status {status}.",
  wait: "Try again in {n} s.",
  timeout: "This took too long",
  timeoutMore: "There was no answer within {n} seconds.",
  lost: "The server did not answer",
  lostMore: "It may have stopped, or the connection was lost.",
  offline: "You are offline",
  offlineMore: "Your text is still here. Try again when you are connected.",
  unable: "This device cannot answer",
  unableMore: "Its own model could not be used ({why}).",
  again: "Try again",
  wasSlow: "the server was slow",
  wasBusy: "the server was busy",
  hasFailed: "the server failed",
  wasLost: "the server did not answer",
  wasNonsense: "the server’s answer made no sense",
  untold: "The server tells nothing about its model.",
  nameless: "without a name",
  about: "Model {name} {id}.",
  over: "> {share}",
  under: "< {share}",
  cardModel: "Name",
  cardLabels: "Tells apart",
  cardEngine: "Computed by",
  cardData: "Trained on",
  cardMade: "Made on",
  cardScore: "How good",
  cardBaseline: "To compare",
  cardRefuses: "Refuses",
  lease: "The server’s lease ends in {left}.",
  leaseOver: "The server’s lease has ended: it goes within minutes.",
  past: "Use this text again: {text}",
  forget: "Delete this text: {text}",
  noPast: "Nothing is kept yet.",
  unkeepable: "This browser does not let the page keep anything: texts stay until it is closed.",
};

const LANGUAGES = ["en", "fr", "ar"];
const KEY = "marfa.language";
const ATTRIBUTES = { say: "textContent", sayLabel: "ariaLabel", sayHint: "placeholder" };

const LOCALES = { ar: "ar-u-nu-latn" }; // the digits that fields of numbers have, too

let words = ENGLISH;
let language = "en";
let locale = "en"; // of numbers and lists
let english = ENGLISH;

/** What a browser keeps for this page, where it lets it: without, all is as on the first visit. */
export const store = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  /** True where it is kept. */
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  },
};

/** A number as the language writes it; `digits`: after the point. */
export const count = (number, digits = 0) => number.toLocaleString(
  locale, { minimumFractionDigits: digits, maximumFractionDigits: digits || 3 });

/** A sentence in pieces, its `{names}` replaced by values: numbers as they are written, nodes as they are. */
export function pieces(key, values = {}) {
  const found = words[key] ?? english[key];
  const text = found.other ? found[new Intl.PluralRules(locale).select(values.n)] ?? found.other : found;
  return text.split(/\{(\w+)\}/).flatMap((piece, at) => {
    const value = at % 2 ? values[piece] : piece;
    return typeof value === "number" ? count(value) : value;
  });
}

export const say = (key, values) => pieces(key, values).join("");

/** Items and what stands between them, as a language lists them. */
export const listed = (items, type = "unit") =>
  new Intl.ListFormat(locale, { type, style: type === "unit" ? "short" : "long" }).formatToParts(items);

/** A time in whole minutes, as a language says it. */
export function lasting(minutes) {
  const parts = [[Math.floor(minutes / 60), "hour"], [minutes % 60, "minute"]].flatMap(([number, unit]) => (
    number ? [number.toLocaleString(locale, { style: "unit", unit, unitDisplay: "long" })] : []));
  return listed(parts).map(({ value }) => value).join("");
}

/** The name of a script, of its code in ISO 15924. */
export const script = (code) => new Intl.DisplayNames(locale, { type: "script" }).of(code);

/** A share in a hundred; `signed`: of a change. */
export function percent(share, signed = false) {
  return share.toLocaleString(locale, {
    style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: signed ? "exceptZero" : "auto",
  });
}

/** A probability, which never claims certainty. */
export function likely(share) {
  if (share > 0.999) return say("over", { share: percent(0.999) });
  return share < 0.001 ? say("under", { share: percent(0.001) }) : percent(share);
}

/** Go through all that the page itself says: `[element, property, key]`. */
function* said() {
  for (const [name, property] of Object.entries(ATTRIBUTES)) {
    const attribute = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const element of document.querySelectorAll(`[data-${attribute}]`)) yield [element, property, element.dataset[name]];
  }
}

function translate() {
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  for (const [element, property, key] of said()) element[property] = words[key] ?? english[key];
}

async function change(to, redraw, isWanted) {
  if (to === language) return;
  const response = to === "en" ? null : await fetch(`${to}.json`);
  if (response && !response.ok) return;
  const found = response ? await response.json() : english;
  if (!isWanted()) return;
  words = found;
  language = to;
  locale = LOCALES[to] ?? to;
  translate();
  redraw();
}

/**
 * Speak the language of the person, and another when they choose so; `own`: the page's English;
 * `redraw`: writes again what the page has written.
 */
export function speak(own, redraw) {
  words = english = { ...ENGLISH, ...own };
  for (const [element, property, key] of said()) english[key] = element[property]; // the page is in English
  const choice = document.getElementById("language");
  const wanted = [store.get(KEY), ...navigator.languages.map((each) => each.split("-")[0])];
  const first = wanted.find((each) => LANGUAGES.includes(each)) ?? "en";
  let turns = 0;
  const turn = async (to) => {
    const mine = (turns += 1);
    const isWanted = () => mine === turns; // another may be chosen before this one is there
    await change(to, redraw, isWanted).catch(() => {}); // it stays as it is
    if (isWanted()) choice.value = language;
  };
  choice.addEventListener("change", () => {
    store.set(KEY, choice.value);
    turn(choice.value);
  });
  turn(first);
  for (const element of document.querySelectorAll("[disabled]")) element.disabled = false; // now it is heard
}
