"""A sample of what is thrown at marfa, and planted bugs that each of its promises must see."""

import importlib.util
import itertools
import json
import marshal
import os
import random
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from tests.torture.fuzz import (
    artefacts,
    asking,
    canary,
    deeds,
    documented,
    malice,
    models,
    naughty,
    planted,
    texts,
    wire,
)
from tests.torture.fuzz.promises import FLAGS, PARTS, SAMPLE
from tests.torture.fuzz.served import MARK, Markers, Tally, fault, serving
from tests.torture.guarded import claim, claims

from marfa import loading

SEED = int(os.environ.get("SEED") or 20261127)
PLANTED = "tests.torture.fuzz.planted"
SEEN = set()
"""What is promised, and has a planted bug in this file that turns it red."""


def reddens(*names):
    """Say which promises a test with a planted bug puts to the test."""
    SEEN.update(map(claim, names))
    return lambda test: test


def test_every_promise_has_its_bug():
    assert claims(Path(__file__).parent) == SEEN


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("part", "promised"),
    [*zip(PARTS, (5, 5, 1, 4), strict=True)],
    ids=[*models.TASKS, "texts", "bundles"],
)
def test_a_sample_of_every_promise_is_kept(capsys, part, promised):
    found, began = [], time.monotonic()
    for promise in part(SAMPLE, SEED):
        found.append(promise)
        with capsys.disabled():
            sys.stdout.write(f"\n{promise.line(time.monotonic() - began)}")
        began = time.monotonic()
    assert len(found) == promised
    assert [each for each in found if not each.kept] == []
    assert {claim(each.name) for each in found} <= SEEN
    assert len({claim(each.name) for each in found}) == promised


def test_the_lists_are_as_long_as_is_said():
    assert len(naughty.strings()) >= 500
    assert len(texts.FAMILIES) >= 40
    assert sum(1 for _ in itertools.islice(malice.archives(), 300)) == 300
    assert sum(1 for _ in malice.mutations(24, SEED)) == 24
    assert len(Markers(SEED).next()) == len(MARK)


@pytest.fixture(scope="module")
def model():
    return loading.of(models.made("classifier"), engine="numpy")


@reddens("requests through the function")
@pytest.mark.parametrize("bug", ["leaking", "echoing", "weary"])
def test_a_function_that_lets_something_out_is_seen(model, bug):
    found = asking.through_the_function(model, 150, SEED, getattr(planted, bug))
    assert found.broken
    assert found.survived < found.injected


@pytest.fixture(scope="module")
def planted_server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("planted"), module=PLANTED) as it:
        yield it


@reddens("requests over HTTP", "naughty strings")
def test_a_server_that_answers_500_and_repeats_what_it_was_sent_is_seen(planted_server):
    found = asking.over_http(planted_server, 60, SEED)
    assert "status 500" in " ".join(found.broken)
    assert asking.naughty_strings(planted_server, "text", SEED, 60).broken


@reddens("what is nearly HTTP")
def test_a_server_that_believes_two_lengths_is_seen(planted_server):
    found = wire.over_sockets(planted_server, 96, SEED)
    assert any("not refused once" in each for each in found.broken)


@reddens("what is nearly HTTP")
def test_only_too_many_requests_on_one_connection_may_be_refused_for_being_too_many():
    every = [wire._pipelined(random.Random(seed)) for seed in range(100)]
    body = b'{"status": 503, "detail": "too many"}'
    fields = b"Content-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n" % len(body)
    full = b"HTTP/1.1 503 Service Unavailable\r\n" + fields + body
    few = next(each for each in every if each.answered == 1)
    many = next(each for each in every if each.answered == 16)
    assert wire.judged(few, full, True, "zq") == "pipelines: status 503"
    assert wire.judged(many, OK * 16 + full, True, "zq") == ""


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@reddens("what is nearly HTTP")
@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ([], "in pieces: 0 answers to 2 whole requests"),
        ([OK], "in pieces: 1 answers to 2 whole requests"),
        ([OK, OK], ""),
    ],
)
def test_a_server_that_hangs_up_on_whole_requests_is_seen(said, seen):
    """The one that answers all takes its time, longer than anybody waits for what need not come."""

    def answer():
        line, _ = server.accept()
        with line:
            while not received.endswith(sent.data):
                received.extend(line.recv(65_536))
            for each in said:
                line.sendall(each)
                time.sleep(0.3)

    every = (wire._split(random.Random(seed)) for seed in range(100))
    sent, received = next(each for each in every if each.answered == 2), bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        found = wire.exchange(server.getsockname()[1], sent)
        thread.join()
    assert wire.judged(sent, *found, "zq") == seen


@reddens("what the API's description allows")
def test_a_server_that_does_not_do_as_it_says_is_seen(planted_server):
    found = documented.as_documented(planted_server, 5, SEED)
    assert found.broken
    assert "500" in found.told


def test_an_error_that_repeats_its_input_or_is_no_problem_document_is_seen():
    good = b'{"status": 400, "detail": "no"}'
    assert fault(400, "application/problem+json", good, "zq1") == ""
    assert "repeats" in fault(400, "application/problem+json", b'{"status":400,"x":"zq1x"}', "zq1")
    assert "without" in fault(400, "text/plain", b"no", "zq1")
    assert "of another" in fault(404, "application/problem+json", good, "zq1")
    assert "500" in fault(500, "application/problem+json", good, "zq1")
    full = good.replace(b"400", b"503")
    assert "503" in fault(503, "application/problem+json", full, "zq1")
    assert fault(503, "application/problem+json", full, "zq1", much=True) == ""
    assert "507" in fault(507, "application/problem+json", full, "zq1", much=True)
    assert "traceback" in fault(400, "application/problem+json", b"Traceback (most", "zq1")
    line = b'{"error": {"detail": "zq1x"}}\n'
    assert "repeats" in fault(200, "application/jsonlines", line, "zq1")


@reddens("requests over HTTP")
@pytest.mark.parametrize(
    ("bug", "seen"),
    [
        ("hoarding", "its processes have grown by"),
        ("sullen", "/ping answers 503"),
        ("mortal", "a process of the server has ended"),
        ("telling", "what was sent stands in a log"),
        ("complaining", "a traceback stands in a log"),
    ],
)
def test_what_goes_wrong_with_a_server_itself_is_seen(tmp_path, bug, seen):
    with serving(tmp_path, "--bug", bug, module=PLANTED) as it:
        assert it.faults("zq") == []
        found = asking.over_http(it, 60, SEED)
        assert [each for each in found.broken if each.startswith(seen)]


def test_every_bug_of_a_server_is_tried():
    marks = test_what_goes_wrong_with_a_server_itself_is_seen.pytestmark
    assert {bug for mark in marks for bug, _ in mark.args[1]} == set(planted.BUGS)


def test_of_each_request_there_is_a_line_in_which_no_word_of_it_could_hide(tmp_path):
    path = models.packed("classifier", tmp_path)
    with serving(path, *FLAGS, "--workers", "1") as it:
        assert it.faults("nothing") == []
        assert it.faults('"/ping", "status": 200') == ["what was sent stands in a log"]


@reddens("texts are read in linear time, 256 kB in 50 ms")
def test_a_pattern_that_takes_the_square_is_seen():
    few = {"unfinished tags": texts.FAMILIES["unfinished tags"]}
    found = texts.in_time(few, {"naive": planted.naive}, size=40 << 10, repeats=1)
    assert "times for twice the size" in found.note
    slow = texts.in_time(few, {"slow": lambda text: sum(range(8_000_000))}, repeats=1)
    assert "ms" in slow.note


EVIL = marshal.dumps(compile("evil = True", "/usr/lib/python3/evil.py", "exec"))
MARSHALLED = (("marshalled", malice.with_entry(malice.entry("code/inference.pyc", EVIL))),)


def cached():
    """A folder with a module that is compiled already, and says that it comes from elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "evil.pyc").write_bytes(importlib.util.MAGIC_NUMBER + bytes(12) + EVIL)
        yield "cached", Path(folder)


BOMB = (("bomb", malice.packed(bytes(230 << 20))),)


@reddens("bundles that mean ill do nothing")
@pytest.mark.parametrize(
    ("bug", "seen", "cases"),
    [
        ("extracting", "open", lambda: malice._names()),
        ("unpickling", "pickle.find_class", lambda: malice._programs()),
        ("unmarshalling", "marshal.loads", lambda: MARSHALLED),
        ("importing", "marshal.loads", cached),
        ("executing", "exec", lambda: MARSHALLED),
        ("careless", "broken by", lambda: malice._forms()),
        ("talkative", "refused at length", lambda: malice._headers()),
        ("greedy", "MB", lambda: BOMB),
    ],
)
def test_a_loader_that_trusts_is_seen(bug, seen, cases):
    found = artefacts.looked_at(itertools.islice(cases(), 4), f"{PLANTED}:{bug}")
    assert any(seen in each for each in found.broken), found.note


@reddens("bundles that mean ill do nothing")
def test_whatever_no_bundle_may_do_is_heard_and_not_done():
    done = [event for event, _ in deeds.DEEDS]
    cases = ((event, str(number).encode()) for number, event in enumerate(done))
    found = artefacts.looked_at(cases, f"{deeds.__name__}:doing")
    assert found.broken == [f"{event}: {event}" for event in done]
    assert [
        each for each in canary.CALLS if not any(event.startswith(each) for event in done)
    ] == []


def test_to_import_what_is_installed_is_nothing_evil():
    """Of all that is thrown at marfa, only a text in UTF-32 makes Python import anything."""
    rare = malice.inside("classifier", {"codec.json": json.dumps({}).encode("utf-32-be")})
    assert artefacts.looked_at([("utf-32", rare)]).broken == []


@reddens("damaged bundles do nothing")
def test_a_loader_that_breaks_down_at_what_is_damaged_is_seen():
    found = artefacts.mutations(24, SEED, f"{PLANTED}:careless")
    assert any("broken by" in each for each in found.broken), found.note


@reddens("good bundles are accepted")
def test_a_loader_that_refuses_what_is_good_is_seen():
    assert artefacts.accepted(2, SEED, f"{PLANTED}:stubborn").survived == 0
    some = artefacts.accepted(12, SEED, f"{PLANTED}:narrow")
    assert 0 < some.survived < some.injected
    assert "a good bundle is refused" in some.note


def test_no_two_good_bundles_are_alike():
    assert len({data for _, data in artefacts.good(20, SEED)}) == 20


@reddens("bundles that mean ill, served")
def test_a_command_that_ends_in_a_traceback_is_seen():
    found = artefacts.served([("no archive", b"PK")], PLANTED)
    assert "a traceback" in " ".join(found.broken)


def test_what_was_not_borne_is_told_commonest_first():
    tally = Tally()
    for each in ("", "a", "b", "b"):
        tally.add(each)
    assert (tally.injected, tally.survived, tally.note) == (4, 1, "b (2); a")
