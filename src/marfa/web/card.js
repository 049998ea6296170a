// The model's card, and the line at the foot of the page: what the server tells of its model, or what
// was kept of that.

import { isRecord, isText, make, tell } from "./exchange.js";
import { say } from "./words.js";

/**
 * What the server tells of its model, or null; a page works without. `by`: who has answered, where that was
 * another model than is known: the server's is asked for past what the browser keeps, which is this device's.
 */
export async function askModel(by) {
  const cache = by === "server" ? "no-store" : "default";
  try {
    const response = await fetch("v1/model", { headers: { Accept: "application/json" }, cache });
    const model = response.ok ? await response.json() : null;
    return isRecord(model) ? model : null;
  } catch {
    return null; // asking the model itself is still worth trying
  }
}

/**
 * Show what is known of a model; null: nothing. `score`: how good it is, as a sentence in pieces;
 * `figures`: that and what else its task has to say, as rows of the card.
 */
export function drawCard(model, score, figures) {
  const about = document.getElementById("about");
  const rows = document.getElementById("facts-of-model");
  if (model === null) {
    about.textContent = say("untold");
    rows.replaceChildren(make("dd", { textContent: say("untold") }));
    return;
  }
  const name = isText(model.name) ? model.name : say("nameless");
  const id = () => (isText(model.model) ? make("code", { textContent: model.model }) : "");
  about.replaceChildren(...tell("about", { name, id: id() }), ...(score.length ? [" ", ...score] : []));
  rows.replaceChildren(...[
    ["cardModel", [make("bdi", { textContent: name }), " ", id()]],
    ...(isText(model.engine) ? [["cardEngine", [make("bdi", { textContent: model.engine })]]] : []),
    ...figures,
  ].flatMap(([key, said]) => [make("dt", { textContent: say(key) }), make("dd", {}, ...said)]));
}
