"""Archives are the same bytes for the same content, and trusted in nothing."""

import contextlib
import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.archives import read_tar_gz, write_tar_gz
from marfa.errors import BundleError

NAMES = st.from_regex(r"[a-z]{1,20}(/[a-z]{1,20})?\.json", fullmatch=True)
CONTENTS = st.dictionaries(NAMES, st.binary(max_size=2000), max_size=5)


def read(path, limit=10_000, total=100_000):
    return read_tar_gz(path, lambda name: limit if name.endswith(".json") else 0, total)


@given(contents=CONTENTS)
def test_what_is_written_is_read_and_twice_the_same_bytes(contents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    write_tar_gz(folder / "a.tar.gz", contents)
    write_tar_gz(folder / "b.tar.gz", contents)
    assert (folder / "a.tar.gz").read_bytes() == (folder / "b.tar.gz").read_bytes()
    assert read(folder / "a.tar.gz") == contents
    with tarfile.open(folder / "a.tar.gz") as tar:  # and by anybody else
        assert tar.getnames() == list(contents)


def member(name="a.json", content=b"{}", **fields):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry, content


def archive(tmp_path, *members, kind=tarfile.USTAR_FORMAT):
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz", format=kind) as tar:
        for entry, content in members:
            tar.addfile(entry, io.BytesIO(content))
    return path


HOSTILE = {
    "climbs out": member("../a.json"),
    "absolute": member("/etc/a.json"),
    "symlink": member(type=tarfile.SYMTYPE, linkname="/etc/passwd", size=0),
    "hard link": member(type=tarfile.LNKTYPE, linkname="a.json", size=0),
    "device": member(type=tarfile.CHRTYPE, size=0),
    "fifo": member(type=tarfile.FIFOTYPE, size=0),
    "folder with content": member("a.json", type=tarfile.DIRTYPE),
    "stranger": member("a.pkl"),
    "too large": member("a.json", bytes(10_001)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_anything_but_a_listed_plain_file_is_refused(kind, tmp_path):
    if kind in {"climbs out", "absolute"}:
        path = archive(tmp_path, HOSTILE[kind])
        with pytest.raises(BundleError):
            read_tar_gz(path, lambda name: 100 if name == "a.json" else 0, 1000)
    else:
        with pytest.raises(BundleError):
            read(archive(tmp_path, HOSTILE[kind]))


def test_a_name_stands_once(tmp_path):
    with pytest.raises(BundleError, match="twice"):
        read(archive(tmp_path, member(), member()))


def test_pax_and_gnu_extensions_are_refused(tmp_path):
    long = "a" * 150 + ".json"
    for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with pytest.raises(BundleError):
            read(archive(tmp_path, member(long), kind=kind))


FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


@pytest.mark.parametrize("kind", FORMATS)
def test_what_another_archiver_packs_of_a_folder_is_read(kind, tmp_path):
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    contents = {"a.json": b"{}", "code/b.json": b"12"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz", format=FORMATS[kind]) as tar:
        tar.add(folder, ".")  # ".", "./a.json", "./code", "./code/b.json", times to the nanosecond
    assert read(path) == contents


def test_a_record_that_renames_the_next_file_is_refused(tmp_path):
    entry, content = member()
    entry.pax_headers = {"path": "b.json"}
    with pytest.raises(BundleError, match="something else"):
        read(archive(tmp_path, (entry, content), kind=tarfile.PAX_FORMAT))


def test_an_endless_list_of_folders_ends(tmp_path):
    folders = [member("f", b"", type=tarfile.DIRTYPE)] * 5000
    with pytest.raises(BundleError, match="more than"):
        read(archive(tmp_path, *folders))


def test_a_bomb_stops_at_the_limit(tmp_path):
    path = archive(tmp_path, *(member(f"{'abcdefgh'[n]}.json", bytes(9_000)) for n in range(8)))
    with pytest.raises(BundleError):
        read(path, total=20_000)


def test_a_header_that_lies_about_its_size_is_refused(tmp_path):
    path = archive(tmp_path, member("a.json", b"x" * 600))
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[124:136] = b"77777777777\0"
    path.write_bytes(gzip.compress(bytes(raw)))
    with pytest.raises(BundleError):
        read(path)


@given(st.data())
def test_no_damage_crashes_the_reader(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    write_tar_gz(folder / "a.tar.gz", {"a.json": b"{}" * 50, "b.json": b"12345"})
    raw = bytearray((folder / "a.tar.gz").read_bytes())
    if data.draw(st.booleans()):
        raw = bytearray(gzip.decompress(raw))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    (folder / "b.tar.gz").write_bytes(gzip.compress(bytes(raw)) if len(raw) > 600 else bytes(raw))
    with contextlib.suppress(BundleError):
        read(folder / "b.tar.gz")


def test_what_becomes_a_hundred_times_larger_is_a_trap(tmp_path):
    path = tmp_path / "bomb.tar.gz"
    write_tar_gz(path, {"a": bytes(64 << 20)})
    assert path.stat().st_size < 100_000
    with pytest.raises(BundleError, match="more than the 16777216 allowed"):
        read_tar_gz(path, lambda name: 100 << 20, 500 << 20)
