"""The requests of one call, until every byte is there: `resume` decides, this module acts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from marfa.data.download.address import is_public
from marfa.data.download.checks import Checks
from marfa.data.download.part import Part
from marfa.data.download.patience import Patience
from marfa.data.download.resume import (
    MIRROR,
    Append,
    AskWhole,
    Begin,
    Complete,
    Limits,
    Refuse,
    State,
    Wait,
    content_length,
    decide,
)
from marfa.data.download.transfer import Answer, DroppedError, Line, open_url
from marfa.errors import DataError, NetworkError

_BETWEEN_REPORTS = 0.1


Progress = Callable[[int, int | None, float], None]
"""Told the bytes at hand, the total (None when unknown), and the bytes per second."""

Say = Callable[[str], None]
"""Told in one line what a person may want to know, such as why it starts over."""


def no_progress(length: int, total: int | None, rate: float) -> None:
    """Report nothing."""


def no_news(message: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to fetch; none of it changes what is fetched.

    Attributes:
        max_bytes: a file beyond this is refused, or cut where it did not say its length.
        attempts: failures in a row without progress before giving up, and complete fresh starts.
        stall_seconds: how long nothing may come before the connection is made anew.
        sleep: waits some seconds.
        clock: seconds that only go forward.
        proxies: proxy per scheme; None means those of the system, an empty mapping none.
        is_public: tells public numeric addresses from local ones.
    """

    max_bytes: int = 4 << 30
    attempts: int = 8
    stall_seconds: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    proxies: Mapping[str, str] | None = None
    is_public: Callable[[str], bool] = is_public


class Collector:
    """The requests of one call, until every byte is there."""

    def __init__(
        self,
        url: str,
        part: Part,
        checks: Checks,
        options: Options,
        on_progress: Progress,
        say: Say,
    ) -> None:
        self.url = url
        self.say = say
        self.part = part
        self.checks = checks
        self.options = options
        self.limits = Limits(max_bytes=options.max_bytes, size=checks.size)
        self.patience = Patience(options.attempts, mark=part.state.length)
        self.line = Line(
            stall_seconds=options.stall_seconds,
            proxies=options.proxies,
            is_public=options.is_public,
            downgrade=bool(checks.digests),
            clock=options.clock,
        )
        self.meter = _Meter(part.state.length, options.clock, on_progress)
        self.ask_whole = False
        self.silent_end = -1

    def collect(self) -> None:
        """Ask, and ask again, until the part is complete."""
        if self.part.found:
            self.say(self.part.found)
        elif self.part.state.length:
            self.say(f"going on from byte {self.part.state.length:,}")
        while not self.part.state.complete:
            try:
                self._request()
            except DroppedError as error:
                self._rest(error)
        self.meter.show(self.part.state, now=True)

    def _rest(self, error: DroppedError) -> None:
        """Wait, or give up."""
        state = self.part.state
        wait = self.patience.failed(state.length, error.after)
        if wait is None:
            of = "" if state.total is None else f" of {state.total:,}"
            message = f"{error.what}; gave up with {state.length:,}{of} bytes kept"
            raise NetworkError(message, where=state.url, hint=MIRROR) from error
        if wait:
            self.part.save()
            self.say(f"{error.what}: trying again in {wait:.0f} s")
            self.options.sleep(wait)

    def _request(self) -> None:
        state = self.part.state
        if self.ask_whole or not state.resumable:
            state = replace(state, length=0)
        headers = {"Range": f"bytes={state.length}-"} if state.length else {}
        if state.length and state.strong_etag:
            headers["If-Range"] = state.strong_etag
        with open_url(self.url, headers, self.line) as answer:
            match decide(state, self.limits, answer.status, answer.headers):
                case Begin(begun, why):
                    self._begin(begun, why)
                    self._pour(answer, begun.total)
                case Append(continued, end):
                    self.part.state = continued
                    self.part.room()
                    self._pour(answer, end)
                case Complete(finished):
                    self.part.state = finished
                case AskWhole(why):
                    self.say(f"{why}: starting over")
                    self.ask_whole = True
                    raise DroppedError(why, after=0.0)
                case Wait(why, after):
                    raise DroppedError(why, after=after)
                case Refuse(error):
                    raise error

    def _begin(self, state: State, why: str) -> None:
        if why:
            self.say(why)
        if self.part.state.length:
            self.patience.started_over()
        self.ask_whole = False
        self.part.begin(state)
        self.part.room()

    def _pour(self, answer: Answer, end: int | None) -> None:
        """Write the body down, up to `end` or the limit; more than that is an error."""
        limit = self.options.max_bytes if end is None else end
        while data := self._read(answer):
            excess = self.part.state.length + len(data) - limit
            self.part.append(data[: len(data) - excess] if excess > 0 else data)
            self.meter.show(self.part.state)
            if excess > 0:
                self.part.begin(self.part.state)  # what a liar sent cannot be told from the truth
                message = f"the body goes on beyond {limit:,} bytes, where it should have ended"
                hint = "check the address, or use --mirror"
                raise DataError(message, where=answer.url, hint=hint)
        if self.part.state.total is None:
            self._settle(answer)
        elif not self.part.state.complete:
            message = "the line was cut"
            raise DroppedError(message, where=answer.url)

    def _read(self, answer: Answer) -> bytes:
        try:
            return answer.read()
        except DroppedError:
            if self.part.state.complete:  # all is here: what the line does now is of no interest
                return b""
            raise

    def _settle(self, answer: Answer) -> None:
        """Find out whether a body of unknown length ended, or only the line did.

        A chunked body says so itself. Otherwise only the digest can tell; where it does not agree,
        the server is asked for more, and a second end at the same place is believed.
        """
        length = self.part.state.length
        chunked = content_length(answer.headers) is None and "transfer-encoding" in answer.headers
        if not chunked and self.silent_end != length and self.checks.inspect(self.part.path)[1]:
            self.silent_end = length
            message = "the server did not say whether this was all"
            raise DroppedError(message, where=answer.url)
        self.part.state = replace(self.part.state, total=length)


class _Meter:
    """Tells the progress a few times a second, with the speed of the last seconds."""

    def __init__(self, length: int, clock: Callable[[], float], on_progress: Progress) -> None:
        self._clock = clock
        self._on_progress = on_progress
        self._length = length
        self._when = clock()
        self._rate = 0.0

    def show(self, state: State, *, now: bool = False) -> None:
        passed = self._clock() - self._when
        if passed < _BETWEEN_REPORTS and not now:
            return
        if passed > 0:
            recent = max(state.length - self._length, 0) / passed
            weight = min(passed / 3.0, 1.0) if self._rate else 1.0
            self._rate += weight * (recent - self._rate)
        self._length, self._when = state.length, self._when + passed
        self._on_progress(state.length, state.total, self._rate)
