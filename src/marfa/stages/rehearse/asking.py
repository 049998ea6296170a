"""Asking what was put up: once, too often, and everything that was recorded of the model."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from marfa.aws import checking
from marfa.aws.planning import Plan
from marfa.console import Talk
from marfa.container import golden
from marfa.container.messages import Request, Response
from marfa.errors import CheckError
from marfa.rehearsal.gateway import Tokens
from marfa.rehearsal.machine import Machine
from marfa.rehearsal.story import Story
from marfa.stages.rehearse import words

_AT_ONCE, _BURST = 12, 4
"""Requests that are sent together to see the throttle, and how many of them it allows."""


class Asking:
    """Asks an address on this machine, and tells what it answers.

    Args:
        plan: what was put up.
        machine: what is at work.
        story: what is told.
        talk: whom to tell of what is under way.
        began: when the rehearsal did, by the monotonic clock.
    """

    def __init__(
        self, plan: Plan, machine: Machine, story: Story, talk: Talk, began: float
    ) -> None:
        self._plan, self._machine, self._story = plan, machine, story
        self._talk, self._began = talk, began
        self._figures: dict[str, Any] = {}

    def ask(self, *, throttled: bool) -> dict[str, Any]:
        """Ask once, then too often if that is wanted, then every golden request.

        Args:
            throttled: ask too often.

        Returns:
            What was measured.

        Raises:
            CheckError: if an answer is not the one that was recorded.
        """
        question = self._once()
        if throttled:
            self._too_often(question)
        self._all()
        return self._figures

    def _once(self) -> Request:
        question, answer, seconds = self._first()
        if answer.status != 200:  # which patience does not mend: all of it is on this machine
            message = f"the first question was answered {answer.status}: {words.short(answer.body)}"
            raise CheckError(
                message, where=self._machine.url, hint="marfa serve MODEL shows it closer"
            )
        assert self._machine.function is not None
        cold, since = self._machine.function.cold[0] * 1000, time.monotonic() - self._began
        self._figures |= {
            "first_answer_seconds": round(since, 2),
            "first_request_ms": round(seconds * 1000),
            "cold_start_ms": round(cold),
        }
        self._story.step(
            "The first answer",
            here=[
                *words.exchange(question, answer),
                f"{seconds * 1000:.0f} ms, {cold:.0f} of them the function's cold start; "
                f"{since:.1f} s since this began",
            ],
            aws=words.way(self._plan.settings.target),
            costs=f"{words.each(self._plan)} a request",
            console=f"CloudWatch > Log groups > {self._plan.names.function_log}",
        )
        return question

    def _first(self) -> tuple[Request, Response, float]:
        recorded = golden.pairs(self._plan.bundle.contents["golden.jsonl"])
        question = next(
            request
            for request, expected in recorded
            if request.method == "POST" and expected.status == 200
        )
        began = time.monotonic()
        return question, checking.ask(self._machine.url, question), time.monotonic() - began

    def _too_often(self, question: Request) -> None:
        """Ask too much at once, and see who says so, and who asks again."""
        machine = self._machine
        assert machine.gateway is not None
        usual, machine.gateway.tokens = machine.gateway.tokens, Tokens(1, _BURST)
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
            here.append(self._busy_inside(question))
        self._figures["refused_429"] = statuses.count(429)
        self._story.step(
            "Too many at once",
            here=here,
            aws=["the stage counts; the function is not called, so nothing of it is billed"],
            costs="$0 for what is refused",
            console="API Gateway > APIs > Throttling; CloudWatch > 4xx",
        )

    def _busy_inside(self, question: Request) -> str:
        """Let SageMaker be busy, and see the function ask again."""
        runtime = self._machine.runtime
        before = runtime.calls.copy()
        runtime.refusals.extend([(429, "ThrottlingException")] * 2)
        answer = checking.ask(self._machine.url, question)
        refused = (runtime.calls - before)[429]
        return (
            f"SageMaker said ThrottlingException {refused} times, the function asked again "
            f"after 0.25 and 0.5 s, and the client saw {answer.status} alone"
        )

    def _all(self) -> None:
        machine, plan = self._machine, self._plan
        asked, wrong = checking.check(
            plan.bundle,
            machine.url,
            self._talk,
            time.sleep,
            rounded=plan.may_be_rounded,
            rate=plan.settings.rate,
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
            costs=f"{words.each(plan)} a request",
            console="CloudWatch > Metrics > Lambda > Invocations",
        )
