from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile_server import (
    Behaviour,
    Exchange,
    HostileServer,
    answering,
    cutting,
    honest,
    ignoring_range,
    in_turn,
    throttled,
)

from marfa.data.download import Options, download
from marfa.data.download.address import checked, redirected, shown
from marfa.data.download.part import Part, RawFile, open_raw
from marfa.data.download.patience import Patience, retry_after
from marfa.data.download.resume import Append, AskWhole, Begin, Complete, Limits, State, decide
from marfa.data.download.transfer import DroppedError, _translated
from marfa.errors import (
    BusyError,
    ChecksumError,
    DataError,
    DiskFullError,
    MarfaError,
    NetworkError,
    SettingsError,
)

CONTENT = random.Random(1).randbytes(300_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


class Listener:
    """Takes the place of the person at the terminal, and of the time that passes."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.slept: list[float] = []
        self.progress: list[tuple[int, int | None, float]] = []

    def options(self, **changes: Any) -> dict[str, Any]:
        """The keywords of `download` that make it tell this listener, and no proxy be used."""
        told = {
            "on_progress": lambda *report: self.progress.append(report),
            "say": self.news.append,
        }
        told |= {name: changes.pop(name) for name in set(told) & set(changes)}
        options = Options(**{"sleep": self.slept.append, "proxies": {}} | changes)
        return {"options": options, **told}


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A name in a folder kept in memory where the system has one: a sync is what takes the time."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        dir=memory if os.access(memory, os.W_OK) else tmp_path
    ) as name:
        yield Path(name) / "raw" / "file.bin"


def left_beside(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()} - {target.name, ".lock"}


def record(target: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((target.parent / "file.bin.part.json").read_bytes())
    return document


def unfinished(target: Path, content: bytes, **changes: Any) -> None:
    """Leave what an interrupted download of CONTENT would have left."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fields = {
        "version": 1,
        "url": "",
        "expected": f"sha256:{SHA}",
        "etag": "",
        "last_modified": "",
        "total": len(CONTENT),
        "length": len(content),
    }
    (target.parent / "file.bin.part").write_bytes(content)
    (target.parent / "file.bin.part.json").write_text(json.dumps(fields | changes))


# The plain case


def test_a_file_arrives_whole_and_nothing_else_is_left(target: Path, listener: Listener) -> None:
    with HostileServer(CONTENT) as server:
        assert download(server.url, target, sha256=SHA, **listener.options()) == SHA
    assert target.read_bytes() == CONTENT
    assert left_beside(target) == set()
    assert listener.news == []
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert "range" not in server.requests[0].headers


@pytest.mark.parametrize(
    "known", [{}, {"md5": MD5.upper()}, {"size": len(CONTENT)}, {"sha256": SHA, "md5": MD5}]
)
def test_the_sha256_is_returned_whatever_was_known_before(
    known: dict[str, Any], target: Path, listener: Listener
) -> None:
    with HostileServer(CONTENT) as server:
        assert download(server.url, target, **listener.options(), **known) == SHA


def test_a_verified_file_is_not_fetched_again(target: Path, listener: Listener) -> None:
    with HostileServer(CONTENT) as server:
        for _ in range(2):
            assert download(server.url, target, sha256=SHA, **listener.options()) == SHA
    assert len(server.requests) == 1


def test_a_wrong_file_stays_until_the_right_one_is_complete(
    target: Path, listener: Listener
) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    with HostileServer(CONTENT, cutting(1000)) as server:
        with pytest.raises(NetworkError):
            download(server.url, target, sha256=SHA, **listener.options(attempts=2))
        assert target.read_bytes() == b"old"
        server.behave = honest
        download(server.url, target, sha256=SHA, **listener.options())
    assert target.read_bytes() == CONTENT
    assert "file.bin is there, but the SHA-256 is" in listener.news[0]


def test_an_address_in_any_script_is_sent_percent_encoded(target: Path, listener: Listener) -> None:
    with HostileServer(CONTENT) as server:
        download(f"{server.url} مرفأ?a=ü", target, sha256=SHA, **listener.options())
    assert server.requests[0].path == "/file.bin%20%D9%85%D8%B1%D9%81%D8%A3?a=%C3%BC"


def test_an_empty_file_is_a_file(target: Path, listener: Listener) -> None:
    with HostileServer(b"") as server:
        assert download(server.url, target, **listener.options()) == hashlib.sha256().hexdigest()
    assert target.read_bytes() == b""


def test_progress_rises_to_the_total(target: Path, listener: Listener) -> None:
    with HostileServer(CONTENT, throttled(1e6)) as server:
        download(server.url, target, sha256=SHA, **listener.options())
    done = [length for length, _, _ in listener.progress]
    assert done == sorted(done)
    assert listener.progress[-1][:2] == (len(CONTENT), len(CONTENT))
    assert all(0 < rate < 1e8 for _, _, rate in listener.progress[:-1])


# A line that drops


@pytest.mark.parametrize("reset", [False, True])
def test_a_line_cut_again_and_again_costs_no_byte_twice(
    reset: bool, target: Path, listener: Listener
) -> None:
    with HostileServer(CONTENT, cutting(16_384, reset=reset)) as server:
        download(server.url, target, sha256=SHA, **listener.options())
    assert target.read_bytes() == CONTENT
    if not reset:  # a reset throws away what the other side has not read yet
        assert server.sent == len(CONTENT)
        assert listener.slept == []
    assert server.requests[1].headers["if-range"] == server.requests[0].etag


def test_a_line_that_gives_nothing_is_given_up_with_the_part_kept(
    target: Path, listener: Listener
) -> None:
    with HostileServer(CONTENT, in_turn(cutting(100_000), cutting(0))) as server:
        with pytest.raises(
            NetworkError, match="gave up with 100,000 of 300,000 bytes kept"
        ) as info:
            download(server.url, target, sha256=SHA, **listener.options())
        assert listener.slept == [1, 2, 4, 8, 16, 32, 60]
        assert "--mirror" in info.value.hint
        server.behave = honest
        download(server.url, target, sha256=SHA, **listener.options())
    assert server.sent == len(CONTENT)
    assert "going on from byte 100,000" in listener.news


def test_progress_restores_patience(target: Path, listener: Listener) -> None:
    moods = [cutting(0), cutting(0), cutting(20_000)] * 20
    with HostileServer(CONTENT, in_turn(*moods)) as server:
        download(server.url, target, sha256=SHA, **listener.options(attempts=3))
    assert set(listener.slept) == {1, 2}


def test_starting_over_makes_every_byte_count_as_progress_again(
    target: Path, listener: Listener
) -> None:
    def cut_whole(exchange: Exchange) -> None:
        exchange.head(200, {"Content-Length": len(CONTENT), "ETag": exchange.etag})
        exchange.body(CONTENT[:20_000])

    moods = [cutting(250_000), cut_whole, cutting(20_000)]
    with HostileServer(CONTENT, in_turn(*moods)) as server:
        download(server.url, target, sha256=SHA, **listener.options(attempts=3))
    assert target.read_bytes() == CONTENT


def test_a_byte_per_connection_does_not_count_as_progress(target: Path, listener: Listener) -> None:
    with HostileServer(CONTENT, cutting(1)) as server, pytest.raises(NetworkError):
        download(server.url, target, sha256=SHA, **listener.options(attempts=4))
    assert len(server.requests) == 4


def test_a_server_that_is_not_there_is_a_network_error(target: Path, listener: Listener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NetworkError, match=r"the line failed.*0 bytes kept") as info:
        download(f"http://127.0.0.1:{port}/a", target, **listener.options(attempts=2))
    assert info.value.exit_code == 4


def test_a_stalled_connection_is_noticed_and_made_anew(target: Path, listener: Listener) -> None:
    def stall(exchange: Exchange) -> None:
        exchange.reply(limit=50_000)
        time.sleep(0.6)

    with HostileServer(CONTENT, in_turn(stall, honest)) as server:
        started = time.monotonic()
        options = listener.options(stall_seconds=0.2)
        download(server.url, target, sha256=SHA, **options)
    assert time.monotonic() - started < 2
    assert server.offsets == [0, 50_000]


def test_a_trickle_is_as_good_as_a_stall(target: Path, listener: Listener) -> None:
    def trickle(exchange: Exchange) -> None:
        exchange.reply(limit=0)
        for byte in range(100):
            exchange.body(CONTENT[byte : byte + 1], pause=0.02)

    with HostileServer(CONTENT, in_turn(trickle, honest)) as server:
        options = listener.options(stall_seconds=0.2)
        download(server.url, target, sha256=SHA, **options)
    assert 0 < server.offsets[1] < 100  # noticed before the trickle ended
    assert "bytes came in" in listener.news[0]


# A server that lies


def test_a_server_that_ignores_ranges_makes_us_start_over_and_say_so(
    target: Path, listener: Listener
) -> None:
    with HostileServer(CONTENT, in_turn(cutting(100_000), ignoring_range)) as server:
        download(server.url, target, sha256=SHA, **listener.options())
    assert target.read_bytes() == CONTENT
    assert listener.news == ["the server sends the whole file instead of the rest: starting over"]


def test_a_server_that_ignores_ranges_on_a_line_that_drops_is_given_up(
    target: Path, listener: Listener
) -> None:
    def cut_whole(exchange: Exchange) -> None:
        exchange.head(200, {"Content-Length": len(CONTENT), "ETag": exchange.etag})
        exchange.body(CONTENT[:100_000])

    with HostileServer(CONTENT, cut_whole) as server, pytest.raises(NetworkError):
        download(server.url, target, sha256=SHA, **listener.options(attempts=5))
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 0-299999/300000",
        "bytes 99999-299999/300000",
        "bytes 100001-299999/300000",
        "bytes 100000-299999/300001",
        "bytes 100000-300000/300000",
        "bytes 100000-99999/300000",
        "bytes */300000",
        "items 100000-299999/300000",
        "",
    ],
)
def test_a_part_of_the_wrong_place_or_size_is_never_appended(
    content_range: str, target: Path, listener: Listener
) -> None:
    lie = lambda exchange: exchange.reply(content_range=content_range)  # noqa: E731
    with HostileServer(CONTENT, in_turn(cutting(100_000), lie, honest)) as server:
        download(server.url, target, sha256=SHA, **listener.options())
    assert target.read_bytes() == CONTENT
    assert server.offsets == [0, 100_000, 0]
    assert "starting over" in listener.news[0]


def test_a_file_that_changes_midway_is_fetched_anew(target: Path, listener: Listener) -> None:
    new = CONTENT[::-1]
    with HostileServer(CONTENT, cutting(100_000)) as server:
        with pytest.raises(NetworkError):
            download(server.url, target, **listener.options(attempts=0))
        server.content, server.behave = new, honest
        assert download(server.url, target, **listener.options()) == (
            hashlib.sha256(new).hexdigest()
        )
    assert target.read_bytes() == new


def test_a_changed_etag_in_a_part_is_noticed_though_the_server_ignores_if_range(
    target: Path, listener: Listener
) -> None:
    other = lambda exchange: exchange.reply(etag='"other"')  # noqa: E731
    with HostileServer(CONTENT, in_turn(cutting(100_000), other, honest)) as server:
        download(server.url, target, **listener.options())
    assert server.offsets == [0, 100_000, 0]


@pytest.mark.parametrize("etag", [None, 'W/"weak"', "unquoted", '"a\x01b"'])
def test_without_a_strong_etag_or_a_digest_nothing_is_resumed(
    etag: str | None, target: Path, listener: Listener
) -> None:
    cut = lambda exchange: exchange.reply(limit=100_000, etag=etag)  # noqa: E731
    with HostileServer(CONTENT, in_turn(cut, honest)) as server:
        download(server.url, target, **listener.options())
    assert server.offsets == [0, 0]
    assert target.read_bytes() == CONTENT


def test_without_an_etag_a_digest_is_enough_to_resume(target: Path, listener: Listener) -> None:
    cut = lambda exchange: exchange.reply(limit=100_000, etag=None)  # noqa: E731
    with HostileServer(CONTENT, cut) as server:
        download(server.url, target, sha256=SHA, **listener.options())
    assert server.sent == len(CONTENT)
    assert "if-range" not in server.requests[1].headers


@pytest.mark.parametrize(("known", "offsets"), [({"sha256": SHA}, [0, 9, 9]), ({}, [0, 9, 0])])
def test_a_new_date_ends_a_download_only_where_no_digest_can_judge(
    known: dict[str, str], offsets: list[int], target: Path, listener: Listener
) -> None:
    old = lambda exchange: exchange.reply(limit=9, last_modified="Mon")  # noqa: E731
    new = lambda exchange: exchange.reply(limit=0, last_modified="Tue", etag=None)  # noqa: E731
    with HostileServer(CONTENT, in_turn(old, new, honest)) as server:
        download(server.url, target, **listener.options(), **known)
    assert server.offsets == offsets


@pytest.mark.parametrize("every", [None, 100_000])
def test_a_length_that_is_not_told_is_found_out_with_a_digest(
    every: int | None, target: Path, listener: Listener
) -> None:
    silent = lambda exchange: exchange.reply(limit=every, content_length=None)  # noqa: E731
    with HostileServer(CONTENT, silent) as server:
        download(server.url, target, sha256=SHA, **listener.options())
    assert target.read_bytes() == CONTENT
    assert server.sent == len(CONTENT)


def test_a_wrong_file_of_untold_length_is_a_checksum_error(
    target: Path, listener: Listener
) -> None:
    silent = lambda exchange: exchange.reply(content_length=None)  # noqa: E731
    with HostileServer(CONTENT[:-1], silent) as server, pytest.raises(ChecksumError):
        download(server.url, target, sha256=SHA, **listener.options())
    assert server.offsets == [0, len(CONTENT) - 1]


def test_a_wrong_file_of_untold_length_is_found_though_ranges_are_ignored(
    target: Path, listener: Listener
) -> None:
    def silent(exchange: Exchange) -> None:
        exchange.head(200, {})
        exchange.body(exchange.content)

    with HostileServer(CONTENT[:-1], silent) as server, pytest.raises(ChecksumError):
        download(server.url, target, sha256=SHA, **listener.options())
    assert len(server.requests) == 2


def test_a_length_that_is_not_told_is_refused_without_a_digest(
    target: Path, listener: Listener
) -> None:
    silent = lambda exchange: exchange.reply(content_length=None)  # noqa: E731
    with HostileServer(CONTENT, silent) as server, pytest.raises(NetworkError, match="how long"):
        download(server.url, target, **listener.options())
    assert not target.exists()


def chunked(content: bytes, *, end: bool = True, **headers: Any) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.head(200, {"Transfer-Encoding": "chunked", **headers})
        for start in range(0, len(content), 5000):
            piece = content[start : start + 5000]
            exchange.handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if end:
            exchange.handler.wfile.write(b"0\r\n\r\n")

    return behave


def test_a_chunked_body_says_itself_where_it_ends(target: Path, listener: Listener) -> None:
    cut = chunked(CONTENT[:100_000], end=False)
    with HostileServer(CONTENT, in_turn(cut, chunked(CONTENT))) as server:
        assert download(server.url, target, **listener.options()) == SHA
    assert len(server.requests) == 2


def test_a_body_beyond_its_announced_length_is_cut_and_an_error(
    target: Path, listener: Listener
) -> None:
    longer = chunked(CONTENT + b"more", **{"Content-Length": len(CONTENT)})
    with HostileServer(CONTENT, longer) as server:
        with pytest.raises(DataError, match="goes on beyond 300,000 bytes"):
            download(server.url, target, **listener.options())
        assert not target.exists()
        server.behave = honest
        assert download(server.url, target, **listener.options()) == SHA


def test_an_endless_body_is_cut_at_the_limit(target: Path, listener: Listener) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.head(200, {"Transfer-Encoding": "chunked"})
        while True:
            exchange.handler.wfile.write(b"1000\r\n" + bytes(4096) + b"\r\n")

    with (
        HostileServer(CONTENT, endless) as server,
        pytest.raises(DataError, match="goes on beyond 200,000 bytes"),
    ):
        download(server.url, target, **listener.options(max_bytes=200_000))
    assert not target.exists()
    assert sum(path.stat().st_size for path in target.parent.iterdir()) < 201_000


def test_a_file_announced_beyond_the_limit_is_refused_unread(
    target: Path, listener: Listener
) -> None:
    with HostileServer(CONTENT) as server, pytest.raises(DataError, match="the limit is 1,000"):
        download(server.url, target, sha256=SHA, **listener.options(max_bytes=1000))
    assert (target.parent / "file.bin.part").stat().st_size == 0


def test_a_login_page_in_place_of_the_file_costs_nothing_of_what_has_come(
    target: Path, listener: Listener
) -> None:
    def login_page(exchange: Exchange) -> None:
        exchange.head(200, {"Content-Length": 4, "Content-Type": "text/html; charset=utf-8"})
        exchange.body(b"<p>!")

    known: dict[str, Any] = {"sha256": SHA, "size": len(CONTENT)}
    with HostileServer(CONTENT, in_turn(cutting(100_000), login_page, honest)) as server:
        with pytest.raises(NetworkError, match=r"announces 4 bytes \(text/html\)") as info:
            download(server.url, target, **listener.options(), **known)
        assert "login page" in info.value.hint
        download(server.url, target, **listener.options(), **known)
    assert server.offsets == [0, 100_000, 100_000]


def test_a_compressed_answer_is_refused_where_no_digest_can_judge_it(
    target: Path, listener: Listener
) -> None:
    packed = lambda exchange: exchange.reply(content_encoding="gzip")  # noqa: E731
    with HostileServer(CONTENT, packed) as server:
        with pytest.raises(NetworkError, match="content-encoding 'gzip'"):
            download(server.url, target, **listener.options())
        # Some servers call a .tar.gz "content-encoding: gzip" though its plain bytes are sent.
        assert download(server.url, target, sha256=SHA, **listener.options()) == SHA


def test_a_corrupt_byte_is_found_and_the_next_run_is_clean(
    target: Path, listener: Listener
) -> None:
    corrupt = CONTENT[:1234] + bytes([CONTENT[1234] ^ 1]) + CONTENT[1235:]
    with HostileServer(corrupt) as server:
        with pytest.raises(ChecksumError) as info:
            download(server.url, target, sha256=SHA, **listener.options())
        assert f"{hashlib.sha256(corrupt).hexdigest()}; expected {SHA}" in info.value.what
        assert "--mirror" in info.value.hint
        assert left_beside(target) == set()
        assert not target.exists()
        server.content = CONTENT
        download(server.url, target, sha256=SHA, **listener.options())
    assert server.offsets == [0, 0]


def test_status_416_on_a_complete_part_leads_to_the_check(target: Path, listener: Listener) -> None:
    unfinished(target, CONTENT, total=None)
    with HostileServer(CONTENT) as server:
        assert download(server.url, target, sha256=SHA, **listener.options()) == SHA
    assert server.offsets == [len(CONTENT)]
    assert server.sent == 0


def test_status_416_on_a_shrunken_file_starts_over(target: Path, listener: Listener) -> None:
    unfinished(target, CONTENT, total=None)
    small = CONTENT[:1000]
    with HostileServer(small) as server, pytest.raises(ChecksumError):
        download(server.url, target, sha256=SHA, **listener.options())
    assert server.offsets == [len(CONTENT), 0]


# A server that is busy


def test_retry_after_is_honoured_and_capped(target: Path, listener: Listener) -> None:
    busy = [answering(429, retry_after="7"), answering(503, retry_after="86400"), answering(500)]
    with HostileServer(CONTENT, in_turn(*busy, honest)) as server:
        download(server.url, target, sha256=SHA, **listener.options())
    assert listener.slept == [7, 120, 4]
    assert "429: trying again in 7 s" in listener.news[0]


def test_a_date_in_retry_after_is_read_against_the_servers_clock() -> None:
    now = "Sun, 06 Nov 1994 08:49:37 GMT"
    later = "Sun, 06 Nov 1994 08:49:57 GMT"
    assert retry_after({"retry-after": later, "date": now}) == 20
    assert retry_after({"retry-after": now, "date": later}) == 0
    assert retry_after({"retry-after": later}) is None


@pytest.mark.parametrize("status", [401, 403, 404, 410, 204, 304])
def test_some_answers_are_final(status: int, target: Path, listener: Listener) -> None:
    with (
        HostileServer(CONTENT, answering(status)) as server,
        pytest.raises(NetworkError, match=f"the server answered {status}") as info,
    ):
        download(server.url, target, sha256=SHA, **listener.options())
    assert "--mirror" in info.value.hint
    assert len(server.requests) == 1


# Redirects and addresses


def to(location: str, status: int = 302) -> Behaviour:
    return answering(status, location=location)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_also_when_resuming(
    status: int, target: Path, listener: Listener
) -> None:
    with (
        HostileServer(CONTENT, cutting(200_000)) as server,
        HostileServer(b"", to(server.url, status)) as front,
    ):
        download(front.url, target, sha256=SHA, **listener.options())
    assert server.offsets == [0, 200_000]
    assert len(front.requests) == 2


def test_a_redirect_loop_ends(target: Path, listener: Listener) -> None:
    with (
        HostileServer(b"", to("/again")) as server,
        pytest.raises(NetworkError, match="more than 10 redirects"),
    ):
        download(server.url, target, sha256=SHA, **listener.options())
    assert len(server.requests) == 11


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://h/a", "", "//[", "javascript:1"])
def test_a_redirect_away_from_http_is_refused(
    location: str, target: Path, listener: Listener
) -> None:
    with (
        HostileServer(b"", to(location)) as server,
        pytest.raises(NetworkError, match="not an http or https address"),
    ):
        download(server.url, target, sha256=SHA, **listener.options())
    assert len(server.requests) == 1


def test_a_redirect_to_plain_http_needs_a_digest() -> None:
    with pytest.raises(NetworkError, match="unprotected"):
        redirected("https://h/a", "http://h/a", downgrade=False)
    assert redirected("https://h/a", "http://h/a", downgrade=True) == "http://h/a"


@contextlib.contextmanager
def public_host(behave: Behaviour) -> Iterator[HostileServer]:
    """Serve on 127.0.0.2, which the options of these tests take for a public address."""
    try:
        server = HostileServer(CONTENT, behave, host="127.0.0.2")
    except OSError:
        pytest.skip("this system has one loopback address only")
    with server:
        yield server


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"])
def test_a_public_server_cannot_redirect_to_a_local_one(
    name: str, target: Path, listener: Listener
) -> None:
    options = listener.options(is_public=lambda address: address == "127.0.0.2")
    with HostileServer(CONTENT) as local:
        with public_host(to(f"http://{name}:{local.port}/file.bin")) as front:
            with pytest.raises(NetworkError, match="local address, which is refused"):
                download(front.url, target, sha256=SHA, **options)
            assert local.requests == []
        with HostileServer(CONTENT, to(local.url)) as mirror:
            assert download(mirror.url, target, sha256=SHA, **options) == SHA


def test_a_proxy_is_used_and_does_not_count_as_the_server(target: Path, listener: Listener) -> None:
    with HostileServer(CONTENT, in_turn(honest, to("http://127.0.0.1:1/a"))) as proxy:
        options = listener.options(proxies={"http": f"http://127.0.0.1:{proxy.port}"})
        url = "http://files.invalid/file.bin"
        assert download(url, target, sha256=SHA, **options) == SHA
        assert proxy.requests[0].path == url
        target.unlink()
        with pytest.raises(NetworkError, match="local address, which is refused"):
            download(url, target, sha256=SHA, **options)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://h/a",
        "gopher://h",
        "",
        "http://",
        "raw/file.bin",
        "http://h:port/a",
        "http://[/",
        "http://a..b/",
        "http://a b/",
        "http://h\x00/",
        "data:,a",
    ],
)
def test_only_complete_http_addresses_are_accepted(
    url: str, target: Path, listener: Listener
) -> None:
    with pytest.raises(SettingsError, match="not an http or https address"):
        download(url, target, **listener.options())
    assert not target.parent.exists()


@given(st.one_of(st.text(), st.text().map("http://h/{}".format), st.text().map("http://{}".format)))
def test_any_text_is_an_address_that_can_be_sent_or_a_settings_error(text: str) -> None:
    try:
        url = checked(text)
    except SettingsError:
        return
    assert url.split("@")[-1].isascii()
    assert not any(letter <= " " for letter in url.split("@")[-1])
    assert checked(url) == url


@pytest.mark.parametrize("digest", [{"sha256": "abc"}, {"md5": "g" * 32}, {"sha256": MD5}])
def test_a_malformed_digest_is_refused(
    digest: dict[str, str], target: Path, listener: Listener
) -> None:
    with pytest.raises(SettingsError, match="hexadecimal digits"):
        download("http://127.0.0.1:1/", target, **listener.options(), **digest)


def test_a_password_is_sent_to_its_host_only_and_never_shown(
    target: Path, listener: Listener
) -> None:
    with (
        HostileServer(CONTENT, answering(403)) as other,
        HostileServer(b"") as server,
    ):
        elsewhere = other.url.replace("//", "//them:hidden4@")
        server.behave = in_turn(to("/b?key=hidden2"), to(elsewhere))
        url = server.url.replace("//", "//me:hidden1@") + "?token=hidden3"
        with pytest.raises(NetworkError) as info:
            download(url, target, sha256=SHA, **listener.options())
        server.behave = answering(500)
        with pytest.raises(NetworkError):
            download(url, target, sha256=SHA, **listener.options(attempts=2))
    assert [request.headers["authorization"] for request in server.requests[:2]] == [
        "Basic bWU6aGlkZGVuMQ=="
    ] * 2
    assert "authorization" not in other.requests[0].headers
    told = [str(info.value), info.value.hint, *listener.news]
    told += [path.read_text() for path in target.parent.iterdir()]
    assert not any("hidden" in text for text in told)
    assert shown("http://[me:hidden") == "the address given"


def test_a_bad_certificate_is_final_and_the_hint_names_the_clock() -> None:
    with pytest.raises(NetworkError, match="certificate") as info, _translated("https://h/"):
        raise ssl.SSLCertVerificationError(1, "certificate has expired")
    assert not isinstance(info.value, DroppedError)
    assert "date" in info.value.hint


# Interruptions


def test_bytes_beyond_the_record_are_not_trusted(target: Path, listener: Listener) -> None:
    unfinished(target, CONTENT[:120_000] + bytes(400_000), length=120_000)
    with HostileServer(CONTENT) as server:
        download(server.url, target, sha256=SHA, **listener.options())
    assert target.read_bytes() == CONTENT
    assert server.offsets == [120_000]


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "file.bin.part.json").unlink(),
        lambda folder: (folder / "file.bin.part.json").write_bytes(bytes(200)),
        lambda folder: (folder / "file.bin.part.json").write_text("[]"),
        lambda folder: (folder / "file.bin.part.json").write_text('{"version": 1}'),
        lambda folder: (folder / "file.bin.part.json").write_text('{"version": 1, "length": true}'),
        lambda folder: (folder / "file.bin.part.json").write_text('{"version": 2, "length": 0}'),
        lambda folder: (folder / "file.bin.part").write_bytes(CONTENT[:99]),
        lambda folder: unfinished(folder / "file.bin", CONTENT[:9], expected="sha256:00"),
        lambda folder: unfinished(folder / "file.bin", CONTENT[:9], length=-1),
        lambda folder: unfinished(folder / "file.bin", CONTENT[:9], length=9, total=8),
    ],
)
def test_a_record_that_cannot_be_relied_on_means_starting_over_aloud(
    harm: Callable[[Path], object], target: Path, listener: Listener
) -> None:
    unfinished(target, CONTENT[:100_000])
    harm(target.parent)
    with HostileServer(CONTENT) as server:
        download(server.url, target, sha256=SHA, **listener.options())
    assert server.offsets == [0]
    assert listener.news[0].endswith("starting over")


def test_a_crash_before_the_rename_costs_no_request(target: Path, listener: Listener) -> None:
    unfinished(target, CONTENT)
    assert download("http://127.0.0.1:1/", target, sha256=SHA, **listener.options()) == SHA
    assert target.read_bytes() == CONTENT


def test_what_a_crash_leaves_is_cleared_away(target: Path, listener: Listener) -> None:
    unfinished(target, CONTENT[:10])
    (target.parent / ".file.bin.part.json.0123abcd.tmp").write_bytes(b"{")
    target.write_bytes(CONTENT)
    assert download("http://127.0.0.1:1/", target, sha256=SHA, **listener.options()) == SHA
    assert left_beside(target) == set()


def test_another_mirror_goes_on_where_the_first_one_stopped(
    target: Path, listener: Listener
) -> None:
    with HostileServer(CONTENT, cutting(100_000)) as first, HostileServer(CONTENT) as second:
        with pytest.raises(NetworkError):
            download(first.url, target, sha256=SHA, **listener.options(attempts=0))
        download(second.url, target, sha256=SHA, **listener.options())
    assert second.offsets == [100_000]
    assert "if-range" not in second.requests[0].headers


def test_ctrl_c_keeps_every_byte(target: Path, listener: Listener) -> None:
    def interrupt(length: int, total: int | None, rate: float) -> None:
        if length > 100_000:
            raise KeyboardInterrupt

    with HostileServer(CONTENT, throttled(1e6)) as server:
        options = listener.options(on_progress=interrupt)
        with pytest.raises(KeyboardInterrupt):
            download(server.url, target, sha256=SHA, **options)
        kept = record(target)["length"]
        assert kept > 100_000
        assert (target.parent / "file.bin.part").read_bytes() == CONTENT[:kept]
        server.behave = honest
        download(server.url, target, sha256=SHA, **listener.options())
    assert server.offsets == [0, kept]


CHILD = """
import resource, signal, sys
from pathlib import Path
from marfa.data.download import Options, download
from marfa.errors import MarfaError
if sys.argv[4] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
try:
    print(download(sys.argv[1], Path(sys.argv[2]), sha256=sys.argv[3], options=Options(proxies={})))
except MarfaError as error:
    print(type(error).__name__, error)
"""


def start(server: HostileServer, target: Path, sha256: str, largest: int = 0) -> Any:
    command = [sys.executable, "-c", CHILD, server.url, str(target), sha256, str(largest)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_kill_9_again_and_again_ends_with_the_same_bytes_and_little_waste(target: Path) -> None:
    content = random.Random(2).randbytes(1_200_000)
    sha256 = hashlib.sha256(content).hexdigest()
    children: list[Any] = []
    kills = 5

    def kill_midway(exchange: Exchange) -> None:
        """Slow enough that the record is written now and then; the client dies at 200 kB."""
        exchange.reply(limit=200_000, pause=0.03)
        os.kill(children[-1].pid, signal.SIGKILL)

    with HostileServer(content, in_turn(*[kill_midway] * kills, honest)) as server:
        while True:
            child = start(server, target, sha256)
            children.append(child)
            output, _ = child.communicate(timeout=30)
            if child.returncode != -signal.SIGKILL:
                break
    assert output.strip() == sha256
    assert target.read_bytes() == content
    assert len(children) == kills + 1
    assert server.sent <= 1.01 * len(content) + kills * 200_000 * 0.75
    assert left_beside(target) == set()


def test_a_second_process_is_refused_at_once_naming_the_first(
    target: Path, listener: Listener
) -> None:
    arrived, leave = threading.Event(), threading.Event()

    def hold(exchange: Exchange) -> None:
        arrived.set()
        leave.wait(20)
        exchange.reply()

    with HostileServer(CONTENT, hold) as server:
        child = start(server, target, SHA)
        assert arrived.wait(20)
        with pytest.raises(BusyError, match=rf"process {child.pid}\b"):
            download(server.url, target, sha256=SHA, **listener.options())
        leave.set()
        assert child.communicate(timeout=20)[0].strip() == SHA
    assert len(server.requests) == 1


# The disk


class WatchedFile:
    """A real file that passes everything on."""

    def __init__(self, file: RawFile) -> None:
        self.file = file

    def write(self, data: memoryview, /) -> int | None:
        return self.file.write(data)

    def seek(self, offset: int, /) -> int:
        return self.file.seek(offset)

    def truncate(self, size: int, /) -> int:
        return self.file.truncate(size)

    def fileno(self) -> int:
        return self.file.fileno()

    def close(self) -> None:
        self.file.close()


class FullDisk(WatchedFile):
    """A file on a disk that has room for so many more bytes."""

    def __init__(self, file: RawFile, room: int) -> None:
        super().__init__(file)
        self.room = room

    def write(self, data: memoryview, /) -> int | None:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.file.write(data[: self.room]) or 0
        self.room -= written
        return written


class Suspicious(WatchedFile):
    """A file that looks into the record whenever it is about to be synced or emptied."""

    def __init__(self, path: Path, target: Path) -> None:
        super().__init__(open_raw(path))
        self.target = target
        self.at_sync: list[int] = []
        self.at_emptying: list[int] = []

    def fileno(self) -> int:
        self.at_sync.append(record(self.target)["length"])
        return self.file.fileno()

    def truncate(self, size: int, /) -> int:
        self.at_emptying.append(record(self.target)["length"])
        return self.file.truncate(size)


def test_the_record_never_vouches_for_bytes_that_are_not_synced_or_no_longer_there(
    target: Path,
) -> None:
    unfinished(target, b"old")
    files: list[Suspicious] = []

    def opener(path: Path) -> RawFile:
        files.append(Suspicious(path, target))
        return files[-1]

    wanted = State(expected=f"sha256:{SHA}", total=len(CONTENT))
    with Part(target, wanted, opener=opener) as part:
        part.append(b"and")
        part.save()
        part.begin(wanted)
        part.append(b"new")
    assert files[0].at_sync == [3, 0]
    assert files[0].at_emptying == [3, 0]
    assert record(target)["length"] == 3


def test_a_full_disk_is_said_and_what_fitted_is_good(target: Path) -> None:
    target.parent.mkdir()
    wanted = State(url="http://h/", expected=f"sha256:{SHA}", total=len(CONTENT))
    part = Part(target, wanted, opener=lambda path: FullDisk(open_raw(path), 70_000))
    with pytest.raises(DiskFullError, match="no room") as info, part:
        part.append(CONTENT)
    assert info.value.exit_code == 28
    with Part(target, wanted) as again:
        assert again.state.length == 70_000
        again.append(CONTENT[70_000:])
    again.install(target)
    assert target.read_bytes() == CONTENT
    assert left_beside(target) == set()


def test_a_real_limit_of_the_system_stops_cleanly_and_the_next_run_goes_on(
    target: Path, listener: Listener
) -> None:
    target.parent.mkdir()
    (target.parent / "other.bin").write_bytes(b"intact")
    with HostileServer(CONTENT) as server:
        output = start(server, target, SHA, largest=100_000).communicate(timeout=20)[0]
        assert output.startswith("MarfaError")
        assert "File too large" in output
        assert not target.exists()
        download(server.url, target, sha256=SHA, **listener.options())
    assert server.offsets == [0, 100_000]
    assert target.read_bytes() == CONTENT
    assert (target.parent / "other.bin").read_bytes() == b"intact"


def test_a_file_that_cannot_fit_is_refused_before_it_is_read(
    target: Path, listener: Listener
) -> None:
    huge = lambda exchange: exchange.reply(content_length=1 << 59)  # noqa: E731
    with (
        HostileServer(CONTENT, huge) as server,
        pytest.raises(DiskFullError, match="576,460,752,303,423,488 bytes are still needed"),
    ):
        download(server.url, target, **listener.options(max_bytes=1 << 60))


def test_a_rest_that_cannot_fit_is_refused_before_it_is_read(
    target: Path, listener: Listener
) -> None:
    size = 1 << 59
    unfinished(target, CONTENT[:100], total=size)
    huge = lambda exchange: exchange.reply(content_range=f"bytes 100-{size - 1}/{size}")  # noqa: E731
    options = listener.options(max_bytes=1 << 60)
    with (
        HostileServer(CONTENT, huge) as server,
        pytest.raises(DiskFullError, match=f"{size - 100:,}"),
    ):
        download(server.url, target, sha256=SHA, **options)
    assert record(target)["length"] == 100


def test_a_target_that_is_a_folder_is_refused_before_anything_is_asked(
    target: Path, listener: Listener
) -> None:
    target.mkdir(parents=True)
    with pytest.raises(MarfaError, match="directory"):
        download("http://127.0.0.1:1/", target, **listener.options())


def test_a_move_that_fails_is_said_and_keeps_the_part(target: Path) -> None:
    target.parent.mkdir()
    wanted = State(url="http://h/", total=3)
    with Part(target, wanted) as part:
        part.append(b"abc")
    target.mkdir()
    with pytest.raises(MarfaError, match="cannot be read or written"):
        part.install(target)
    assert part.path.read_bytes() == b"abc"


# Decisions, for any answer whatever

HEADER = st.sampled_from(
    ["content-range", "content-length", "etag", "last-modified", "content-encoding"]
) | st.sampled_from(["retry-after", "date", "transfer-encoding", "content-type"])
RANGE = st.builds("bytes {}-{}/{}".format, *[st.integers(0, 12)] * 3)


@given(
    st.builds(
        State,
        etag=st.sampled_from(["", '"a"', 'W/"a"']),
        expected=st.sampled_from(["", "sha256:00"]),
        total=st.none() | st.just(12),
        length=st.integers(0, 12),
    ),
    st.integers(100, 599) | st.sampled_from([200, 206, 206, 206, 416]),
    st.dictionaries(HEADER, st.text(max_size=9) | RANGE | st.integers(0, 12).map(str)),
)
def test_no_answer_makes_us_append_at_a_wrong_place_or_throw_away_for_nothing(
    state: State, status: int, headers: dict[str, str]
) -> None:
    match decide(state, Limits(max_bytes=100), status, headers):
        case Append(after, end):
            assert status == 206
            assert headers["content-range"].startswith(f"bytes {state.length}-{end - 1}/")
            assert after.length == state.length < end
            assert state.total in (None, after.total)
        case Begin(after, why):
            assert status == 200 or not state.length
            assert after.length == 0
            assert bool(why) == bool(state.length)
        case Complete(after):
            assert status == 416
            assert after.complete
        case AskWhole():
            assert state.length


@given(st.lists(st.integers(0, 10_000), max_size=60), st.integers(1, 6))
def test_patience_ends_where_nothing_comes(lengths: list[int], attempts: int) -> None:
    patience = Patience(attempts)
    for length in lengths:
        patience.failed(length)
    waits = [patience.failed(max(lengths, default=0)) for _ in range(attempts + 1)]
    assert waits[-1] is None
    assert all(wait is None or 0 <= wait <= 60 for wait in waits)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_server_does_in_turn_the_name_holds_the_right_bytes_or_none(
    seed: int, target: Path, listener: Listener
) -> None:
    dice = random.Random(seed)
    moods: list[Behaviour] = [
        honest,
        ignoring_range,
        cutting(40_000),
        cutting(40_000, reset=True),
        cutting(0),
        answering(503),
        answering(416),
        answering(206),
        answering(429, retry_after="1"),
        lambda exchange: exchange.reset(),
        lambda exchange: exchange.reply(limit=30_000, content_length=None),
        lambda exchange: exchange.reply(limit=30_000, etag='"other"'),
        lambda exchange: exchange.reply(limit=30_000, content_encoding="gzip"),
        lambda exchange: exchange.reply(content_range="bytes 5-299999/300000"),
        lambda exchange: exchange.head(200, {"Content-Length": "many"}),
        lambda exchange: exchange.handler.wfile.write(b"SSH-2.0-OpenSSH\r\n"),
        chunked(CONTENT[:50_000], end=False),
        chunked(CONTENT),
    ]
    known = dice.choice([{"sha256": SHA}, {"md5": MD5}, {"size": len(CONTENT)}, {}])
    behave = in_turn(*dice.choices(moods, k=25), honest)
    with HostileServer(CONTENT, behave) as server:
        for _ in range(10):
            with contextlib.suppress(MarfaError):
                download(server.url, target, **listener.options(), **known)
            assert not target.exists() or target.read_bytes() == CONTENT
        server.behave = honest
        assert download(server.url, target, **listener.options(), **known) == SHA
    assert left_beside(target) == set()
