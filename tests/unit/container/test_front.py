"""What stands before whoever answers in a function: how long the lease runs, told in seconds."""

import pytest
from tests import gateways

from marfa.container.front import Front, lease_end
from marfa.container.messages import Request, Response
from marfa.container.pages import Page

ENDS = "2026-11-24T21:12:00.000Z"
END = 1_795_554_720.0
PAGES = {"/healthz": Page(b"{}", "application/json"), "/": Page(b"<p>", "text/html")}
PAGES["/model-1.bin"] = Page(b"m", "application/octet-stream", lasting=True)
HEADER = "Marfa-Lease-Seconds"


def ask(path, *, ends=END, now=END, method="GET"):
    front = Front(PAGES, lambda _: Response(200, "text/plain", b"1"), ends=ends, wall=lambda: now)
    return front.answer(gateways.http(Request(method, path)))


def test_the_end_is_the_moment_that_the_stack_tells():
    assert lease_end({"MARFA_LEASE_END": ENDS}) == END


@pytest.mark.parametrize("told", ["", "soon", "2026-11-24T25:12:00Z", "{'Ref': 'LeaseEnd'}"])
def test_what_is_no_moment_is_no_lease(told):
    assert lease_end({"MARFA_LEASE_END": told}) is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("before", "told"), [(7200, "7200"), (59.9, "59"), (0.5, "0"), (0, "0"), (-240, "0")]
)
def test_so_many_seconds_are_left_and_never_fewer_than_none(method, before, told):
    answer = ask("/healthz", now=END - before, method=method)
    assert answer["headers"][HEADER] == told
    assert answer["headers"]["Cache-Control"] == "no-cache"


def test_without_a_lease_nothing_is_told():
    assert HEADER not in ask("/healthz", ends=None)["headers"]


@pytest.mark.parametrize("path", ["/", "/model-1.bin", "/readyz", "/invocations"])
def test_what_may_be_kept_or_costs_an_answer_does_not_tell_it(path):
    assert HEADER not in ask(path)["headers"]
