"""A name holds the old bytes or the new ones, never a mixture."""

import os
import resource
import subprocess
import sys

import pytest

from marfa import files
from marfa.errors import BusyError, DataError, DiskFullError, MarfaError


def test_a_failure_while_writing_leaves_the_old_file_and_no_part(tmp_path):
    path = tmp_path / "a.bin"
    files.write_bytes(path, b"old")

    def fail():
        with files.atomic(path) as file:
            file.write(b"new")
            raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_kill_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.bin"
    files.write_bytes(path, b"old")
    code = (
        "import os, sys, pathlib; from marfa import files\n"
        "with files.atomic(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'new' * 100000); file.flush(); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    assert path.read_bytes() == b"old"


def test_a_full_disk_is_said_and_harms_nothing(tmp_path):
    path = tmp_path / "a.bin"
    files.write_bytes(path, b"old")
    code = (
        "import sys, pathlib, errno; from marfa import files\n"
        "class Full:\n"
        "    pass\n"
        "try:\n"
        "    with files.atomic(pathlib.Path(sys.argv[1])) as file:\n"
        "        raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "except files.DiskFullError as error:\n"
        "    sys.exit(error.exit_code)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 28
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_limit_on_file_size_is_an_error_of_ours(tmp_path):
    """A real refusal by the kernel, in the middle of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    code = (
        "import resource, signal, sys, pathlib; from marfa import files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    files.write_bytes(pathlib.Path(sys.argv[1]), bytes(100000))\n"
        "except files.MarfaError as error:\n"
        "    print(error); sys.exit(error.exit_code)"
    )
    path = tmp_path / "a.bin"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"a.bin" in done.stdout
    assert os.listdir(tmp_path) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MarfaError, match="cannot be read or written"):
        files.write_bytes(tmp_path / "file" / "a.bin", b"")


def test_errors_of_the_disk_have_their_own_exit_code(tmp_path):
    import errno

    full = files.disk_error(OSError(errno.ENOSPC, "full"), tmp_path)
    denied = files.disk_error(OSError(errno.EACCES, "denied"), tmp_path)
    assert (type(full), full.exit_code) == (DiskFullError, 28)
    assert (type(denied), denied.exit_code) == (MarfaError, 1)


def test_a_lock_is_refused_at_once_and_ends_with_its_process(tmp_path):
    code = (
        "import sys, pathlib, time; from marfa import files\n"
        "with files.lock(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(BusyError, match=f"process {holder.pid}"), files.lock(tmp_path):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with files.lock(tmp_path):
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_said(content, tmp_path):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError, match="not a JSON document"):
        files.read_json(tmp_path / "a.json")


def test_json_of_ours_has_one_form():
    assert files.to_json({"b": [1], "a": "ب"}) == files.to_json({"a": "ب", "b": [1]})
    with pytest.raises(ValueError, match="JSON"):
        files.to_json(float("nan"))
