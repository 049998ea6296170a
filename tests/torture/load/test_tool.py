"""The tool that measures, measured: against servers whose behaviour is known."""

import asyncio
import contextlib
import sys
import threading
import time

import pytest
from tests.torture.load import __main__ as command
from tests.torture.load import asked
from tests.torture.load.client import NO_ANSWER, TIMED_OUT, Ask, fine
from tests.torture.load.drive import closed_load, open_load
from tests.torture.load.machine import apart, memory
from tests.torture.load.record import Record
from tests.torture.load.served import Served
from tests.torture.load.steady import faultless, unforced
from tests.torture.load.trivial import COMMAND, ceiling

PLANTED = (sys.executable, "-m", "tests.torture.load.planted", "{port}")


@pytest.fixture(scope="module")
def trivial():
    with Served(COMMAND) as served:
        yield served.url


@contextlib.contextmanager
def planted(tmp_path, bug, workers=1):
    model = tmp_path / "good"
    model.write_bytes(b"good")
    with Served([*PLANTED, str(model), bug, str(workers)]) as served:
        yield served


@pytest.mark.usefixtures("quiet_machine")
def test_one_core_drives_more_than_five_thousand_requests_a_second():
    assert ceiling([asked.plain(1)], apart()).rate > 5000


@pytest.mark.usefixtures("quiet_machine")
def test_an_open_load_is_sent_at_its_times_and_counted_whole(trivial):
    record = open_load(trivial, [Ask("x", asked.plain(1).data)], 1000, 1.0, poisson=False)
    assert len(record) == record.answered == 1000
    assert record.seconds == pytest.approx(1.0, abs=0.01)
    gaps = [b - a for a, b in zip(record.intended, record.intended[1:], strict=False)]
    assert sorted(gaps)[len(gaps) // 2] == pytest.approx(0.001, abs=1e-6)


@pytest.mark.usefixtures("quiet_machine")
def test_a_standstill_is_late_for_all_that_were_due_in_it(tmp_path):
    """A client that asks again only when it has its answer sees one late answer; so many are late."""
    with planted(tmp_path, "tail") as served:
        asks = [asked.plain(1)]
        waiting = open_load(served.url, asks, 150, 3.0, connections=1)
        patient = closed_load(served.url, asks, 1, 3.0)
    assert waiting.at(95) > 0.03
    assert patient.at(95) < 0.03


@pytest.mark.usefixtures("quiet_machine")
def test_a_server_that_cannot_keep_up_is_not_taken_for_a_slow_tool(tmp_path):
    with planted(tmp_path, "unbounded") as served:
        record = open_load(served.url, [asked.plain(1)], 1000, 1.0, patience=0.5)
    assert not record.too_slow
    assert record.at(99) > 0.3
    assert "no answer in time" in record.codes()


def test_a_tool_that_is_kept_from_its_work_says_so(trivial):
    asks = [Ask("x", b"GET / HTTP/1.1\r\n\r\n", lambda status, body: time.sleep(0.004) or True)]
    record = open_load(trivial, asks, 500, 1.0)
    assert record.too_slow
    assert "NOT A FIGURE OF THE SERVER" in "\n".join(record.lines())


def test_wrong_answers_and_refusals_without_retry_after_are_counted(tmp_path):
    with planted(tmp_path, "wrong") as served:
        asks = asked.learned(served.url, [asked.plain(1)])
        record = closed_load(served.url, asks, 4, 2.0)
    assert sum(record.wrong) == (len(record) + 1) // 100
    with planted(tmp_path, "silent") as served:
        record = open_load(served.url, asks, 1500, 1.0)
    assert sum(record.wrong) > 100
    assert record.refused == 0


def test_an_answer_at_which_the_tool_breaks_down_is_a_wrong_one(trivial):
    record = closed_load(trivial, [Ask("x", asked.plain(1).data, lambda s, b: {}[b])], 2, 0.2)
    assert sum(record.wrong) == len(record) > 0


def test_a_line_that_is_cut_is_counted_and_replaced(tmp_path):
    with planted(tmp_path, "none") as served:
        cut = Ask("cut", b"POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n", lambda s, b: s == 413)
        record = closed_load(served.url, [cut, asked.plain(1)], 4, 1.0)
    assert record.answered == len(record)
    assert {*record.code} == {200, 413}


def test_a_server_that_is_not_there_is_no_failure_of_the_tool():
    record = closed_load("http://127.0.0.1:9", [asked.plain(1)], 2, 0.3)
    assert {*record.code} == {-1}


def test_exact_percentiles_and_goodput_of_each_second():
    record = Record(began=10.0, seconds=2.0)
    for number in range(100):
        record.add(10.0, 10.0, 10.0 + (number + 1) / 50, 200, number == 99, 0)
    assert record.at(50) == pytest.approx(1.0)
    assert record.at(99) == pytest.approx(1.98)
    assert record.goodput() == [49, 50]
    assert record.answered == 99


def test_what_is_cut_or_wrong_is_not_sound_and_what_is_late_or_refused_in_form_is():
    record = Record()
    for code, wrong in ((200, False), (503, False), (TIMED_OUT, False), (NO_ANSWER, False)):
        record.add(0.0, 0.0, 1.0, code, wrong, 0)
    assert (record.sound, len(record)) == (3, 4)
    for code in (200, 500, 503):
        record.add(0.0, 0.0, 1.0, code, True, 0)
    assert (record.sound, len(record)) == (3, 7)
    promise = faultless("a load: nothing wrong", record)
    assert (promise.injected, promise.survived, promise.pace) == (7, 3, False)


def test_a_refusal_has_a_cause_where_more_are_under_way_than_are_always_served():
    record = Record()
    for number in range(20):
        record.add(0.0, number / 10, 5.0, 200, False, 0)
    for sent, done in ((0.35, 0.36), (0.45, 1.95), (9.0, 9.1)):
        record.add(0.0, sent, done, 503, False, 0)
    # 4 and itself; 5 and itself, but 20 before it was refused; itself alone
    assert [record.refused_among(few) for few in (0, 1, 4, 5, 20, 21)] == [0, 1, 1, 2, 2, 3]
    hidden = Record()
    for _ in range(10):  # all of them between question and refusal
        hidden.add(0.0, 0.2, 0.3, 200, False, 0)
    hidden.add(0.0, 0.1, 0.4, 503, False, 0)
    assert [hidden.refused_among(few) for few in (10, 11)] == [0, 1]
    promise = unforced("a load: none refused while few wait", 16, record)
    assert (promise.injected, promise.survived, promise.pace) == (23, 21, False)


def test_a_stream_is_right_however_it_is_cut_and_wrong_where_it_has_no_end(tmp_path):
    with planted(tmp_path, "none") as served:
        ask, *_ = asked.learned(served.url, [asked.stream(1)])
        record = closed_load(served.url, [ask], 2, 1.0)
    assert (record.answered, len(record)) == (2, 2)
    with planted(tmp_path, "unsaid") as served:
        threading.Timer(1.0, served.process.terminate).start()
        record = closed_load(served.url, [ask], 2, 0.5)
    assert {*record.code} == {NO_ANSWER}


def test_memory_counts_a_server_s_processes(tmp_path):
    with planted(tmp_path, "none", workers=1) as one, planted(tmp_path, "none", workers=3) as three:
        assert memory(three.process.pid).resident > 1.5 * memory(one.process.pid).resident


@pytest.mark.parametrize(
    "idle",
    [
        ["--constant"],
        ["--texts", "4", "--body", "x"],
        ["--words", "9", "--body", "x"],
        ["--content-type", "text/plain", "--rate", "1"],
    ],
    ids=lambda idle: idle[0],
)
def test_an_option_that_would_change_nothing_is_refused(idle, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["http://127.0.0.1:1", *idle])
    assert ended.value.code == 2
    assert "changes nothing" in capsys.readouterr().err


def test_the_command_prints_a_table_and_fails_where_something_is_wrong(tmp_path, capsys):
    with planted(tmp_path, "none") as served:
        assert command.main([served.url, "--rate", "100", "--seconds", "0.5"]) == 0
    assert "right answers" in capsys.readouterr().out
    with planted(tmp_path, "errors") as served:
        assert command.main([served.url, "--clients", "4", "--seconds", "2"]) == 1


def test_an_answer_without_a_body_or_in_chunks_is_read():
    async def read(*pieces):
        from tests.torture.load.client import Line

        class Owner:
            def __init__(self):
                self.found = []

            def answered(self, line, status, head, body):
                self.found.append((status, body))

            def lost(self, line):
                pass

        class Transport:
            def close(self):
                pass

        line = Line(owner := Owner())
        line.connection_made(Transport())
        for piece in pieces:
            line.data_received(piece)
        return owner.found

    assert asyncio.run(read(b"HTTP/1.1 204 No\r\n", b"\r\n")) == [(204, b"")]
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert asyncio.run(read(chunked, b"2\r\nab\r\n", b"1\r\nc\r\n0\r\n\r\n")) == [(200, b"abc")]
    assert fine(204, b"")
    assert not fine(404, b"")
