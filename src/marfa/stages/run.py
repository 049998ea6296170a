"""run: every stage in order; the one stage that is made of the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from marfa.console import Silence, Talk
from marfa.container.client import Client
from marfa.errors import SettingsError
from marfa.recipes import Settings
from marfa.stages import serve as serving
from marfa.stages.evaluate import evaluate
from marfa.stages.fetch import fetch
from marfa.stages.package import package
from marfa.stages.prepare import prepare
from marfa.stages.train import train

_STAGES: dict[str, Callable[[Settings, Talk], dict[str, Any]]] = {
    "fetch": fetch,
    "prepare": prepare,
    "train": train,
    "evaluate": evaluate,
    "package": package,
}
_TRIES = (
    "A wonderful film: warm, funny and beautifully acted.",
    "Dull, badly made, a waste of time.",
)


def run(
    settings: Settings,
    talk: Talk | None = None,
    *,
    until: str = "serve",
    serve: bool = True,
) -> dict[str, Any]:
    """Run all stages, each skipped where nothing has changed.

    Args:
        settings: of all stages.
        talk: whom to tell; nobody if not given.
        until: the last stage to run, "serve" for all.
        serve: start the server at the end, ask it a few things over HTTP, and stop it.

    Returns:
        What each stage returned, and what the server answered.

    Raises:
        SettingsError: if `until` is no stage.
        MarfaError: whatever a stage raises.
    """
    talk = talk or Silence()
    if until not in {*_STAGES, "serve"}:
        message = f"{until!r} is no stage; expected one of {', '.join([*_STAGES, 'serve'])}"
        raise SettingsError(message, where="until")
    done: dict[str, Any] = {}
    for name, stage in _STAGES.items():
        began = time.monotonic()
        done[name] = stage(settings, talk)
        talk.say(f"{name}: {time.monotonic() - began:.1f} s")
        if name == until:
            return {"stages": done}
    if not serve:
        return {"stages": done}
    model = done["package"]["file"]
    with serving.Running(model, replace(settings.serve, port=0)) as running:
        talk.say(f"serving at {running.url} for a moment, to check it")
        return {"stages": done, "checks": _check(running.url, settings)}


def _check(url: str, settings: Settings) -> list[dict[str, Any]]:
    """Ask the server what a visitor would, over HTTP."""
    client = Client(url)
    found = []
    for path in ("ping", ""):
        status, body = client.get(path)
        found.append({"asked": f"GET /{path}", "status": status, "answer": f"{len(body)} bytes"})
    if settings.task == "generator":
        length = min(120, settings.serve.max_length)
        made = client.generate("", length=length)["text"]
        found.append({"asked": f"a text of {length} characters", "status": 200, "answer": made})
        return found
    for text, judged in zip(_TRIES, client.judge(_TRIES), strict=True):
        said = f"{judged['label']} {judged['score']:.4f}" if judged["label"] else judged["reason"]
        found.append({"asked": text, "status": 200, "answer": said})
    return found
