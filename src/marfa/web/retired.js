// The service worker where the page has no model of its own. A version that had one is kept by the browsers
// that have been here, and would answer for ever if its address led nowhere: this one takes its place,
// deletes what it kept, and leaves.

const OWN = `marfa-${new URL(registration.scope).pathname} `; // as in sw.js

async function leave() {
  const names = (await caches.keys()).filter((name) => name.startsWith(OWN));
  await Promise.all(names.map((name) => caches.delete(name)));
  await registration.unregister();
}

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(leave()));
