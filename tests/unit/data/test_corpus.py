"""One's own running text: read as it is, or refused with the place and the reason."""

import gzip

import pytest

from marfa.data import corpus
from marfa.errors import DataError, SettingsError


def test_any_script_and_any_suffix_is_read_as_it_is(tmp_path):
    path = tmp_path / "verses.md"
    text = "القصيدة\r\n詩 🌊\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert corpus.read(path) == text


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.txt").write_text("three\n")
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "ab.txt.gz").write_bytes(gzip.compress(b"two\n"))
    (tmp_path / ".hidden.txt").write_text("no")
    (tmp_path / "notes.pdf").write_text("no")
    (tmp_path / "b" / "round.txt").symlink_to(tmp_path / "b")
    assert corpus.read(tmp_path) == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        (b"", {}, "no text"),
        (b"caf\xe9", {}, "byte 3 is not utf-8"),
        (b"PK\x03\x04\x00\x00", {}, "zero byte"),
        ("a\0b".encode("utf-16"), {"encoding": "utf-16"}, "zero byte"),
        (b"12345", {"max_chars": 4}, "more than 4 characters"),
    ],
)
def test_what_is_no_text_is_refused_by_name(tmp_path, content, options, expected):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=expected) as caught:
        corpus.read(path, **options)
    assert str(path) in caught.value.where


def test_a_gzip_that_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress(b"words " * 1000)[:-20])
    with pytest.raises(DataError, match="not gzip, cut off or damaged"):
        corpus.read(path)


def test_neither_a_file_nor_a_text_in_a_folder_is_said(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        corpus.read(tmp_path / "none.txt")
    with pytest.raises(DataError, match=r"no \.txt file"):
        corpus.read(tmp_path)


def test_an_encoding_that_does_not_exist_is_a_wrong_setting(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(SettingsError):
        corpus.read(tmp_path / "a.txt", encoding="klingon")
