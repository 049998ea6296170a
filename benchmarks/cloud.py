"""What a deployment sends and how long its plan takes, on an account that is emulated here."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the account of the tests

import pytest
from machine import table
from tests.cloud.aws import Bed

from marfa import bundle as bundles
from marfa import loading
from marfa.container.contract import Request, Response, respond
from marfa.settings import CloudSettings
from marfa.stages.deploy import deploy
from marfa.stages.destroy import destroy

MODELS = ("work/bench-default/model.tar.gz", "work/bench-tutorial/model.tar.gz")
TUTORIAL_BYTES = 84_125_825
"""IMDb's archive, which the tutorial's notebook sends to S3 before it can train and deploy."""


class Line:
    """Counts what leaves for S3."""

    def __init__(self, session: object) -> None:
        self.sent = 0
        session.events.register("before-send.s3", self._leaving)  # type: ignore[attr-defined]

    def _leaving(self, request: object, **_: object) -> None:
        self.sent += int(request.headers.get("Content-Length", 0))  # type: ignore[attr-defined]


def measure(bed: Bed, model: str, workdir: str) -> list[tuple[object, ...]]:
    """Return the rows of one model."""
    loaded = loading.of(bundles.load(Path(model)), "numpy")

    def answer(_: str, request: Request) -> Response:
        ready = request.path == "/readyz"  # the contract's ping, as the function calls it
        return respond(loaded, replace(request, path="/ping") if ready else request)

    def put(how: str = "deploy", **chosen: object) -> tuple[dict, int, float]:
        session = bed.session()
        line = Line(session)
        settings = CloudSettings(deployment="bench", **{"numpy": "aws", **chosen})
        began = time.perf_counter()
        result = deploy(
            model, settings, workdir=workdir, how=how, cloud=bed.cloud(session),
            ask=answer,
        )  # fmt: skip
        return result, line.sent, time.perf_counter() - began

    bed.reset()
    plans = [put("plan")[2] for _ in range(7)]
    first = put()[1]
    second = put(memory=2048)[1]
    with_wheel = put(memory=2048, numpy="wheel")[1]
    destroy("bench", cloud=bed.cloud())
    name = Path(model).parent.name.removeprefix("bench-")
    return [
        (name, "first deploy, numpy from AWS's public layer", f"{first:,} bytes"),
        (name, "second deploy, another setting", f"{second:,} bytes"),
        (name, "third deploy, numpy from its wheel, once an account", f"{with_wheel:,} bytes"),
        (name, "--plan after imports, median of 7", f"{statistics.median(plans):.2f} s"),
    ]


@pytest.mark.timeout(0)
def test_print_the_table(bed: Bed, capsys: pytest.CaptureFixture[str]) -> None:
    """Print the table for each model that is there."""
    rows: list[tuple[object, ...]] = [
        ("tutorial's notebook", "data set sent to S3", f"{TUTORIAL_BYTES:,} bytes")
    ]
    with tempfile.TemporaryDirectory() as workdir:
        for model in os.environ.get("MODELS", ":".join(MODELS)).split(":"):
            if Path(model).is_file():
                rows += measure(bed, model, workdir)
    with capsys.disabled():
        table("What a deployment sends, and how long its plan takes", ("model", "what", ""), rows)


if __name__ == "__main__":
    os.environ["MODELS"] = ":".join(sys.argv[1:] or MODELS)
    plugins = ["-p", "tests.cloud.conftest", "-q", "--no-header", "-o", "addopts="]
    sys.exit(pytest.main([__file__, *plugins]))
