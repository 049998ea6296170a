"""A deployment rehearsed: from the plan to an address that answers, and back to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from marfa import signals
from marfa.aws import checking, lease, pace, planning, stacks, uploads
from marfa.aws.parcel import Parcel, pack
from marfa.aws.planning import Plan
from marfa.aws.template import base
from marfa.aws.template.live import LEASE_END
from marfa.console import Silence, Talk
from marfa.container import golden
from marfa.container.messages import Request, Response
from marfa.errors import CheckError, CloudError, LeftOverError, MarfaError, NetworkError
from marfa.rehearsal.account import Account
from marfa.rehearsal.faults import Fault
from marfa.rehearsal.formation import Formation, Resource
from marfa.rehearsal.gateway import Tokens
from marfa.rehearsal.machine import Machine
from marfa.rehearsal.story import Line, Story, line
from marfa.settings import CloudSettings
from marfa.stages.rehearse import words

_LOOK_SECONDS = 0.1
_AT_ONCE = 12
"""Requests that are sent together to see the throttle, and the burst that it allows them."""

_BURST = 4
_REFILL_SECONDS = 3.0


class Deployment:
    """One deployment, from the plan to nothing.

    Args:
        model: a model.tar.gz or a bundle folder.
        settings: what is asked for.
        talk: whom to tell of what is under way.
        workdir: the work folder.
        fault: what is to go wrong.
        story: what is told.
        now: tells the time of day.
    """

    def __init__(
        self,
        model: Path,
        settings: CloudSettings,
        talk: Talk,
        workdir: Path,
        fault: Fault,
        story: Story,
        now: Callable[[], datetime],
    ) -> None:
        self._began = time.monotonic()
        self._talk, self._fault, self._now = talk, fault, now
        self._story = story
        self._account = Account(settings.region, instances=fault.instances, now=now)
        draft = planning.draft(model, settings, self._account, workdir, looking=True)
        plan = planning.complete(draft, self._account, talk, sending=False)
        parcels = [_whole(parcel) for parcel in plan.parcels]
        self._plan = replace(plan, parcels=parcels, absent=parcels)
        self._made: list[Line] = []
        self._figures: dict[str, Any] = {}

    def play(self, folder: Path, port: int, *, stay: bool) -> dict[str, Any]:
        """Go all the way.

        Args:
            folder: where processes may have their files.
            port: where the page is to be.
            stay: stay up until somebody, or the lease, ends it.

        Returns:
            The steps, the figures, and what is left.
        """
        plan, account = self._plan, self._account
        self._look()
        machine = Machine(
            plan.names,
            folder,
            account.storage.read,
            port=port,
            trouble=self._fault.machine,
            tell=self._talk.say,
        )
        account.formation = Formation(plan.names, self._noting(machine), machine.unmake)
        try:
            self._make(machine)
            self._ask(machine)
            ended = self._stay(machine) if stay else "the lease, brought forward"
        finally:  # whoever ends it, and however
            stacks.delete(account, plan.names, plan.names.live, Silence())
            stacks.delete(account, plan.names, plan.names.base, Silence())
            account.storage.clear()
        return self._end(machine, ended)

    def _noting(self, machine: Machine) -> Callable[[Resource], None]:
        def make(resource: Resource) -> None:
            machine.make(resource)
            self._made.append(line(resource))

        return make

    def _look(self) -> None:
        plan = self._plan
        self._story.step(
            "Look, before anything is made",
            here=words.looked(plan),
            aws=["is asked who you are, what it would allow, and what is there; makes nothing"],
            console="nothing there does this",
        )
        try:
            plan.refuse_blocked()
        except MarfaError as error:
            self._refused(
                error,
                aws=["has made nothing and bills nothing; a request for more takes hours to days"],
                console="Service Quotas > AWS services > Amazon SageMaker",
            )
            raise
        self._story.step(
            "What would be sent, and what it will cost",
            here=[*plan.told()],
            aws=["nothing yet: this is what marfa deploy --plan prints"],
            console="Billing > AWS Pricing Calculator, by hand",
        )

    def _make(self, machine: Machine) -> None:
        plan, account, names = self._plan, self._account, self._plan.names
        made = stacks.apply(account, names, names.base, base.build(names), self._talk)
        self._told_stack(
            "The base stack: a bucket and who may do what",
            here=["a bucket in this process's memory; roles are read, nobody is kept out here"],
            aws=["CloudFormation makes the stack, in about a minute"],
            console=f"CloudFormation > Stacks > {names.base}",
        )
        bucket = made.outputs["Bucket"]
        self._send(bucket)
        live = plan.live(bucket)
        end = plan.end(None, self._now())
        parameters = {LEASE_END: lease.stamp(end)} if end else {}
        try:
            stacks.apply(
                account, names, names.live, live.build(), self._talk,
                parameters=parameters, role=names.role_arn("service"),
            )  # fmt: skip
        except CloudError as error:
            begun = ", ".join(each.name for each in self._made) or "nothing"
            self._refused(
                error,
                made=f"made by then, and taken back: {begun}",
                aws=words.rolled_back(self._fault.machine),
                console=f"CloudFormation > Stacks > {names.live} > Events, the first CREATE_FAILED",
            )
            raise
        self._figures |= words.started(machine)
        self._told_stack(
            "The live stack: all that answers, each part after what it needs",
            here=words.at_work(machine, plan),
            aws=words.minutes(plan),
            costs=plan.estimate.lines()[0],
            console=f"CloudFormation > Stacks > {names.live} > Events",
        )

    def _refused(self, error: MarfaError, aws: list[str], console: str, made: str = "") -> None:
        """Tell of a refusal as the step that it is, before it is raised."""
        self._story.step(
            "AWS refuses",
            here=[*([made] if made else []), f"what deploy says: {error}", f"and: {error.hint}"],
            aws=aws,
            console=console,
        )

    def _told_stack(self, title: str, **said: Any) -> None:
        self._story.step(title, resources=tuple(self._made), **said)
        self._made.clear()

    def _send(self, bucket: str) -> None:
        """Send everything; with the line cut in the middle, if that is asked for."""
        plan, storage = self._plan, self._account.storage
        size = sum(parcel.size for parcel in plan.parcels)
        if self._fault.cut:
            storage.cut_after = size * 6 // 10
            try:
                self._send_missing(bucket)
            except NetworkError as error:
                received = storage.received
                self._story.step(
                    "The line is cut",
                    here=[
                        f"{received:,} of {size:,} bytes had left",
                        f"marfa: {error}",
                        error.hint,
                    ],
                    aws=["keeps what has arrived whole: files, and parts of 5 MB of a large one"],
                )
                storage.received = 0
        sent = self._send_missing(bucket)
        again = "the same command again: " if self._fault.cut else ""
        self._story.step(
            "Send what is not there yet",
            here=[
                *words.parcels(plan),
                f"{again}{storage.received:,} bytes sent, {size - sent:,} were there already",
            ],
            aws=[f"S3 takes them: {plan.pace.words(size)}; a cut costs at most one part of 5 MB"],
            costs="$0.023 a GB and month",
            console=f"S3 > Buckets > {bucket}",
        )

    def _send_missing(self, bucket: str) -> int:
        account = self._account
        missing = uploads.missing(account, bucket, self._plan.parcels)
        return sum(uploads.send(account, bucket, each, self._talk).size for each in missing)

    def _ask(self, machine: Machine) -> None:
        """Ask once, then under the fault if it is one of asking, then all that was recorded."""
        question, answer, first = self._first(machine)
        if answer.status != 200:  # which patience does not mend: all of it is on this machine
            message = f"the first question was answered {answer.status}: {words.short(answer.body)}"
            raise CheckError(message, where=machine.url, hint="marfa serve MODEL shows it closer")
        self._figures["first_answer_seconds"] = round(time.monotonic() - self._began, 2)
        cold = round(machine.function.cold[0] * 1000) if machine.function else 0
        self._figures |= {"cold_start_ms": cold, "first_request_ms": round(first * 1000)}
        self._story.step(
            "The first answer",
            here=[
                *words.exchange(question, answer),
                f"{first * 1000:.0f} ms, {cold} of them the function's cold start; "
                f"{self._figures['first_answer_seconds']:g} s since this began",
            ],
            aws=words.way(self._plan.settings.target),
            costs=f"{words.each(self._plan)} a request",
            console=f"CloudWatch > Log groups > {self._plan.names.function_log}",
        )
        if self._fault.throttled:
            self._throttle(machine, question)
        asked, wrong = checking.check(
            self._plan.bundle,
            machine.url,
            self._talk,
            time.sleep,
            rounded=self._plan.may_be_rounded,
        )
        if wrong:
            message = f"request {wrong} of {asked} was answered otherwise than recorded"
            raise CheckError(message, where=machine.url, hint="package the model again")
        assert machine.gateway is not None
        busy = machine.gateway.statuses[429] - self._figures.get("refused_429", 0)
        self._figures |= {"golden": asked, "throttled": busy}
        waited = f"; {busy} met the throttle, waited and asked again" if busy else ""
        self._story.step(
            "Every golden request, through the whole way",
            here=[f"{asked} asked, {asked} answered as recorded when it was packaged{waited}"],
            aws=["the same; a version that answers otherwise is taken back at once"],
            costs=f"{words.each(self._plan)} a request",
            console="CloudWatch > Metrics > Lambda > Invocations",
        )

    def _first(self, machine: Machine) -> tuple[Request, Response, float]:
        recorded = golden.pairs(self._plan.bundle.contents["golden.jsonl"])
        question = next(
            request
            for request, expected in recorded
            if request.method == "POST" and expected.status == 200
        )
        began = time.monotonic()
        return question, checking.ask(machine.url, question), time.monotonic() - began

    def _throttle(self, machine: Machine, question: Request) -> None:
        """Ask too much at once, and see who says so, and who asks again."""
        assert machine.gateway is not None
        usual = machine.gateway.tokens
        machine.gateway.tokens = Tokens(1, _BURST)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            every = pool.map(lambda _: checking.ask(machine.url, question), range(_AT_ONCE))
            statuses = [answer.status for answer in every]
        machine.gateway.tokens = usual
        here = [
            f"{_AT_ONCE} at once, where {_BURST} are allowed: {statuses.count(200)} answered 200, "
            f'{statuses.count(429)} answered 429 {{"message":"Too Many Requests"}}',
            "whoever gets 429 waits 1, 2, 3 s and asks again, as marfa's clients do",
        ]
        if machine.runtime_url:
            before = machine.runtime.calls.copy()
            machine.runtime.refusals.extend([(429, "ThrottlingException")] * 2)
            answer = checking.ask(machine.url, question)
            calls = machine.runtime.calls - before
            here.append(
                f"SageMaker said ThrottlingException {calls[429]} times, the function asked again "
                f"after 0.25 and 0.5 s, and the client saw {answer.status} alone"
            )
        self._figures["refused_429"] = statuses.count(429)
        self._story.step(
            "Too many at once",
            here=here,
            aws=["the stage counts; the function is not called, so nothing of it is billed"],
            costs="$0 for what is refused",
            console="API Gateway > APIs > Throttling; CloudWatch > 4xx",
        )

    def _stay(self, machine: Machine) -> str:
        end = machine.lease_end
        assert machine.gateway is not None
        # what has just been asked is not to stand in the way of a first visitor, whose page is ten files
        time.sleep(min(_REFILL_SECONDS, max(0.0, machine.gateway.tokens.full_after)))
        self._story.step(
            "It is up: try it",
            here=words.ways_in(machine, self._plan, end),
            aws=["the same page at an https:// address that anybody can open"],
            costs=self._plan.estimate.lines()[0],
            console="SageMaker > Endpoints" if machine.runtime_url else "Lambda > Functions",
        )
        with signals.caught() as stop:
            while not stop.signal_number:
                if end is not None and self._now() >= end:
                    return "the lease"
                time.sleep(_LOOK_SECONDS)
        return "you"

    def _end(self, machine: Machine, ended: str) -> dict[str, Any]:
        left = [*machine.left, *self._account.formation.left, *self._account.storage.keys]
        if left:
            message = f"{len(left)} left: {', '.join(left[:5])}"
            raise LeftOverError(message, hint="report it: nothing may outlive a rehearsal")
        plan = self._plan
        self._story.step(
            f"Back to nothing: ended by {ended}",
            here=["addresses closed, processes ended, files deleted", "0 left"],
            aws=words.ending(plan),
            costs="$0 from here on",
            console="CloudFormation > Stacks > Deleted",
        )
        return {
            "target": plan.settings.target,
            "deployment": plan.names.deployment,
            "region": plan.names.region,
            "model": plan.bundle.model_id,
            "file": str(plan.draft.archive),
            "bytes": sum(parcel.size for parcel in plan.parcels),
            "seconds_to_send": round(pace.estimate(_size(plan), plan.pace.kbps), 1),
            "price": plan.estimate.document(),
            "steps": [asdict(step) for step in self._story.steps],
            "figures": self._figures,
            "left": left,
        }


def _size(plan: Plan) -> int:
    return sum(parcel.size for parcel in plan.parcels)


def _whole(parcel: Parcel) -> Parcel:
    """Return a parcel with a body: one that would first be fetched is stood for by so many zeros."""
    if parcel.sha256:
        return parcel
    kept = pack("layers", bytes(parcel.size), ".zip", parcel.kind)
    return replace(kept, key=parcel.key)
