"""Of files that are mapped to be read a process keeps no page, and loses nothing."""

import contextlib
import ctypes
import mmap
import re
import subprocess
import sys
from pathlib import Path

import pytest

from marfa.container import resident

PAGES, PAGE = 256, mmap.PAGESIZE
linux = pytest.mark.skipif(sys.platform != "linux", reason="nothing happens elsewhere")


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


@linux
def test_what_was_read_is_let_go_of_and_can_be_read_again(file):
    with mapped(file) as pages:
        read(pages)
        assert kept(file) == {"r--p": PAGES}
        resident.drop_libraries()
        assert kept(file) == {"r--p": 0}
        assert read(pages) == [content(number) for number in range(PAGES)]


@linux
def test_what_can_be_written_stays(file):
    with mapped(file, mmap.PROT_READ | mmap.PROT_WRITE) as pages:
        read(pages)
        pages[0] = 255
        resident.drop_libraries()
        assert kept(file) == {"rw-p": PAGES}
        assert pages[0] == 255


@linux
def test_what_was_written_before_it_was_made_readable_only_stays(file):
    """As a loader of libraries does with what it has to fill in."""
    with mapped(file, mmap.PROT_READ | mmap.PROT_WRITE) as pages:
        pages[7 * PAGE] = 255
        first = ctypes.addressof(ctypes.c_char.from_buffer(pages))
        protect = ctypes.CDLL(None).mprotect
        protect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        assert protect(first, len(pages), mmap.PROT_READ) == 0
        assert set(kept(file)) == {"r--p"}
        resident.drop_libraries()
        assert pages[7 * PAGE] == 255


@linux
def test_a_process_goes_on_without_its_libraries_in_memory():
    code = (
        "import numpy, onnxruntime; from marfa.container import resident; resident.drop_libraries();"
        "print(numpy.ones((3, 3)) @ numpy.ones(3), onnxruntime.get_available_providers())"
    )
    assert "CPUExecutionProvider" in subprocess.check_output(
        [sys.executable, "-c", code], text=True
    )


@linux
def test_what_is_free_is_given_back():
    code = (
        "import ctypes, re; from marfa.container import resident; c = ctypes.CDLL(None);"
        "c.malloc.restype = ctypes.c_void_p; c.free.argtypes = [ctypes.c_void_p];"
        "there = [c.malloc(50_000) for _ in range(1000)];"
        "[ctypes.memset(each, 1, 50_000) for each in there]; [c.free(each) for each in there[:-1]];"
        "kB = lambda: int(re.search(r'VmRSS:\\s+(\\d+)', open('/proc/self/status').read())[1]);"
        "before = kB(); resident.trim(); print(before - kB())"
    )
    assert int(subprocess.check_output([sys.executable, "-c", code], text=True)) > 40_000


@linux
@pytest.mark.parametrize(("heaps", "given_back"), [("shared", True), ("apart", False)])
def test_what_a_thread_no_longer_needs_is_given_back_where_threads_share_the_heap(
    heaps, given_back
):
    """The C library does it by itself until something large has been freed, as a batch's tensors."""
    code = f"""
import ctypes, re, threading
from marfa.container import resident
c = ctypes.CDLL(None)
c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
pieces = (ctypes.c_void_p * 500)()  # a list would grow among them
if {heaps == "shared"}:
    resident.share_heap()
def work():
    c.free(c.malloc(20_000_000))
    for place in range(500):
        pieces[place] = c.malloc(50_000)
        ctypes.memset(pieces[place], 1, 50_000)
    for each in pieces:
        c.free(each)
thread = threading.Thread(target=work)
thread.start()
thread.join()
resident_kB = lambda: int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])
before = resident_kB()
resident.trim()
print(before - resident_kB())
"""
    kilobytes = int(subprocess.check_output([sys.executable, "-c", code], text=True))
    assert (kilobytes > 15_000) == given_back


HEAD = "7f00000000-7f00002000 r-xp 00001000 fe:00 4711                  /usr/lib/library.so"
REST = {"Size": 8, "KernelPageSize": 4, "Rss": 8, "Pss": 4, "Anonymous": 0, "Swap": 0, "Locked": 0}


def told(head=HEAD, **differently):
    lines = [f"{name}:{number:15} kB" for name, number in {**REST, **differently}.items()]
    return "\n".join([head, *lines, "VmFlags: rd ex mr mw me", ""]).encode()


@pytest.mark.parametrize(
    "written",
    [
        told(Anonymous=4),
        told(Swap=4),  # nor is it anonymous any more, once it is there
        told(Rss=0),  # an emulated system that tells 0 of everything, for one
        told().replace(b"Swap:", b"Other:"),
        told(HEAD.replace("r-xp", "rw-p")),
        told(HEAD.replace("r-xp", "r--s")),
        told(HEAD.replace("r-xp", "---p")),
        told("7fff00000000-7fff00002000 r-xp 00000000 00:00 0                  [vdso]"),
        told("7f00000000-7f00002000 r--p 00000000 00:00 0 "),
    ],
)
def test_what_could_have_been_written_is_left_alone(written):
    others = told(
        "7f00010000-7f00011000 r--p 00000000 fe:00 4712    /a name\r7-8 r-xp 0 0 1 /x (deleted)"
    )
    assert resident.unwritten(told()) == [(0x7F00000000, 0x7F00002000)]
    assert resident.unwritten(others + written + others) == 2 * [(0x7F00010000, 0x7F00011000)]


def test_where_nothing_is_told_nothing_is_let_go_of():
    assert resident.unwritten(b"") == []
