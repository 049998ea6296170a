"""The reader of IMDb's archive: what it yields, and what it refuses."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marfa.data import imdb
from marfa.data.rows import Row
from marfa.errors import DataError

FOUR = {
    "aclImdb/test/neg/0_2.txt": b"A slow afternoon.",
    "aclImdb/test/pos/0_9.txt": b"Sunny.",
    "aclImdb/train/neg/1_1.txt": b"",
    "aclImdb/train/pos/3_8.txt": "Très bien, فيلم جميل".encode(),
}


def tar(
    members: dict[str, bytes], *, tar_format: int = tarfile.USTAR_FORMAT, mtime: float = 0
) -> bytes:
    """A tar of regular files, with its end mark."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tar_format) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), mtime
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def patched(header: bytes, place: int, field: bytes) -> bytes:
    """The 512-byte header with another field and a checksum that fits."""
    changed = bytearray(header)
    changed[place : place + len(field)] = field
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed)
    return bytes(changed)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "aclImdb_v1.tar.gz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property; making one for each takes longer than the test."""
    return tmp_path_factory.mktemp("examples")


def refusal(archive: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        list(imdb.read(archive))
    assert caught.value.where.startswith(str(archive))
    assert caught.value.hint
    return caught.value


def test_labelled_reviews_come_in_the_order_of_the_archive(archive: Path) -> None:
    archive.write_bytes(gzip.compress(tar(FOUR)))
    assert list(imdb.read(archive)) == [
        Row("A slow afternoon.", "negative", "test", "test/neg/0_2.txt"),
        Row("Sunny.", "positive", "test", "test/pos/0_9.txt"),
        Row("", "negative", "train", "train/neg/1_1.txt"),
        Row("Très bien, فيلم جميل", "positive", "train", "train/pos/3_8.txt"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "aclImdb/train/unsup/0_0.txt",
        "aclImdb/README",
        "aclImdb/train/labeledBow.feat",
        "aclImdb/train/pos/.hidden.txt",
        "aclImdb/train/pos/._3_8.txt",
        "aclImdb/train/pos/deeper/3_8.txt",
        "aclImdb/train/pos/3_8.txt.bak",
        "other/aclImdb/train/pos/3_8.txt",
        "aclImdb/valid/pos/3_8.txt",
        "aclImdb/train/pos/" + "n" * 90 + ".txt",
        "aclImdb/train/pos/" + "n" * 400 + ".txt",
    ],
)
def test_everything_that_is_no_labelled_review_is_passed_over(archive: Path, name: str) -> None:
    texts = {"first/of/all": b"x" * 5000, name: b"y" * 3_000_000, **FOUR}
    archive.write_bytes(gzip.compress(tar(texts, tar_format=tarfile.GNU_FORMAT)))
    assert len(list(imdb.read(archive))) == len(FOUR)


@pytest.mark.parametrize(
    "tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
def test_every_usual_tar_format_gives_the_same_rows(archive: Path, tar_format: int) -> None:
    # The fraction in the time makes Python write an extension before every member of a pax tar.
    archive.write_bytes(gzip.compress(tar(FOUR, tar_format=tar_format, mtime=1.5)))
    assert [row.text.encode() for row in imdb.read(archive)] == list(FOUR.values())


def test_a_name_that_ustar_cut_in_two_is_joined(archive: Path) -> None:
    plain = tar(FOUR)
    header = patched(plain[:512], 0, b"0_2.txt" + bytes(93))
    header = patched(header, 345, b"aclImdb/test/neg" + bytes(139))
    archive.write_bytes(gzip.compress(header + plain[512:]))
    assert next(row.origin for row in imdb.read(archive)) == "test/neg/0_2.txt"


def test_what_gnu_keeps_in_the_place_of_a_prefix_is_no_name(archive: Path) -> None:
    plain = tar(FOUR, tar_format=tarfile.GNU_FORMAT)
    header = patched(plain[:512], 345, b"14000000000")
    archive.write_bytes(gzip.compress(header + plain[512:]))
    assert len(list(imdb.read(archive))) == len(FOUR)


def test_an_archive_made_with_a_leading_dot_is_read(archive: Path) -> None:
    archive.write_bytes(gzip.compress(tar({f"./{name}": text for name, text in FOUR.items()})))
    assert next(row.origin for row in imdb.read(archive)) == "test/neg/0_2.txt"


def test_a_member_renamed_by_an_extension_is_not_taken_for_what_its_header_says(
    archive: Path,
) -> None:
    record = b"23 path=elsewhere/a.txt\n"
    pax = tar({"pax": record})
    extension = patched(pax[:512], 156, b"x") + pax[512:1024]
    archive.write_bytes(gzip.compress(extension + tar(FOUR)))
    assert "test/neg" in refusal(archive).what


def test_folders_and_links_have_no_content(archive: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as writer:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE):
            member = tarfile.TarInfo("aclImdb/train/pos/9_9.txt")
            member.type, member.linkname = kind, "aclImdb/README"
            writer.addfile(member)
    headers = [file.getvalue()[place : place + 512] for place in (0, 512, 1024)]
    only_headers = b"".join(patched(header, 124, b"00000001000\0") for header in headers)
    archive.write_bytes(gzip.compress(only_headers + tar(FOUR)))
    assert len(list(imdb.read(archive))) == len(FOUR)


def test_a_missing_file_names_the_command_that_fetches_it(archive: Path) -> None:
    assert refusal(archive).hint == "run: marfa fetch sentiment"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path).what


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html><title>Please log in</title>", tar(FOUR), b"\x1f\x8bnot really"]
)
def test_what_is_not_gzip_is_refused(archive: Path, content: bytes) -> None:
    archive.write_bytes(content)
    error = refusal(archive)
    assert "not gzip" in error.what
    assert error.hint == "delete it and run: marfa fetch sentiment"
    assert "log in" not in str(error)


@pytest.mark.parametrize("content", [b"no tar at all " * 100, b"short"])
def test_gzip_without_a_tar_is_refused(archive: Path, content: bytes) -> None:
    archive.write_bytes(gzip.compress(content))
    assert "expected" in refusal(archive).what


def test_an_empty_file_is_refused(archive: Path) -> None:
    archive.write_bytes(b"")
    assert "ends at byte 0" in refusal(archive).what


def test_a_download_cut_off_anywhere_is_refused(archive: Path) -> None:
    whole = gzip.compress(tar(FOUR))
    for length in range(1, len(whole)):
        archive.write_bytes(whole[:length])
        assert "delete it" in refusal(archive).hint


def test_a_tar_cut_off_before_it_was_compressed_is_refused(archive: Path) -> None:
    plain = tar(FOUR)
    for length in (512, 700, 1024, 7 * 512):  # after a header, in a text, and before the end mark
        archive.write_bytes(gzip.compress(plain[:length]))
        assert "end mark" in refusal(archive).what


def test_one_altered_byte_is_noticed_at_the_checksum(archive: Path) -> None:
    stored = bytearray(gzip.compress(tar(FOUR), compresslevel=0))
    place = stored.index(b"slow afternoon")
    stored[place] ^= 1
    archive.write_bytes(stored)
    assert "damaged" in refusal(archive).what


def test_a_checksum_is_compared_even_after_the_end_mark(archive: Path) -> None:
    whole = bytearray(gzip.compress(tar(FOUR) + bytes(5_000_000)))
    whole[-8] ^= 1
    archive.write_bytes(whole)
    assert "damaged" in refusal(archive).what


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (148, b"000000\0 "),  # another checksum
        (0, b"z"),  # another name under the old checksum
        (148, b"+00001\0 "),  # not octal, though int() would take it
    ],
)
def test_a_damaged_header_is_refused(archive: Path, place: int, field: bytes) -> None:
    plain = bytearray(tar(FOUR))
    plain[1024 + place : 1024 + place + len(field)] = field
    archive.write_bytes(gzip.compress(plain))
    assert "damaged at byte 1024" in refusal(archive).what


@pytest.mark.parametrize(
    ("name", "size"),
    [("aclImdb/test/neg/0_2.txt", b"00010000000\0"), ("aclImdb/README", b"77777777777\0")],
)
def test_a_member_that_claims_too_many_bytes_is_refused(
    archive: Path, name: str, size: bytes
) -> None:
    plain = tar({name: b"", **FOUR})
    archive.write_bytes(gzip.compress(patched(plain[:512], 124, size) + plain[512:]))
    assert "at most" in refusal(archive).what


@pytest.mark.parametrize(
    "size", [b"\x80" + bytes(10) + b"\x11", b"00000_00021\0", b"-0000000021\0"]
)
def test_a_size_that_is_not_plain_octal_is_refused(archive: Path, size: bytes) -> None:
    plain = tar(FOUR)
    header = patched(plain[:512], 124, size)
    archive.write_bytes(gzip.compress(header + plain[512:]))
    assert "no tar" in refusal(archive).what


def test_an_extension_that_overrides_the_size_is_refused(archive: Path) -> None:
    pax = tar({"pax": b"20 size=99999999999\n"})
    extension = patched(pax[:512], 156, b"x") + pax[512:1024]
    archive.write_bytes(gzip.compress(extension + tar(FOUR)))
    assert "at most" in refusal(archive).what


@pytest.mark.parametrize("missing", list(FOUR))
def test_an_archive_that_lacks_a_folder_is_refused(archive: Path, missing: str) -> None:
    rest = {name: text for name, text in FOUR.items() if name != missing}
    archive.write_bytes(gzip.compress(tar(rest)))
    error = refusal(archive)
    assert missing.removeprefix("aclImdb/").rpartition("/")[0] in error.what
    assert error.hint == "delete it and run: marfa fetch sentiment"


def test_a_review_that_is_not_utf8_is_named_but_not_shown(archive: Path) -> None:
    archive.write_bytes(gzip.compress(tar(FOUR | {"aclImdb/train/pos/4_7.txt": b"caf\xe9 noir"})))
    error = refusal(archive)
    assert "byte 3" in error.what
    assert "train/pos/4_7.txt" in error.where
    assert "noir" not in str(error)


PLAIN = tar(FOUR)


@settings(deadline=None)  # a busy machine is no failure
@given(st.data())
def test_whatever_bytes_are_altered_there_are_rows_or_a_clear_refusal(
    folder: Path, data: st.DataObject
) -> None:
    content = bytearray(PLAIN)
    for place in data.draw(st.lists(st.integers(0, 4000), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    whole = bytearray(gzip.compress(content, 1))
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=2)):
        whole[place] = data.draw(st.integers(0, 255))
    archive = folder / "aclImdb_v1.tar.gz"
    archive.write_bytes(whole)
    with contextlib.suppress(DataError):
        assert len(list(imdb.read(archive))) >= len(FOUR)


def test_the_citation_and_the_figures_of_the_origin_are_there() -> None:
    assert "Maas" in imdb.CITATION
    assert imdb.URL.endswith("/aclImdb_v1.tar.gz")
    assert (imdb.SIZE, len(imdb.MD5)) == (84_125_825, 32)
