// Who answers: the server, and when that is slow, failing or gone, this device as well. Whoever is first
// does, and only one. A person's own mistakes are no reason to ask anybody else.

import { PATIENCE_MS, explain as failureOf, reason } from "./exchange.js";

/**
 * Ask about a text: `{ reply, by, why }`, or throw the failure that a person should see.
 *
 * `server` asks the server, within `seconds`, while this device takes the time that it takes;
 * `slow` is called when this device is asked too; `explain`: it is also asked why.
 */
export async function ask({ text, explain, server, device, seconds, signal, slow }) {
  signal.throwIfAborted();
  if (!device) return { reply: await server(signal), by: "server" };
  const rest = new AbortController(); // ends whoever is still at it once there is an answer
  const stop = () => rest.abort(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    if (device.alone) return { reply: await device.judge(text, rest.signal, explain), by: "device", why: "" };
    return await race({ text, explain, server, device, seconds, signal: rest.signal, slow });
  } finally {
    signal.removeEventListener("abort", stop);
    rest.abort();
  }
}

async function race({ text, explain, server, device, seconds, signal, slow }) {
  const served = server(signal).then(
    (reply) => ({ reply, by: "server" }),
    (problem) => ({ failure: failureOf(problem, seconds) }),
  );
  const early = await Promise.race([served, pause(PATIENCE_MS)]);
  if (early && !may(early)) return settled(early);
  signal.throwIfAborted();
  const why = reason(early?.failure ?? null);
  slow(why);
  const own = device.judge(text, signal, explain).then(
    (reply) => ({ reply, by: "device", why }),
    (failure) => ({ failure }),
  );
  const certain = [served, own].map((each) => each.then((found) => (may(found) ? Promise.reject() : found)));
  try {
    return settled(await Promise.any(certain));
  } catch (problem) {
    if (problem instanceof AggregateError) return settled(await served); // neither: what the server met
    throw problem;
  }
}

/** Whether somebody else may do better. */
const may = ({ failure }) => Boolean(failure?.again || failure?.gone);

function settled(found) {
  if (found.failure) throw found.failure;
  return found;
}

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds, null); });
