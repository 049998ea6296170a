"""Each call of each verb fails once, in each way there is; then again, and then destroy.

`make faults` runs every point and prints what was injected and what survived; the tests run a sample,
and show with planted bugs that each promise can be broken.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.cloud.aws import ACCOUNT, REGION, Bed
from tests.cloud.faults import KINDS, Faults, PowerCut
from tests.cloud.inventory import blurred, everything
from tests.cloud.lookalikes import lookalikes
from tests.cloud.recorder import Recorder

from marfa import bundle as bundles
from marfa import loading
from marfa.aws import wheels
from marfa.aws.functions import recipe
from marfa.aws.multipart import PART
from marfa.aws.names import Names
from marfa.aws.shipment import WHEELS
from marfa.container.contract import Request, Response, respond
from marfa.errors import MarfaError
from marfa.settings import CloudSettings
from marfa.stages.deploy import deploy
from marfa.stages.destroy import destroy
from marfa.stages.renew import renew
from marfa.stages.rollback import rollback

NAMES = Names("soup", REGION, ACCOUNT)
SHAPES = {
    "lambda": {"target": "lambda", "numpy": "aws"},
    "page": {"target": "lambda", "numpy": "wheel", "site": True},
    "serverless": {"target": "serverless"},
    "endpoint": {"target": "endpoint"},
}
"""What is deployed: each target, and once with all that is sent and made at most for a function: numpy
in a layer of its own, in parts, and the page behind CloudFront."""
BEFORE = {
    "deploy": (),
    "update": ("deploy",),
    "renew": ("deploy",),
    "rollback": ("deploy", "update"),
    "destroy": ("deploy",),
}
"""What is done before each verb; an update is a deployment of another version in the same place."""
AGAIN = {"deploy": "deploy", "update": "update", "renew": "renew", "rollback": "update"}
"""What is done after it has failed, and must end as if nothing had; after a rollback that was cut it is
the deployment that mends, since another rollback would go back further."""

_NAMED = re.compile(r"\b[0-9a-f]{8}(?:[0-9a-f]{4})?\b")


@dataclass(frozen=True)
class Point:
    """One place where one thing goes wrong.

    Attributes:
        shape: a key of SHAPES.
        verb: a key of BEFORE.
        number: which call fails, from 1.
        kind: how.
    """

    shape: str
    verb: str
    number: int
    kind: str


@dataclass
class Tally:
    """What was injected, and what became of it."""

    injected: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    broken: list[tuple[Point, str]] = field(default_factory=list)


class Torture:
    """Deploys a model over and over.

    Args:
        bed: the account.
        model: a model.tar.gz.
        workdir: a work folder.
        do: what to try; the stages themselves if not given.
    """

    def __init__(
        self, bed: Bed, model: Any, workdir: str, do: dict[str, Callable[..., Any]] | None = None
    ) -> None:
        self._bed, self._model, self._workdir = bed, model, workdir
        self._loaded = loading.of(bundles.load(model), "numpy")
        self._do = {"deploy": deploy, "renew": renew, "rollback": rollback, "destroy": destroy}
        self._do |= do or {}
        self._usual: dict[tuple[str, str], list[str]] = {}
        self._made: dict[str, set[tuple[str, str]]] = {}
        _keep_a_layer(Path(workdir))

    def points(self, shape: str) -> Iterator[Point]:
        """Yield every point of a shape, in the order of the calls."""
        for verb, count in self._calls(shape).items():
            for number in range(1, count + 1):
                yield from (Point(shape, verb, number, kind) for kind in KINDS)

    def calls(self, shape: str) -> set[tuple[str, str]]:
        """Return service and operation of all calls in which something has been made to fail."""
        return self._made[shape]

    def _calls(self, shape: str) -> dict[str, int]:
        """Count the calls of runs in which nothing fails, and keep what they make."""
        counted = {}
        for verb, before in BEFORE.items():
            if verb == "renew" and shape != "endpoint":
                continue  # the others have no lease unless it is asked for
            self._bed.reset()
            for each in before:
                self._run(each, shape)
            session = self._bed.session()
            recorder = Recorder(session)
            self._run(verb, shape, session)
            counted[verb] = len(recorder.calls)
            self._made.setdefault(shape, set()).update(recorder.names)
            if AGAIN.get(verb) == "update":
                self._run("update", shape)
            self._usual[shape, verb] = _alike(everything(self._bed.session()))
        return counted

    def survive(self, point: Point, *, foreign: bool = False) -> str:
        """Let one call fail, then do it again, then destroy.

        Args:
            point: what fails where.
            foreign: put what only looks like ours beside it.

        Returns:
            Empty, or which promise was broken.
        """
        self._bed.reset()
        theirs = lookalikes(self._bed.session(), NAMES) if foreign else set()
        for verb in BEFORE[point.verb]:
            self._run(verb, point.shape)
        unguarded: list[str] = []
        session = self._bed.session()
        faults = Faults(session, point.number, point.kind, watch=self._watch(unguarded))
        try:
            self._run(point.verb, point.shape, session)
        except (MarfaError, PowerCut):
            pass
        except Exception as error:  # noqa: BLE001 - a traceback is a broken promise, told as one
            return f"a traceback: {type(error).__name__}: {error}"
        if not faults.fired and point.kind not in {"die-before"}:
            return "the call was never made"
        try:
            return self._afterwards(point, theirs) or "; ".join(unguarded[:1])
        except MarfaError as error:
            return f"it does not go on: {error}"

    def _afterwards(self, point: Point, theirs: set[str]) -> str:
        if point.verb in AGAIN:
            self._run(AGAIN[point.verb], point.shape)
            found = _alike(everything(self._bed.session()) - theirs)
            usual = self._usual[point.shape, point.verb]
            if found != usual:
                odd = set(found) ^ set(usual)
                return f"another inventory than usual: {sorted(odd)[:3]}"
        self._run("destroy", point.shape)
        there = everything(self._bed.session())
        left, gone = there - theirs, theirs - there
        if left:
            return f"left: {sorted(left)[:3]}"
        return f"of others, gone: {sorted(gone)[:3]}" if gone else ""

    def _watch(self, unguarded: list[str]) -> Callable[[Any], None]:
        """Look after each call whether there is an endpoint without its schedule."""
        watching = self._bed.session()

        def look(call: Any) -> None:
            if call.service != "cloudformation" or call.operation != "describe_stacks":
                return
            names = {
                each["EndpointName"]
                for each in watching.client("sagemaker").list_endpoints()["Endpoints"]
                if each["EndpointName"] == NAMES.one
            }
            if names and not _is_serverless(watching) and not _schedules(watching):
                unguarded.append("an endpoint without its schedule")

        return look

    def _run(self, verb: str, shape: str, session: Any = None) -> None:
        cloud = self._bed.cloud(session, attempts=1 if session else 2)
        if verb not in {"deploy", "update"}:
            # another end than there is: with the same one, to the minute, nothing would be called
            asked = (CloudSettings(lease="3h"),) if verb == "renew" else ()
            self._do[verb](NAMES.deployment, *asked, cloud=cloud)
            return
        chosen = CloudSettings(deployment=NAMES.deployment, **SHAPES[shape])
        self._do["deploy"](
            self._model,
            replace(chosen, rate=chosen.rate + 1) if verb == "update" else chosen,
            workdir=self._workdir,
            cloud=cloud,
            ask=self._ask,
        )

    def _ask(self, _: str, request: Request) -> Response:
        if request.path == "/readyz":  # the contract's ping, as the function's front calls it
            request = replace(request, path="/ping")
        return respond(self._loaded, request)


def _keep_a_layer(workdir: Path) -> None:
    """Let a layer be there as if it had been made of the wheel before: no test waits for a download.

    It is just large enough to be sent in parts; what is in it, the emulators do not look at.
    """
    content = random.Random(0).randbytes(PART + 1)
    folder = workdir / WHEELS
    folder.mkdir(parents=True, exist_ok=True)
    made_of = recipe(wheels.numpy(CloudSettings().architecture).sha256)
    path = folder / f"layer-{made_of}-{hashlib.sha256(content).hexdigest()}.zip"
    path.write_bytes(content)


def _alike(lines: set[str]) -> list[str]:
    """Return a census without what AWS chooses, nor what is named after it: versions hold the bucket."""
    return sorted(_NAMED.sub("*", line) for line in blurred(lines))


def _schedules(session: Any) -> bool:
    found = session.client("scheduler").list_schedules(NamePrefix=NAMES.one)["Schedules"]
    return NAMES.one in {each["Name"] for each in found}


def _is_serverless(session: Any) -> bool:
    client = session.client("sagemaker")
    config = client.describe_endpoint(EndpointName=NAMES.one)["EndpointConfigName"]
    variants = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return all("ServerlessConfig" in each for each in variants)


def torture(it: Torture, points: list[Point], tally: Tally, *, foreign_each: int = 10) -> None:
    """Try points, with others' things beside ours at each so many."""
    for count, point in enumerate(points):
        broken = it.survive(point, foreign=count % foreign_each == 0)
        tally.injected[point.shape, point.verb, point.kind] += 1
        if broken:
            tally.broken.append((point, broken))
            sys.stderr.write(f"BROKEN {point}: {broken}\n")


def report(tally: Tally, seconds: float) -> str:
    """Write the table: a line for each shape, verb and kind."""
    lost = Counter((point.shape, point.verb, point.kind) for point, _ in tally.broken)
    lines = ["| what | verb | fault | injected | survived |", "|---|---|---|---|---|"]
    for key, count in sorted(tally.injected.items()):
        lines.append(f"| {' | '.join(key)} | {count} | {count - lost[key]} |")
    total = sum(tally.injected.values())
    lines.append(f"| all | | | {total} | {total - len(tally.broken)} |")
    lines.append(f"\n{total} points in {seconds:.0f} s")
    return "\n".join(lines)


def timed(work: Callable[[], None]) -> float:
    """Return the seconds that something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began
