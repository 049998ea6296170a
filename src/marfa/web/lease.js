// How long the server's lease runs. The server tells it in seconds, since the clock here may be wrong.

import { lasting, say } from "./words.js";

const line = document.getElementById("lease");
// On a clock that nobody can set; no number where there is no lease, or nobody who tells.
let end;
let timer;

/** Show what is left, and again when that changes. */
export function drawLease() {
  clearTimeout(timer);
  const left = (end - performance.now()) / 60_000;
  line.textContent = "";
  if (isNaN(left)) return;
  line.textContent = say(left > 0 ? "lease" : "leaseOver", { left: lasting(Math.ceil(left)) });
  timer = setTimeout(left > 1 ? drawLease : ask, 60_000 * ((left > 0 && left % 1) || 1));
}

async function ask() {
  if (document.hidden) return;
  const { headers } = await fetch("healthz", { cache: "no-store" }).catch(() => new Response());
  end = performance.now() + 1000 * parseFloat(headers.get("Marfa-Lease-Seconds"));
  drawLease();
}

/** Show it from now on. A renewal is seen when a person comes back to the page, or at the end. */
export function watchLease() {
  for (const each of ["visibilitychange", "online", "offline"]) addEventListener(each, ask);
  ask();
}
