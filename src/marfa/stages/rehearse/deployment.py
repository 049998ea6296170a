"""A deployment rehearsed: from the plan to an address that answers, and back to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from marfa import signals
from marfa.aws import lease, pace, planning, stacks, uploads
from marfa.aws.parcel import Parcel, pack
from marfa.aws.planning import Plan
from marfa.aws.template import base
from marfa.aws.template.live import LEASE_END
from marfa.console import Silence, Talk
from marfa.errors import CloudError, LeftOverError, MarfaError, NetworkError, QuotaError
from marfa.rehearsal.account import Account
from marfa.rehearsal.faults import Fault
from marfa.rehearsal.formation import Formation, Resource
from marfa.rehearsal.machine import Machine
from marfa.rehearsal.story import Line, Story, line
from marfa.settings import CloudSettings
from marfa.stages.rehearse import words
from marfa.stages.rehearse.asking import Asking

_LOOK_SECONDS = 0.1

_Act = Callable[[Resource], None]
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
        self._gone: list[str] = []
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
        account.formation = Formation(plan.names, *self._noting(machine))
        try:
            self._make(machine)
            asking = Asking(plan, machine, self._story, self._talk, self._began)
            self._figures |= asking.ask(throttled=self._fault.throttled)
            end = "the lease, brought forward" if plan.leased else "marfa, all being asked"
            ended = self._stay(machine) if stay else end
        finally:  # whoever ends it, and however
            stacks.delete(account, plan.names, plan.names.live, Silence())
            stacks.delete(account, plan.names, plan.names.base, Silence())
            account.storage.clear()
        return self._end(machine, ended)

    def _noting(self, machine: Machine) -> tuple[_Act, _Act]:
        """Return what makes a resource and what takes it away, so that both can be told."""

        def make(resource: Resource) -> None:
            machine.make(resource)
            self._made.append(line(resource))

        def unmake(resource: Resource) -> None:
            machine.unmake(resource)
            self._gone.append(resource.logical)

        return make, unmake

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
            is_quota = isinstance(error, QuotaError)
            more = words.asking_for_more() if is_quota else []
            self._refused(
                error,
                title="Refused, before anything is made",
                aws=["has made nothing and bills nothing", *more],
                console="Service Quotas > AWS services > Amazon SageMaker" if is_quota else "",
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
                title="AWS refuses",
                before=[
                    f"made by then, and taken back: {begun}",
                    *words.stuck(self._fault.machine),
                ],
                aws=words.rolled_back(self._fault.machine, plan),
                costs="$0.023 a GB and month of what was sent",
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

    def _refused(
        self, error: MarfaError, *, title: str, before: Sequence[str] = (), **said: Any
    ) -> None:
        """Tell of a refusal as the step that it is, before it is raised."""
        told = [f"what deploy says: {error}", *([f"and: {error.hint}"] if error.hint else [])]
        self._story.step(title, here=[*before, *told], **said)

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

    def _stay(self, machine: Machine) -> str:
        end = machine.lease_end
        assert machine.gateway is not None
        # what has just been asked is not to stand in the way of a first visitor, whose page is ten files
        time.sleep(min(_REFILL_SECONDS, max(0.0, machine.gateway.tokens.full_after)))
        with signals.caught() as stop:
            self._story.step(
                "It is up: try it",
                here=words.ways_in(machine, self._plan, end),
                aws=["the same page at an https:// address that anybody can open"],
                costs=self._plan.estimate.lines()[0],
                console="SageMaker > Endpoints" if machine.runtime_url else "Lambda > Functions",
            )
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
            here=[
                f"taken away, the last made first: {', '.join(self._gone)}",
                "addresses closed, processes ended, files deleted",
                "0 left",
            ],
            aws=words.ending(plan),
            costs=words.afterwards(plan),
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
