"""The command line as a person meets it: sentences and exit codes, never a traceback."""

import json
import subprocess
import sys

import pytest

from marfa.cli import app

ROWS = "text,label\n" + "".join(f"word{n} good,y\nword{n} bad,n\n" for n in range(20))


def marfa(*arguments, cwd=None, stdin=None, **environ):
    import os

    return subprocess.run(
        [sys.executable, "-m", "marfa", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd, stdin=stdin,
        env={**os.environ, **environ},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "expected"),
    [
        (["trian"], {}, 2, "train"),
        (["train", "--hiden", "3"], {}, 2, "--hidden"),
        (["train", "--hidden", "many"], {}, 2, "hidden"),
        (["train", "--hidden", "0"], {}, 2, "outside 1 to"),
        (["train", "--schedule", "wild"], {}, 2, "constant, cycle"),
        (["train", "sentimnt"], {}, 2, "neither a recipe"),
        (["train", "missing.toml"], {}, 2, "neither a recipe"),
        (["train"], {"MARFA_HIDEN": "3"}, 2, "MARFA_HIDDEN"),
        (["train"], {}, 3, "has not been done"),
        (["prepare"], {}, 3, "marfa fetch sentiment"),
        (["prepare", "--data", "none.csv"], {}, 3, "none.csv"),
        (
            ["prepare", "--data", "one.csv", "--text-column", "review"],
            {},
            3,
            "found 'text', 'label'",
        ),
        (["prepare", "--data", "latin.csv"], {}, 3, "cp1252"),
        (["prepare", "--data", "class.csv"], {}, 3, "two labels or more"),
        (["prepare", "--data", "row.csv"], {}, 3, "label"),
        (["fetch", "--offline"], {}, 4, "--mirror"),
        (["predict", "none.tar.gz", "good"], {}, 3, "marfa run"),
        (["serve", "none.tar.gz"], {}, 3, "marfa run"),
        (["run", "--until", "lunch"], {}, 2, "no stage"),
        (["evaluate", "--against", "ftp://x", "--data", "one.csv"], {}, 3, "has not been done"),
    ],
)
def test_what_goes_wrong_is_said_with_its_exit_code(tmp_path, arguments, environ, code, expected):
    (tmp_path / "one.csv").write_text(ROWS)
    (tmp_path / "latin.csv").write_bytes(b"text,label\ncaf\xe9,y\n")
    (tmp_path / "class.csv").write_text(ROWS.replace(",n", ",y"))
    (tmp_path / "row.csv").write_text("text,label\ngood,y\n")
    done = marfa(*arguments, cwd=tmp_path, **environ)
    assert done.returncode == code, done.stderr
    assert expected in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(tmp_path):
    assert "Traceback" in marfa("train", "--debug", cwd=tmp_path).stderr


def test_a_read_only_folder_is_said(tmp_path):
    (tmp_path / "work").write_text("a file where the folder should be")
    done = marfa("prepare", "--preset", "sample", cwd=tmp_path)
    assert done.returncode == 1
    assert "--workdir" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_exit_28_and_what_was_whole_stays(tmp_path):
    """A real one: a small file system, if this machine lets us make it."""
    script = (
        "mount -t tmpfs -o size=300k none {work} && cd {cwd} && "
        "{python} -m marfa prepare --preset sample --workdir {work}; code=$?; "
        "ls -A {work}/sentiment-sample/dataset; exit $code"
    ).format(work=tmp_path / "small", cwd=tmp_path, python=sys.executable)
    (tmp_path / "small").mkdir()
    probe = subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True)
    if probe.returncode:
        pytest.skip("no mount namespaces here")
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 28, done.stderr
    assert "no room left" in done.stderr
    assert "record.json" not in done.stdout
    assert ".tmp" not in done.stdout


def test_a_file_system_that_is_read_only_is_said(tmp_path):
    probe = subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True)
    if probe.returncode:
        pytest.skip("no mount namespaces here")
    script = (
        f"mount -t tmpfs -o ro none {tmp_path} && "
        f"{sys.executable} -m marfa prepare --preset sample --workdir {tmp_path}/work"
    )
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr
    assert "--workdir" in done.stderr


def test_labels_and_texts_are_shown_as_they_are(tmp_path):
    rows = "".join(
        f"\x1b]0;owned\x07 word{n} [red]good,[/b]\nword{n} bad,[red]n\n" for n in range(20)
    )
    (tmp_path / "odd.csv").write_text("text,label\n" + rows)
    done = marfa("prepare", "--data", "odd.csv", cwd=tmp_path)
    if done.returncode == 0:
        assert "[red]n" in done.stdout
    assert "Traceback" not in done.stderr
    assert "should not happen" not in done.stderr
    assert "\x1b" not in done.stdout


def test_a_reader_who_leaves_is_no_failure(tmp_path):
    script = f"set -o pipefail; {sys.executable} -m marfa --help | head -n 1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_doctor_says_by_its_exit_code_whether_all_is_well(tmp_path):
    done = marfa("doctor", "--offline", cwd=tmp_path)
    assert done.returncode == 1
    assert "--mirror" in done.stdout


def test_json_is_one_document_on_stdout(tmp_path):
    (tmp_path / "one.csv").write_text(ROWS)
    done = marfa("prepare", "--data", "one.csv", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["schema_version"], document["command"]) == (1, "prepare")


def test_module_and_script_are_the_same(tmp_path):
    from pathlib import Path

    script = Path(sys.executable).parent / "marfa"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == marfa("--version").stdout


def test_prepare_shows_what_a_person_wants_to_see(tmp_path):
    (tmp_path / "one.csv").write_text(ROWS)
    told = marfa("prepare", "--data", "one.csv", cwd=tmp_path).stdout
    for word in (
        "train",
        "validation",
        "test",
        "vocabulary",
        "commonest",
        "before",
        "after",
        "copies",
    ):
        assert word in told


# Adding a flag is a decision: its command's number changes here too.
FLAGS = {
    "deploy": 25, "destroy": 5, "doctor": 5, "evaluate": 15, "fetch": 9, "generate": 13,
    "package": 10, "predict": 8, "prepare": 27, "rehearse": 38, "renew": 6, "rollback": 5, "run": 87,
    "score": 18, "serve": 18, "site": 5, "status": 5, "train": 84,
}  # fmt: skip


def test_no_flag_appears_unnoticed():
    found = {
        name: sum(1 for argument in app.app[name].assemble_argument_collection() if argument.show)
        for name in app.app
        if not name.startswith("-")
    }
    assert found == FLAGS
