"""generate: a text as it is made, in the shell or from Python, here or on a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from marfa import loading
from marfa.container.client import Client
from marfa.engines.sampling import Sampling
from marfa.settings import CloudSettings, DrawSettings, ServeSettings
from marfa.writer import Task, new_seed


def generate(
    model: str | Path,
    prompt: str = "",
    *,
    length: int = DrawSettings.length,
    temperature: float = DrawSettings.temperature,
    top_k: int = DrawSettings.top_k,
    top_p: float = DrawSettings.top_p,
    seed: int | None = None,
    engine: str = ServeSettings.engine,
    against: str = "",
    cloud: CloudSettings | None = None,
) -> tuple[Task, Iterator[str]]:
    """Write a text with a packaged model, or ask a server to.

    Args:
        model: a model.tar.gz or a bundle folder; not looked at where a server is asked.
        prompt: how the text begins; empty for one that begins as a line does.
        length: characters in all, the prompt included, at least 1.
        temperature: 0 for always the likeliest character, 1 for the model's own shares, 10 at most.
        top_k: draw from so many of the likeliest only; 0 for all.
        top_p: draw from the likeliest that together have this share only, above 0, 1 for all.
        seed: the same seed gives the same text; a new one each time if not given.
        engine: "auto", "numpy", "onnx" or "int8".
        against: the URL of a running server, or the name of a deployment, to ask instead.
        cloud: region and profile, for a deployment.

    Returns:
        What is being written, its seed included, and its text piece by piece, the prompt first.

    Raises:
        BundleError: if the model is incomplete or altered, or writes no text.
        RequestError: if an option is outside its limits, or the prompt cannot be continued.
        NetworkError: if the server does not answer.
        GoneError: if there is no such deployment.
    """
    chosen = new_seed() if seed is None else seed
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, seed=chosen)
    if against:
        return _ask(against, cloud or CloudSettings(), prompt, length, sampling)
    loaded = loading.writer(model, engine)
    task = loaded.plan(prompt, length, sampling)
    return task, loaded.text(task)


def _ask(
    against: str, cloud: CloudSettings, prompt: str, length: int, sampling: Sampling
) -> tuple[Task, Iterator[str]]:
    """Have a server write all of a text; a function in the cloud cannot send it piece by piece."""
    from marfa.aws.address import address

    client = Client(address(against, cloud))
    document = client.generate(prompt, length=length, **asdict(sampling))
    read = str(document.get("prompt", ""))
    return Task(read, length, sampling, int(document.get("unknown", 0))), iter([document["text"]])
