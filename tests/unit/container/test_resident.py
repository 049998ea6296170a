"""Of files that are mapped to be read a process keeps no page, and loses nothing."""

import contextlib
import ctypes
import mmap
import re
import sys
from pathlib import Path

import pytest

from marfa.container import resident

PAGES, PAGE = 1024, mmap.PAGESIZE
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing happens elsewhere")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "library.so"
    path.write_bytes(b"".join(content(number) for number in range(PAGES)))
    return path


def content(number):
    return number.to_bytes(4, "little") * (PAGE // 4)


@contextlib.contextmanager
def mapped(path, protection=mmap.PROT_READ):
    with (
        path.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=protection) as pages,
    ):
        yield pages


def read(pages):
    return [pages[number * PAGE : (number + 1) * PAGE] for number in range(PAGES)]


def kept(path):
    """How many pages of a file this process has in memory, by kind of its mapping."""
    told = re.findall(
        rf"(r\S+) .*{re.escape(str(path))}\n(?:.*\n)*?Rss: +(\d+) kB",
        Path("/proc/self/smaps").read_text(),
    )
    return {kind: int(kilobytes) * 1024 // PAGE for kind, kilobytes in told}


def test_what_was_read_is_let_go_of_and_can_be_read_again(file):
    with mapped(file) as pages:
        read(pages)
        assert kept(file) == {"r--p": PAGES}
        resident.drop_libraries()
        assert kept(file) == {"r--p": 0}
        assert read(pages) == [content(number) for number in range(PAGES)]


def test_what_can_be_written_stays(file):
    with mapped(file, mmap.PROT_READ | mmap.PROT_WRITE) as pages:
        read(pages)
        resident.drop_libraries()
        assert kept(file) == {"rw-p": PAGES}


def test_what_was_written_before_it_was_made_readable_only_stays(file):
    """As a loader of libraries does with what it has to fill in."""
    with mapped(file, mmap.PROT_READ | mmap.PROT_WRITE) as pages:
        pages[7 * PAGE] = 255
        first = ctypes.addressof(ctypes.c_char.from_buffer(pages))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        protect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        assert protect(first, len(pages), mmap.PROT_READ) == 0
        assert set(kept(file)) == {"r--p"}
        resident.drop_libraries()
        assert pages[7 * PAGE] == 255


def test_this_process_goes_on_without_its_own_code_in_memory():
    resident.drop_libraries()
    assert sum(range(100)) == 4950
