"""The wheels of a function: listed with their hashes, fetched once, read strictly."""

import hashlib
import io
import re
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from marfa.aws import wheels
from marfa.aws.template.function import RUNTIME
from marfa.aws.wheels import Wheel
from marfa.errors import ChecksumError, DataError, NetworkError

CONTENT = b"a wheel"
WHEEL = Wheel("thing-1.0-cp313-cp313-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
              hashlib.sha256(CONTENT).hexdigest())  # fmt: skip


def pip_that(folder, does):
    """A command in pip's place, which writes down how it was called and then does something."""
    script = folder / "pip.py"
    script.write_text(
        "import pathlib, sys\n"
        f"pathlib.Path({str(folder / 'called')!r}).open('a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        "target = pathlib.Path(sys.argv[sys.argv.index('--dest') + 1])\n"
        "wanted = pathlib.Path(sys.argv[sys.argv.index('--requirement') + 1]).read_text()\n"
        f"{does}\n"
    )
    return (sys.executable, str(script))


def writes(content, name=WHEEL.file):
    return f"(target / {name!r}).write_bytes({content!r})"


def test_a_wheel_is_fetched_once_and_then_needs_no_network(tmp_path):
    pip = pip_that(tmp_path, writes(CONTENT))
    for _ in range(2):
        assert wheels.fetch(WHEEL, tmp_path / "kept", pip=pip) == CONTENT
    assert len((tmp_path / "called").read_text().splitlines()) == 1
    left = {path.name for path in (tmp_path / "kept").iterdir()}
    assert left == {WHEEL.file, ".lock"}


def test_pip_is_asked_for_one_hash_and_for_lambdas_machine(tmp_path):
    seen = f"assert wanted == 'thing==1.0 --hash=sha256:{WHEEL.sha256}\\n', wanted"
    wheels.fetch(WHEEL, tmp_path / "kept", pip=pip_that(tmp_path, f"{seen}\n{writes(CONTENT)}"))
    called = (tmp_path / "called").read_text()
    assert called.startswith("download ")
    host = "--python-version 3.13 --implementation cp --abi cp313 --platform manylinux_2_28_aarch64"
    assert "--no-deps --only-binary :all: --require-hashes" in called
    assert host in called


def test_a_wheel_for_any_machine_is_asked_for_without_naming_one(tmp_path):
    wheel = Wheel("thing-1.0-py3-none-any.whl", WHEEL.sha256)
    wheels.fetch(wheel, tmp_path / "kept", pip=pip_that(tmp_path, writes(CONTENT, wheel.file)))
    assert "--platform" not in (tmp_path / "called").read_text()


def test_a_kept_wheel_that_was_altered_is_fetched_again(tmp_path):
    (tmp_path / WHEEL.file).write_bytes(b"cut")
    assert wheels.fetch(WHEEL, tmp_path, pip=pip_that(tmp_path, writes(CONTENT))) == CONTENT


def test_what_a_killed_process_left_is_never_taken_for_what_pip_got(tmp_path):
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / WHEEL.file).write_bytes(b"half")
    with pytest.raises(NetworkError):
        wheels.fetch(WHEEL, tmp_path, pip=pip_that(tmp_path, "pass"))
    assert wheels.fetch(WHEEL, tmp_path, pip=pip_that(tmp_path, writes(CONTENT))) == CONTENT


@pytest.mark.parametrize(
    "does", ["sys.exit('ERROR: no route to host')", writes(CONTENT, "other.whl")]
)
def test_what_pip_cannot_get_is_a_failure_of_the_network_that_says_what_to_do(tmp_path, does):
    with pytest.raises(NetworkError) as caught:
        wheels.fetch(WHEEL, tmp_path / "kept", pip=pip_that(tmp_path, does))
    assert caught.value.exit_code == 4
    assert "thing==1.0" in caught.value.what
    assert str(tmp_path / "kept") in caught.value.hint
    assert ("no route to host" in caught.value.what) is does.startswith("sys")


def test_other_bytes_than_those_listed_are_refused_and_not_kept(tmp_path):
    with pytest.raises(ChecksumError, match=WHEEL.sha256):
        wheels.fetch(WHEEL, tmp_path, pip=pip_that(tmp_path, writes(b"something else")))
    assert not (tmp_path / WHEEL.file).exists()


def test_the_list_names_the_versions_that_are_tested_and_lambdas_python():
    pinned = (Path(__file__).parents[3] / "constraints.txt").read_text().splitlines()
    listed = list(wheels.listed())
    assert {wheel.requirement for wheel in listed} <= set(pinned)
    assert all(re.fullmatch(r"[0-9a-f]{64}", wheel.sha256) for wheel in listed)
    assert f"python{wheels.PYTHON}" == RUNTIME
    for architecture, name in (("arm64", "aarch64"), ("x86_64", "x86_64")):
        assert f"-cp313-cp313-manylinux_2_27_{name}." in wheels.numpy(architecture).file
    assert wheels.stemmer() in listed


def zipped(*names, content=b"x"):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name in names:
            packed.writestr(name, content)
    return made.getvalue()


def test_the_files_of_a_wheel_are_read_and_its_folders_are_not():
    assert wheels.members(zipped("a/", "a/b.py"), "w") == {"a/b.py": b"x"}


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/a", "a\\b", "C:a", "a/.."])
def test_a_name_that_would_lead_elsewhere_is_refused(name):
    with pytest.raises(DataError, match="leads elsewhere"):
        wheels.members(zipped(name), "w")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_there_twice_is_refused():
    with pytest.raises(DataError, match="twice"):
        wheels.members(zipped("a", "a"), "w")


def test_what_is_damaged_or_no_zip_is_refused():
    whole = zipped("a", content=b"x" * 1000)
    for content in (b"", b"no zip", whole[:-30], whole.replace(b"x" * 10, b"y" * 10, 1)):
        with pytest.raises(DataError, match="damaged, or no wheel"):
            wheels.members(content, "w")


def test_a_link_in_a_wheel_leads_nowhere():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        entry = zipfile.ZipInfo("a")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(entry, "/etc/passwd")
    assert wheels.members(made.getvalue(), "w") == {"a": b"/etc/passwd"}
