// How long the server's lease runs. The server tells it in seconds, since the clock here may be wrong.

import { lasting, say } from "./words.js";

const line = document.getElementById("lease");
// On a clock that nobody can set; no number where there is no lease, or nobody who tells.
let end;
let timer;

/** Show what is left, and again when that changes. */
export function drawLease() {
  const left = (end - performance.now()) / 60_000;
  line.textContent = left > 0 ? say("lease", { left: lasting(Math.ceil(left)) }) : left <= 0 ? say("leaseOver") : "";
  clearTimeout(timer);
  if (line.textContent) timer = setTimeout(left > 1 ? drawLease : watchLease, left > 0 ? left % 1 * 60_000 : 60_000);
}

/** Ask, and show it from now on. A renewal is seen when a person comes back to the page, or at the end. */
export async function watchLease() {
  for (const each of ["visibilitychange", "online", "offline"]) addEventListener(each, watchLease);
  const { headers } = await fetch("healthz", { cache: "no-store" }).catch(() => new Response());
  end = performance.now() + 1000 * parseInt(headers.get("Marfa-Lease-Seconds"));
  drawLease();
}
