"""Lines of text files: the encodings, and what is said where they do not fit."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marfa.data.files import read
from marfa.data.lines import codec, explained, open_text, read_lines
from marfa.errors import DataError, SettingsError

HEADER = "text,label\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property; making one for each takes longer than the test."""
    return tmp_path_factory.mktemp("examples")


def refusal(path: Path, content: bytes, encoding: str = "utf-8") -> DataError:
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read(path, encoding=encoding))
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1256"])
def test_texts_are_read_in_the_encoding_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"{HEADER}جيد,a\nسيئ,b\n".encode(encoding))
    assert [row.text for row in read(path, encoding=encoding)] == ["جيد", "سيئ"]


@pytest.mark.parametrize(
    "encoding", ["", "klingon", "rot13", "base64", "idna", "punycode", "unicode_escape", "a\0b"]
)
def test_what_is_no_encoding_of_files_is_a_wrong_setting(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(SettingsError, match="no character encoding"):
        list(read(tmp_path / "a.csv", encoding=encoding))


def test_bytes_that_are_not_utf8_are_named_by_line_and_byte(tmp_path: Path) -> None:
    error = refusal(tmp_path / "a.csv", HEADER.encode() + b"ok,a\r\n caf\xe9 noir,b\n")
    assert error.what == "byte 21 is not utf-8"
    assert error.where.endswith("a.csv:3")
    assert error.hint == "--encoding cp1252, or: iconv -f cp1252 -t utf-8 a.csv > utf8-a.csv"


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("before", [0, 3000, 150_000])
def test_the_place_is_right_far_into_a_file_with_a_byte_order_mark(
    tmp_path: Path, before: int, ending: str
) -> None:
    good = ("\ufeff" + HEADER + "é,a\n" * before).encode()
    content = good + b"\xff,b\n"
    error = refusal(tmp_path / f"a.csv{ending}", gzip.compress(content) if ending else content)
    assert error.what == f"byte {len(good)} is not utf-8"
    assert error.where.endswith(f":{before + 2}")


def test_a_file_that_ends_inside_a_character_is_named_there(tmp_path: Path) -> None:
    error = refusal(tmp_path / "a.csv", f"{HEADER}x,a\nx,".encode() + "é".encode()[:1])
    assert error.what == "byte 17 is not utf-8"


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.text(max_size=20), max_size=20), st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_byte_named_is_the_first_that_does_not_fit(
    folder: Path, texts: list[str], end: str
) -> None:
    good = end.join(texts).encode("utf-8", "replace")
    path = folder / "a.csv"
    path.write_bytes(good + b"\xff")
    with (
        pytest.raises(DataError) as caught,
        explained(path, "utf-8-sig"),
        open_text(path, "utf-8-sig") as file,
    ):
        file.read()
    assert caught.value.what == f"byte {len(good)} is not utf-8"


def test_utf16_is_recognised_where_utf8_was_expected(tmp_path: Path) -> None:
    error = refusal(tmp_path / "a.csv", f"{HEADER}x,a\n".encode("utf-16"))
    assert error.what == "byte 0 is not utf-8"
    assert error.hint == "it begins as UTF-16 does: --encoding utf-16"


def test_bytes_unknown_to_another_encoding_are_named_too(tmp_path: Path) -> None:
    error = refusal(tmp_path / "a.csv", HEADER.encode() + b"x\x81,a\n", "cp1252")
    assert error.what == "byte 12 is not cp1252"
    assert "utf-8" in error.hint


def test_utf16_without_a_byte_order_mark_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path / "a.csv", HEADER.encode("utf-16-le"), "utf-16")
    assert error.what == "byte 0 is not utf-16"


def test_utf16_of_an_odd_number_of_bytes_is_refused(tmp_path: Path) -> None:
    content = f"{HEADER}x,a\ny,b\n".encode("utf-16") + b"\0"
    error = refusal(tmp_path / "a.csv", content, "utf-16")
    assert error.what == f"byte {len(content) - 1} is not utf-16"
    assert "--encoding utf-16" not in error.hint


@pytest.mark.parametrize("damage", ["cut", "altered", "plain", "cut and not utf-8"])
def test_damaged_gzip_is_refused(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(f"{HEADER}x,a\ny,b\n".encode())
    odd = gzip.compress(HEADER.encode() + b"\xff" * 9000, 0)
    content = {
        "cut": whole[:-9],
        "altered": whole[:-8] + bytes(8),
        "plain": HEADER.encode(),
        "cut and not utf-8": odd[:-9],
    }[damage]
    error = refusal(tmp_path / "a.csv.gz", content)
    assert error.what == "not gzip, cut off or damaged"
    assert error.hint.endswith("gzip -t a.csv.gz")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with (
        pytest.raises(DataError, match="cannot be read: Permission denied") as caught,
        explained(path, "utf-8"),
    ):
        raise PermissionError(13, "Permission denied", str(path))
    assert caught.value.hint == "check the name, and that you may read it"


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_line_ends_are_kept(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = b"a\r\nb\rc\n"
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with open_text(path, codec("utf-8")) as file:
        assert file.read() == "a\r\nb\rc\n"


class Endless(io.StringIO):
    """One line that never ends."""

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        assert size is not None
        assert 0 < size <= 101
        return "x" * size


def test_no_more_of_a_line_is_read_than_the_limit() -> None:
    with pytest.raises(DataError, match="a line of more than 100 characters") as caught:
        next(read_lines(Endless(), 100, "a.csv", "shorten it"))
    assert (caught.value.where, caught.value.hint) == ("a.csv:1", "shorten it")
