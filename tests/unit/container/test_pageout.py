"""Of files mapped to be read, what no other process has is given back; nothing is lost."""

import mmap
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from marfa.container import pageout

PAGES, PAGE = 1024, mmap.PAGESIZE
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no other system can do it")


@pytest.fixture
def file(disk):
    path = disk / "library.so"
    with path.open("wb") as opened:
        opened.writelines(content(number) for number in range(PAGES))
        opened.flush()
        os.fsync(opened.fileno())  # what is not on the disk yet has to stay
    return path


def content(number):
    return number.to_bytes(4, "little") * (PAGE // 4)


def mapped(path, protection=mmap.PROT_READ):
    with path.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=protection)


def read(pages):
    return [pages[number * PAGE : (number + 1) * PAGE] for number in range(PAGES)]


def resident(path):
    """How many pages of a file this process has in memory."""
    told = re.search(rf"{re.escape(str(path))}\n(?:.*\n)*?Rss: +(\d+) kB", smaps())
    return int(told[1]) * 1024 // PAGE


def smaps():
    return Path("/proc/self/smaps").read_text()


def test_what_was_read_is_given_back_and_can_be_read_again(file):
    with mapped(file) as pages:
        read(pages)
        assert resident(file) == PAGES
        pageout.libraries()
        assert resident(file) == 0
        assert read(pages) == [content(number) for number in range(PAGES)]


def test_what_was_written_stays(file):
    with mapped(file, mmap.PROT_READ | mmap.PROT_WRITE) as pages:
        for number in range(PAGES):
            pages[number * PAGE] = 255
        pageout.libraries()
        assert resident(file) == PAGES
        assert read(pages) == [b"\xff" + content(number)[1:] for number in range(PAGES)]


def test_what_another_process_has_too_stays(file):
    code = (
        "import mmap, sys; file = open(sys.argv[1], 'rb');"
        "pages = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ);"
        "pages[:]; print(flush=True); input()"
    )
    with (
        mapped(file) as pages,
        subprocess.Popen(
            [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other,
    ):
        other.stdout.readline()
        read(pages)
        pageout.libraries()
        assert resident(file) == PAGES
        other.communicate(b"\n")
