"""score on a long file: several processes, killed, stopped and short of room; always the same bytes."""

import contextlib
import csv
import errno
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow as arrow
import pytest
from pyarrow import parquet
from tests.functional.test_train_there import Notes

from marfa.errors import BusyError, DataError, MarfaError, MissingExtraError
from marfa.files import lock
from marfa.stages.score import portions, score
from marfa.stages.score.journal import Journal, folder_of

TEXTS = [f"a wonderful film {n} " + "and dull " * (n % 40) for n in range(3000)]


def write(path, texts):
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    return write(tmp_path_factory.mktemp("long") / "in.jsonl", TEXTS)


@pytest.fixture(scope="module")
def whole(model_path, long):
    """What is written where nothing goes wrong."""
    output = long.with_name("whole.jsonl")
    score(model_path, long, output, workers=1)
    return output.read_bytes()


def begun(model, file, output, **given):
    """Start the command as a person does."""
    command = [sys.executable, "-m", "marfa", "score", model, file, "-o", output, "--workers", "2"]
    return subprocess.Popen(
        [*map(str, command)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, **given
    )


def wait_for_rows(output):
    for _ in range(600):
        if (folder_of(output) / "part").exists() and (folder_of(output) / "part").stat().st_size:
            return
        time.sleep(0.01)
    raise AssertionError


def children(pid):
    """All that it has started, whichever of its threads did."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    with contextlib.suppress(OSError):  # a thread, or all of it, has ended
        return [int(each) for path in found for each in path.read_text().split()]
    return []


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    return write(tmp_path_factory.mktemp("longer") / "in.jsonl", TEXTS * 12)


@pytest.fixture(scope="module")
def whole_longer(model_path, longer):
    output = longer.with_name("whole.jsonl")
    score(model_path, longer, output, workers=2)
    return output.read_bytes()


def test_several_processes_write_the_bytes_of_one(model_path, long, whole, tmp_path):
    found = score(model_path, long, tmp_path / "out.jsonl", workers=3)
    assert found["rows"] == len(TEXTS)
    assert (tmp_path / "out.jsonl").read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, marks=pytest.mark.job),
        pytest.param(signal.SIGINT, marks=pytest.mark.job),
        signal.SIGKILL,
    ],
)
def test_the_same_command_goes_on(model_path, longer, whole_longer, tmp_path, number):
    output = tmp_path / "out.jsonl"
    first = begun(model_path, longer, output, start_new_session=True)
    wait_for_rows(output)
    os.killpg(first.pid, number) if number == signal.SIGINT else first.send_signal(number)
    _, said = first.communicate(timeout=30)
    assert first.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert "Traceback" not in said
    assert not output.exists()
    notes = Notes()
    score(model_path, longer, output, talk=notes, workers=2)
    assert output.read_bytes() == whole_longer
    if number != signal.SIGKILL:
        assert "rows that are judged already" in notes
        assert "the same command again" in said
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.job
def test_a_process_that_is_killed_is_replaced(model_path, longer, whole_longer, tmp_path):
    output = tmp_path / "out.jsonl"
    first = begun(model_path, longer, output)
    wait_for_rows(output)
    for pid in children(first.pid):
        os.kill(pid, signal.SIGKILL)
    assert first.wait(timeout=60) == 0
    first.stderr.close()
    assert output.read_bytes() == whole_longer


@pytest.mark.job
def test_processes_that_are_killed_again_and_again_end_it(
    model_path, longer, whole_longer, tmp_path
):
    output = tmp_path / "out.jsonl"
    first = begun(model_path, longer, output)
    wait_for_rows(output)
    while first.poll() is None:
        for pid in children(first.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    assert first.returncode == 1
    said = first.communicate()[1]
    assert "ended 3 times, at last by signal 9" in said
    assert "--workers 1" in said
    score(model_path, longer, output)
    assert output.read_bytes() == whole_longer


@pytest.mark.job
def test_nobody_is_left_when_the_one_that_asks_is_killed(model_path, longer, tmp_path):
    first = begun(model_path, longer, tmp_path / "out.jsonl")
    wait_for_rows(tmp_path / "out.jsonl")
    those = children(first.pid)
    first.kill()
    first.communicate()
    assert len(those) == 2
    end = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") for pid in those):
        assert time.monotonic() < end
        time.sleep(0.02)


def half(model_path, long, output):
    """Leave half of the rows judged: the row after them cannot be read."""
    lines = long.read_text().splitlines(keepends=True)
    broken = output.with_name("broken.jsonl")
    broken.write_text("".join([*lines[:2000], "nonsense\n", *lines[2000:]]))
    with pytest.raises(DataError, match=r"broken\.jsonl:2001"):
        score(model_path, broken, output, workers=1)
    return broken


def test_a_row_is_mended_and_what_stood_before_it_is_not_judged_again(
    model_path, long, whole, tmp_path
):
    output, notes = tmp_path / "out.jsonl", Notes()
    half(model_path, long, output)
    score(model_path, long, output, talk=notes, workers=1)
    assert "going on after 1,792 rows" in notes
    assert output.read_bytes() == whole


def test_other_texts_or_another_engine_begin_anew(model_path, long, whole, tmp_path):
    output, notes = tmp_path / "out.jsonl", Notes()
    half(model_path, long, output)
    other = write(tmp_path / "other.jsonl", ["bad", *TEXTS[1:]])
    found = score(model_path, other, output, talk=notes, workers=1)
    assert "the texts are others than before; begun anew" in notes
    assert found["rows"] == len(output.read_bytes().splitlines()) == len(TEXTS)
    output.unlink()
    half(model_path, long, output)
    score(model_path, long, output, talk=notes, workers=1, engine="numpy")
    assert "what computes, or marfa is another than before" in notes
    assert len(output.read_bytes().splitlines()) == len(TEXTS)


def test_a_file_that_ends_before_what_was_judged_begins_anew(model_path, long, tmp_path):
    output, notes = tmp_path / "out.jsonl", Notes()
    half(model_path, long, output)
    assert (
        score(model_path, write(tmp_path / "s.jsonl", TEXTS[:9]), output, talk=notes)["rows"] == 9
    )
    assert "begun anew" in notes


def ended_before_the_last_step(model, file, output):
    """Judge all of it, and end by kill -9 when the output has its name and the journal is there."""
    script = (
        "import os, sys; from marfa.stages.score.journal import Journal\n"
        "Journal.done = lambda journal: os.kill(os.getpid(), 9)\n"
        "from marfa.cli import main; main(sys.argv[1:])"
    )
    arguments = ["score", model, file, "-o", output, "--workers", "1"]
    ended = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert {path.name for path in folder_of(output).iterdir()} == {".lock", "journal.json"}


def test_an_output_that_is_whole_is_not_judged_again(model_path, long, whole, tmp_path):
    output, notes = tmp_path / "out.jsonl", Notes()
    ended_before_the_last_step(model_path, long, output)
    before = output.stat()
    found = score(model_path, long, output, talk=notes, workers=1)
    assert "all 3,000 rows are judged already" in notes
    assert "begun anew" not in notes
    assert (output.stat().st_ino, output.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert output.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert found == score(model_path, long, output, workers=1)


def test_an_output_that_somebody_has_changed_is_judged_again(model_path, long, whole, tmp_path):
    output, notes = tmp_path / "out.jsonl", Notes()
    ended_before_the_last_step(model_path, long, output)
    output.write_bytes(b"x" + whole[1:])
    score(model_path, long, output, talk=notes, workers=1)
    assert output.read_bytes() == whole
    assert "begun anew" not in notes


def test_more_texts_than_an_output_has_begin_anew_and_leave_it_until_then(
    model_path, long, whole, tmp_path
):
    output, notes = tmp_path / "out.jsonl", Notes()
    first = write(tmp_path / "first.jsonl", TEXTS[:512])
    ended_before_the_last_step(model_path, first, output)
    before = output.read_bytes()
    half(model_path, long, output)
    assert output.read_bytes() == before
    assert whole.startswith(before)
    output.unlink()
    ended_before_the_last_step(model_path, first, output)
    assert score(model_path, long, output, talk=notes, workers=1)["rows"] == len(TEXTS)
    assert "the texts are others than before; begun anew" in notes
    assert output.read_bytes() == whole


def test_two_at_once_are_told(model_path, long, tmp_path):
    output = tmp_path / "out.jsonl"
    with lock(folder_of(output)), pytest.raises(BusyError, match="another marfa"):
        score(model_path, long, output)


def test_a_full_disk_says_how_much_is_needed_and_then_it_goes_on(
    model_path, long, whole, tmp_path, monkeypatch
):
    """The part may not grow over 300 kB, and the system says it as it says that a disk is full."""
    output = tmp_path / "out.jsonl"
    script = (
        "import errno, resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from marfa import files; files._FULL.add(errno.EFBIG)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, -1))\n"
        "from marfa.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["score", str(model_path), str(long), "-o", str(output), "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 28, done.stderr
    needed = int(done.stderr.split("about ")[-1].split(" bytes more")[0].replace(",", ""))
    assert 0.5 * (len(whole) - 300_000) < needed < 2 * len(whole) + (1 << 20)
    notes = Notes()
    score(model_path, long, output, talk=notes, workers=1)
    assert output.read_bytes() == whole


class Failing:
    """A file whose disk fails at one call: as Linux does, it tells that once, and the next succeeds."""

    def __init__(self, file):
        self.file, self.call, self.number = file, "", 0

    def __getattr__(self, name):
        if name != self.call:
            return getattr(self.file, name)
        self.call = ""
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EIO, "cannot be read or written"), (errno.ENOSPC, "no room left")]
)
@pytest.mark.parametrize("call", ["write", "flush", "fileno"])  # fsync asks for the last
@pytest.mark.parametrize("at_once", [True, False])
def test_rows_that_the_disk_has_lost_are_never_certain(tmp_path, call, at_once, number, said):
    output, now, (first, second, third) = tmp_path / "out.csv", [0.0], portions.cut(["good"] * 600)
    folder_of(output).mkdir()
    journal = Journal(output, "key", b"head\n", clock=lambda: now[0])
    journal._file = file = Failing(journal._file)
    now[0] = 10.0  # so it is time to make the first rows certain
    journal.add(first, b"first\n", Counter(good=256), None)
    journal.add(second, b"second\n", Counter(good=256), None)
    now[0] += 10.0 * at_once
    file.call, file.number = call, number
    with pytest.raises(MarfaError, match=said):  # noqa: PT012 - in either of the two
        journal.add(third, b"third\n", Counter(good=88), None)
        journal.whole()
    journal.close()
    again = Journal(output, "key", b"head\n")
    assert (again.rows, again.part.read_bytes()) == (256, b"head\nfirst\n")
    again.close()


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl.gz", "csv.gz", "parquet"])
def test_every_kind_is_read_and_written(model_path, tmp_path, kind):
    texts = ["A wonderful film.", "", 'It "broke", twice\nand\ttore.', "فيلم رائع"] * 80
    plain = write(tmp_path / "in.jsonl", texts)
    file, output = tmp_path / f"in.{kind}", tmp_path / f"out.{kind}"
    if kind == "parquet":
        parquet.write_table(arrow.table({"id": range(320), "text": texts}), file, row_group_size=7)
    else:
        opener = gzip.open if kind.endswith(".gz") else open
        with opener(file, "wt", newline="", encoding="utf-8") as out:
            if "jsonl" in kind:
                out.write(plain.read_text())
            else:
                writer = csv.writer(out, delimiter="\t" if kind == "tsv" else ",")
                writer.writerows([("text",), *([text] for text in texts)])
    for each in (plain, file):
        score(model_path, each, tmp_path / f"{each.name}.csv")
    assert (tmp_path / f"{file.name}.csv").read_bytes() == (tmp_path / "in.jsonl.csv").read_bytes()
    score(model_path, file, output)
    once = output.read_bytes()
    score(model_path, plain, output)
    assert output.read_bytes() == once
    with open(tmp_path / "in.jsonl.csv", newline="", encoding="utf-8") as read:
        expected = list(csv.DictReader(read))
    if kind == "parquet":
        found = parquet.read_table(output).to_pylist()
        assert [row["label"] or "" for row in found] == [row["label"] for row in expected]
        assert [row["known"] for row in found] == [int(row["known"]) for row in expected]
        return
    opener = gzip.open if kind.endswith(".gz") else open
    with opener(output, "rt", newline="", encoding="utf-8") as read:
        if "jsonl" in kind:
            found = [json.loads(line)["label"] or "" for line in read]
            assert found == [row["label"] for row in expected]
        else:
            assert list(csv.DictReader(read, delimiter="\t" if kind == "tsv" else ",")) == expected


@pytest.mark.parametrize(
    ("columns", "words"),
    [({"review": ["x"]}, "no column 'text'"), ({"text": [None]}, "the text is null")],
)
def test_parquet_that_cannot_be_used_is_told(model_path, tmp_path, columns, words):
    parquet.write_table(arrow.table(columns), tmp_path / "in.parquet")
    with pytest.raises(DataError, match=words):
        score(model_path, tmp_path / "in.parquet", tmp_path / "out.csv")
    (tmp_path / "in.parquet").write_bytes(b"PAR1 and nothing else PAR1")
    with pytest.raises(DataError, match="not Parquet, cut off or damaged"):
        score(model_path, tmp_path / "in.parquet", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_without_pyarrow_it_says_what_to_type(model_path, long, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="pyarrow") as caught:
        score(model_path, long, tmp_path / "out.parquet")
    assert caught.value.hint == "pip install 'marfa[parquet]'"


@pytest.mark.job
def test_the_memory_of_the_one_that_reads_does_not_grow_with_the_file(model_path, tmp_path):
    def peak(count):
        file = write(tmp_path / f"{count}.jsonl", ["good " * 400] * count)
        script = (
            "import resource, sys; from marfa.cli import main; main(sys.argv[1:]);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, "score", model_path, file, "-o", tmp_path / "o.csv"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(done.stdout.split()[-1])

    assert peak(12_000) < peak(3_000) + 12_000
