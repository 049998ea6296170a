"""The page's own engine in a real Chromium: bytes, an answer, characters a second, a visit offline.

    python benchmarks/page.py JUDGE.tar.gz WRITER.tar.gz

JUDGE and WRITER are packaged models, of the default presets for the figures in docs/log.md. Needs
playwright and Chromium, as `make test-browser` does.
"""

import gzip
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from machine import describe
from playwright.sync_api import sync_playwright

from marfa import bundle
from marfa.stages.site import site

WORDS = 200
ANSWERS = """async ([name, texts]) => {
  const base = document.baseURI;
  const { read } = await import(`${base}model.js`);
  const began = performance.now();
  const model = await read(await (await fetch(name)).arrayBuffer());
  const loading = performance.now() - began;
  const times = texts.map((text) => {
    const since = performance.now();
    model.answer(text);
    return performance.now() - since;
  });
  return { loading, first: times[0], times: times.slice(20) };
}"""
WRITES = """async ([name, length]) => {
  const base = document.baseURI;
  const { read } = await import(`${base}model.js`);
  const model = await read(await (await fetch(name)).arrayBuffer());
  const speeds = [];
  for (let seed = 0; seed < 5; seed += 1) {
    const task = model.plan({ prompt: "My ", length, temperature: 0.8, top_k: 0, top_p: 1, seed });
    const since = performance.now();
    let count = 0;
    for (const character of model.write(task)) count += character.length;
    speeds.push(count / ((performance.now() - since) / 1000));
  }
  return speeds;
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # noqa: A002 - the name is inherited
        pass


def texts_of(model, folder, count=200):
    """Texts of two hundred words; of validation where the model's run is still there."""
    prepared = Path(model).parent / "dataset" / "validation.texts.jsonl"
    if prepared.is_file():
        rows = [json.loads(line)["text"].split() for line in prepared.open(encoding="utf-8")]
        return [" ".join(row[:WORDS]) for row in rows if len(row) >= WORDS][:count]
    words = bundle.load(Path(model)).json("codec.json")["vocabulary"]
    return [
        " ".join(words[(7 * n + 13 * at) % 3000 % len(words)] for at in range(WORDS))
        for n in range(count)
    ]


def visit(page, address):
    """Return the seconds from a second visit's beginning to its first answer, with no network."""
    page.goto(address)
    page.evaluate("() => navigator.serviceWorker.ready")
    page.wait_for_timeout(500)
    page.goto("about:blank")
    page.context.set_offline(True)
    began = time.perf_counter()
    page.goto(address)
    page.fill("#text", "A film I would gladly see again.")
    page.click("#send")
    page.locator("#credit").wait_for()
    seconds = time.perf_counter() - began
    page.context.set_offline(False)
    return seconds


def main():
    judge, writer = sys.argv[1:]
    print(describe())
    launch = {
        "executable_path": os.environ.get("CHROMIUM") or shutil.which("chromium"),
        "args": ["--no-sandbox", "--disable-gpu"],
    }
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        models = {}
        for kind, path in (("judge", judge), ("writer", writer)):
            made = site(path, folder / kind)
            models[kind] = next(file for file in made["files"] if file.endswith(".bin"))
            packed = {
                file: len(gzip.compress((folder / kind / file).read_bytes(), 9))
                for file in made["files"]
                if not file.endswith(".bin")
            }
            print(
                f"{kind}: page and engine {sum(packed.values()):,} bytes packed, "
                f"model {made['files'][models[kind]]:,}"
            )
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=name))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        browser = playwright.chromium.launch(**launch)
        print(f"Chromium {browser.version}")
        page = browser.new_page()
        page.goto(f"{base}/judge/")
        found = page.evaluate(ANSWERS, [models["judge"], texts_of(judge, folder)])
        times = sorted(found["times"])
        late = times[int(len(times) * 0.95)]
        print(
            f"model read in {found['loading']:.0f} ms; {WORDS} words: first {found['first']:.1f} ms,"
        )
        print(f"then median {statistics.median(times):.1f}, best {times[0]:.1f}, 95 % {late:.1f}")
        page.goto(f"{base}/writer/")
        speeds = page.evaluate(WRITES, [models["writer"], 1500])
        print("characters a second:", ", ".join(f"{speed:.0f}" for speed in speeds))
        context = browser.new_context()
        seconds = [visit(context.new_page(), f"{base}/judge/") for _ in range(5)]
        print(
            "second visit offline to its first answer, s:",
            ", ".join(f"{each:.2f}" for each in seconds),
        )
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
