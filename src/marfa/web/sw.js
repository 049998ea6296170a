// The service worker: keeps one version of the page whole, so that it opens without a network. What is
// served begins with `VERSION`, `HASHES` (of each file of this version by its address, the first half of its SHA-256) and
// `MODEL` (the model's file, whose name says what is in it).
//
// A version is installed only when every file of it is there and is what it should be, beside the one
// that answers; it takes over when no page of the other is open. So no two versions are ever mixed.

const OWN = `marfa-${new URL(registration.scope).pathname} `; // other pages of the same host keep their own
const NAME = OWN + VERSION;
const here = (path) => new URL(path, registration.scope).href;
const FILES = new Map([...Object.keys(HASHES), MODEL].map((path) => [here(path), path]));

const TRIES = 8; // to be let in where the server asks to come back later
const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, 1000 * seconds); });

async function had(path) {
  for (let tries = 1; ; tries += 1) {
    // The model's name changes with it, so a copy of it is as good; of the others the network's is wanted.
    const response = await fetch(here(path), { cache: path === MODEL ? "default" : "reload" });
    if (tries === TRIES || ![429, 503].includes(response.status)) return response;
    await pause(tries);
  }
}

async function fetched(path) {
  const response = await had(path);
  if (!response.ok) throw new TypeError(`${path}: status ${response.status}`);
  if (path === MODEL) return response;
  const digest = await crypto.subtle.digest("SHA-256", await response.clone().arrayBuffer());
  const hex = Array.from(new Uint8Array(digest, 0, 16), (each) => each.toString(16).padStart(2, "0")).join("");
  if (hex !== HASHES[path]) throw new TypeError(`${path} is of another version`);
  return response;
}

async function install() {
  const responses = new Map(); // all, or there is no new version yet
  // One after the other: what a person asks meanwhile comes before, on the line and at the throttle.
  for (const path of FILES.values()) responses.set(path, await fetched(path));
  const cache = await caches.open(NAME);
  await Promise.all([...responses].map(([path, response]) => cache.put(here(path), response)));
}

async function tidy() {
  const names = (await caches.keys()).filter((name) => name.startsWith(OWN) && name !== NAME);
  await Promise.all(names.map((name) => caches.delete(name)));
  await clients.claim();
}

// A page without a word: it lets the new version take over, and is loaded again when that has happened. Loaded
// sooner, it might be asked of this worker while it is being stopped, which Chromium never answers.
const LEAVING = `<!doctype html><script>
const workers = navigator.serviceWorker, again = () => location.reload();
workers.addEventListener("controllerchange", again);
workers.getRegistration().then((kept) => kept?.waiting?.postMessage("take over"));
setTimeout(again, 5000);
</script>`;
const AS_PAGE = { "Content-Type": "text/html", "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'" };

async function answer(request, address) {
  const { length } = await clients.matchAll({ type: "window" });
  // A page that is loaded again is among those that are open, a new one is not yet.
  const isAlone = length < (request.isReloadNavigation ? 2 : 1);
  // Where nobody else has the old version open:
  if (request.mode === "navigate" && registration.waiting && isAlone) return new Response(LEAVING, { headers: AS_PAGE });
  const cache = await caches.open(NAME);
  return (await cache.match(address)) ?? fetch(request);
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(tidy()));
addEventListener("message", ({ data }) => {
  if (data === "take over") skipWaiting();
});
addEventListener("fetch", (event) => {
  const { request } = event;
  const address = request.url.split(/[?#]/)[0].replace(/\/index\.html$/, "/");
  // What is asked for past all caches is what the server says now.
  if (request.method === "GET" && request.cache !== "no-store" && FILES.has(address)) event.respondWith(answer(request, address));
});
