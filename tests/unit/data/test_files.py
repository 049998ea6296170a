"""The readers of the user's own files: what they yield, what they refuse, and what they say."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marfa.data import files
from marfa.data.rows import Row
from marfa.errors import DataError

SECRET = "never-in-an-error"

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property; making one for each takes longer than the test."""
    return tmp_path_factory.mktemp("examples")


def pairs(path: Path, **options: Any) -> list[tuple[str, str]]:
    return [(row.text, row.label) for row in files.read(path, **options)]


def refusal(path: Path, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        list(files.read(path, **options))
    assert str(path) in caught.value.where
    assert SECRET not in f"{caught.value} {caught.value.hint}"
    return caught.value


# CSV and TSV


def test_csv_rows_keep_their_order_and_say_where_they_stand(write: Write) -> None:
    path = write("a.csv", 'label,id,text\nno,1,"two\nlines"\nyes,2,رائع\n')
    assert list(files.read(path)) == [
        Row("two\nlines", "no", "", "a.csv:2"),
        Row("رائع", "yes", "", "a.csv:4"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read_and_new_lines_inside_quotes_stay_as_they_are(
    write: Write, end: str
) -> None:
    path = write("a.csv", end.join(["text,label", f'"one{end}two",a', "", "three,b"]))
    assert pairs(path) == [(f"one{end}two", "a"), ("three", "b")]


def test_a_byte_order_mark_is_dropped(write: Write) -> None:
    assert pairs(write("a.csv", "\ufefftext,label\nx,a\ny,b\n")) == [("x", "a"), ("y", "b")]


def test_a_nul_inside_a_text_is_kept(write: Write) -> None:
    assert pairs(write("a.csv", 'text,label\nx\0y,a\n"\0",b')) == [("x\0y", "a"), ("\0", "b")]


def test_semicolons_separate_where_the_first_line_has_more_of_them(write: Write) -> None:
    assert pairs(write("a.csv", "text;label;a,b\nx, y;a;\nz;b;\n")) == [("x, y", "a"), ("z", "b")]


def test_one_semicolon_in_the_first_line_does_not_outweigh_its_commas(write: Write) -> None:
    assert pairs(write("a.csv", "text,label,a;b\nx,a,\ny,b,\n")) == [("x", "a"), ("y", "b")]


def test_semicolons_in_a_row_do_not_make_it_a_file_of_semicolons(write: Write) -> None:
    path = write("a.csv", "text,label\nx; y; z,a\nz,b\n")
    assert pairs(path) == [("x; y; z", "a"), ("z", "b")]


def test_tsv_is_separated_by_tabs_alone(write: Write) -> None:
    assert pairs(write("a.tsv", 'text\tlabel\nx, y;\ta\n"z\tz"\tb\n')) == [
        ("x, y;", "a"),
        ("z\tz", "b"),
    ]


def test_other_names_of_columns_and_the_split_are_followed(write: Write) -> None:
    path = write("a.CSV", "Review, stars ,part\nx, 5 ,Train\ny,1,test\nz,1,\n")
    rows = files.read(path, text_column="Review", label_column="stars", split_column="part")
    assert [(row.label, row.split) for row in rows] == [("5", "train"), ("1", "test"), ("1", "")]


def test_an_empty_text_is_yielded(write: Write) -> None:
    assert pairs(write("a.csv", "text,label\n,a\n  ,b\n")) == [("", "a"), ("  ", "b")]


def test_compressed_files_are_read_as_they_are(write: Write) -> None:
    path = write("a.csv.gz", gzip.compress(b"text,label\nx,a\ny,b\n"))
    assert [row.origin for row in files.read(path)] == ["a.csv.gz:2", "a.csv.gz:3"]
    lines = b'{"text": "x", "label": "a"}\n{"text": "y", "label": "b"}\n'
    assert pairs(write("a.ndjson.gz", gzip.compress(lines))) == [("x", "a"), ("y", "b")]


def test_many_classes_are_fine(write: Write) -> None:
    path = write("a.csv", "text,label\n" + "".join(f"t,{number}\n" for number in range(3000)))
    assert len({row.label for row in files.read(path)}) == 3000


def test_a_text_of_ten_megabytes_is_read_where_the_limit_allows_it(write: Write) -> None:
    path = write("a.csv", f"text,label\nshort,a\n{'w ' * 5_000_000},b\n")
    assert [len(text) for text, _ in pairs(path, max_text_chars=10_000_000)] == [5, 10_000_000]
    error = refusal(path)
    assert error.what == "a text of 10000000 characters; expected 1000000 at most"
    assert error.where.endswith("a.csv:3")
    assert error.hint == "--max-text-chars 10000000"


def test_the_limit_is_exact(write: Write) -> None:
    path = write("a.csv", "text,label\néé,a\néé,b\n")
    assert len(pairs(path, max_text_chars=2)) == 2
    refusal(path, max_text_chars=1)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_line_without_end_is_given_up_before_it_fills_the_memory(write: Write, name: str) -> None:
    path = write(f"{name}.gz", gzip.compress(bytes(1 << 25), 1))
    error = refusal(path, max_text_chars=10)
    assert error.where.endswith(":1")
    assert "--max-text-chars" in error.hint


def test_a_quote_never_closed_is_found_before_it_fills_the_memory(write: Write) -> None:
    path = write("a.csv", 'text,label\nx,a\n"' + "line\n" * 400_000)
    error = refusal(path, max_text_chars=10)
    assert "quote" in error.what
    assert error.where.endswith("a.csv:3")


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (f"{SECRET},a,b", "3 fields; expected 2"),
        (SECRET, "1 fields; expected 2"),
        (f'"{SECRET}', "never closed"),
        (f'"x"{SECRET},a', "quotes"),
        (f"{SECRET},", "label is empty"),
        (f"{SECRET}, \t", "label is empty"),
        (f"a,{SECRET * 20}", "a label of 340 characters"),
        (f"{SECRET},a\x1b[2J", "control character"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(write: Write, row: str, found: str) -> None:
    error = refusal(write("a.csv", f'text,label\n"1\n2",a\n\n{row}\n'))
    assert found in error.what
    assert error.where.endswith("a.csv:5")
    assert error.hint


def test_a_missing_column_is_named_with_those_found(write: Write) -> None:
    error = refusal(write("a.csv", "Texts,label\nx,a\n"))
    assert error.what == "no column 'text'; found 'Texts', 'label'"
    assert error.hint == "did you mean 'Texts'? --text-column Texts"


def test_each_missing_column_has_its_own_flag(write: Write) -> None:
    path = write("a.csv", "text,sentiment\nx,a\n")
    assert refusal(path).hint == "name it: --label-column NAME"
    error = refusal(path, label_column="sentiment", split_column="split")
    assert error.hint == "name it: --split-column NAME"


def test_a_column_named_twice_is_refused(write: Write) -> None:
    assert "2 columns" in refusal(write("a.csv", "text,label,text\nx,a,y\n")).what


def test_a_first_line_without_names_is_not_shown_where_it_is_long(write: Write) -> None:
    error = refusal(write("a.csv", f"{'A long review. ' * 9}{SECRET},1\nx,0\n"))
    assert error.what == "no column 'text'; found '1' and 1 more"


def test_a_value_other_than_train_and_test_in_the_split_is_refused(write: Write) -> None:
    error = refusal(write("a.csv", f"text,label,s\nx,a,{SECRET}\n"), split_column="s")
    assert "train nor test" in error.what
    assert error.where.endswith("a.csv:2")


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", "", "empty file"),
        ("a.csv", "\ufeff", "empty file"),
        ("a.csv", "\n\n", "no column 'text'; found none"),
        ("a.csv", "text,label", "no labelled texts"),
        ("a.csv", "text,label\nx,a\ny,a\n", "one label alone, on 2 texts"),
        ("a.jsonl", "", "no labelled texts"),
        ("a.jsonl", "\n  \n", "no labelled texts"),
        ("a.jsonl", '{"text": "x", "label": 1}\n{"text": "y", "label": "1"}', "one label alone"),
    ],
)
def test_files_without_two_labels_are_refused(
    write: Write, name: str, content: str, found: str
) -> None:
    assert found in refusal(write(name, content)).what


WITHOUT_SURROGATES = st.characters(exclude_categories=["Cs"])
LABELS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
TABLE = st.lists(st.tuples(st.text(WITHOUT_SURROGATES), LABELS.map(str.strip).filter(bool)))
TWO = [("one", "a"), ("two", "b")]


@settings(deadline=None)  # a busy machine is no failure
@given(TABLE)
def test_what_a_csv_writer_wrote_comes_back(folder: Path, table: list[tuple[str, str]]) -> None:
    path = folder / "a.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *TWO, *table])
    assert pairs(path) == TWO + table


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.tuples(st.text(), LABELS.map(str.strip).filter(bool))), st.booleans())
def test_what_was_written_as_json_lines_comes_back_with_lone_surrogates(
    folder: Path, table: list[tuple[str, str]], escaped: bool
) -> None:
    lines = []
    for text, label in TWO + table:
        entry = {"text": text, "label": label}
        whole = not any("\ud800" <= character <= "\udfff" for character in text)
        lines.append(json.dumps(entry, ensure_ascii=escaped or not whole))
    path = folder / "a.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    # Two halves of a pair, written as two escapes, are one character for every reader of JSON.
    joined = [
        (text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass"), label)
        for text, label in TWO + table
    ]
    assert pairs(path) == joined


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.csv.gz", "set/a/1.txt"]),
    st.sampled_from([b"", b"text,label\n", b"text\tlabel\n", b'{"text": "x", "label": 1}\n']),
    st.binary(max_size=200) | st.text('",;\t\n\r\0[]{}x').map(str.encode),
    st.sampled_from(["utf-8", "utf-16", "cp1252", "gb18030", "utf-7"]),
)
def test_whatever_the_bytes_there_are_rows_or_a_clear_refusal(
    folder: Path, name: str, start: bytes, rest: bytes, encoding: str
) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    content = start + rest
    packed = gzip.compress(content) if name.endswith(".gz") and rest[:1] != b"\0" else content
    (folder / name).write_bytes(packed)
    try:
        rows = list(files.read(folder / name.partition("/")[0], encoding=encoding))
    except DataError:
        return
    assert len({row.label for row in rows}) > 1


# JSON Lines


def test_json_lines_say_where_they_stand_and_blank_ones_are_skipped(write: Write) -> None:
    path = write("a.jsonl", '{"text":"x","label":"a"}\r\n\r\n {"label":" b ","text":"y","n":NaN} ')
    assert list(files.read(path)) == [
        Row("x", "a", "", "a.jsonl:1"),
        Row("y", "b", "", "a.jsonl:3"),
    ]


@pytest.mark.parametrize(
    ("label", "name"),
    [("1", "1"), ("-2", "-2"), ("1.5", "1.5"), ("true", "true"), ("false", "false"), ("0", "0")],
)
def test_numbers_and_truth_values_are_labels(write: Write, label: str, name: str) -> None:
    path = write("a.jsonl", f'{{"text":"x","label":{label}}}\n{{"text":"y","label":"z"}}')
    assert pairs(path)[0] == ("x", name)


def test_of_a_key_given_twice_the_last_value_counts(write: Write) -> None:
    path = write("a.jsonl", '{"text":"x","text":"y","label":1}\n{"text":"z","label":2}')
    assert pairs(path)[0] == ("y", "1")


def test_a_null_split_is_none(write: Write) -> None:
    path = write("a.jsonl", '{"text":"","label":1,"s":null}\n{"text":"","label":2,"s":"test"}')
    assert [row.split for row in files.read(path, split_column="s")] == ["", "test"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f'["{SECRET}"]', "a list; expected an object"),
        (f'"{SECRET}"', "a string; expected an object"),
        ("null", "null; expected an object"),
        (f'{{"text": "{SECRET}"', "not JSON at character"),
        (f"{SECRET}", "not JSON at character 1"),
        (f'{{"text": "{SECRET}\t", "label": 1}}', "not JSON"),
        (f'{{"text": "{SECRET}"}} {{}}', "not JSON"),
        ("[" * 200_000, "nested too deeply"),
        ('{"text": ' * 50_000, "nested too deeply"),
        ("1" * 10_000, "too many digits"),
        (f'{{"txt": "{SECRET}", "label": 1}}', "no column 'text'; found 'txt', 'label'"),
        (f'{{"text": "{SECRET}"}}', "no column 'label'"),
        ('{"text": 7, "label": 1}', "the text is a number; expected a string"),
        ('{"text": null, "label": 1}', "the text is null"),
        ('{"text": true, "label": 1}', "the text is true or false"),
        ('{"text": ["x"], "label": 1}', "the text is a list"),
        (f'{{"text": "{SECRET}", "label": null}}', "the label is null"),
        (f'{{"text": "{SECRET}", "label": ["a"]}}', "the label is a list"),
        (f'{{"text": "{SECRET}", "label": {{}}}}', "the label is an object"),
        (f'{{"text": "{SECRET}", "label": NaN}}', "the label is NaN"),
        (f'{{"text": "{SECRET}", "label": 1e999}}', "NaN or infinite"),
        (f'{{"text": "{SECRET}", "label": " "}}', "the label is empty"),
        (f'{{"text": "{SECRET}", "label": "\\ud800"}}', "surrogate"),
        (f'{{"text": "{SECRET}", "label": "a\\u0000"}}', "control character"),
        (f'{{"text": "{SECRET}", "label": {"9" * 999}}}', "a label of 999 characters"),
        (f'{{"text": "{SECRET * 4}", "label": 1}}', "a text of 68 characters; expected 50"),
    ],
)
def test_a_line_of_json_that_cannot_be_used_is_named(write: Write, line: str, found: str) -> None:
    error = refusal(write("a.jsonl", f'{{"text":"","label":0}}\n\n{line}\n'), max_text_chars=50)
    assert found in error.what
    assert error.where.endswith("a.jsonl:3")


# Folders


def test_a_folder_per_label_is_read_in_the_order_of_the_names(write: Write) -> None:
    for name in ("b/2.txt", "b/10.txt", "سلبي/1.TXT"):
        path = write(f"set/{name}", f"{name}\r\n")
    assert list(files.read(path.parents[1])) == [
        Row("b/10.txt\r\n", "b", "", "b/10.txt"),
        Row("b/2.txt\r\n", "b", "", "b/2.txt"),
        Row("سلبي/1.TXT\r\n", "سلبي", "", "سلبي/1.TXT"),
    ]


def test_train_and_test_folders_give_the_split(write: Write) -> None:
    for name in ("train/a/1.txt", "train/b/1.txt", "test/a/1.txt"):
        path = write(f"set/{name}", "")
    assert [(row.split, row.label, row.origin) for row in files.read(path.parents[2])] == [
        ("train", "a", "train/a/1.txt"),
        ("train", "b", "train/b/1.txt"),
        ("test", "a", "test/a/1.txt"),
    ]


def test_train_and_test_may_be_labels(write: Write) -> None:
    for name in ("train/1.txt", "test/1.txt"):
        path = write(f"set/{name}", "")
    assert [row.label for row in files.read(path.parents[1])] == ["test", "train"]


def test_train_and_test_beside_other_folders_are_refused(write: Write) -> None:
    for name in ("train/a/1.txt", "train/b/1.txt", "valid/a/1.txt"):
        path = write(f"set/{name}", "")
    assert "2 folders, of which train" in refusal(path.parents[2]).what


def test_junk_in_a_folder_is_passed_over(write: Write, tmp_path: Path) -> None:
    kept = [write("set/a/1.txt", "x"), write("set/b/1.txt", "y")]
    for name in ("a/.DS_Store", "a/.2.txt", "a/notes.md", ".git/3.txt", "c/d/4.txt", "top.txt"):
        write(f"set/{name}", b"\xff\xfe\0junk")
    os.mkfifo(tmp_path / "set/a/pipe.txt")
    (tmp_path / "set/a/folder.txt").mkdir()
    assert len(pairs(tmp_path / "set")) == len(kept)


def test_links_are_followed_to_regular_files_alone(write: Write, tmp_path: Path) -> None:
    write("set/a/1.txt", "x")
    write("set/b/1.txt", "y")
    (tmp_path / "set/b/2.txt").symlink_to(write("elsewhere/z.txt", "z"))
    (tmp_path / "set/b/3.txt").symlink_to(tmp_path / "nowhere.txt")
    (tmp_path / "set/b/4.txt").symlink_to(tmp_path / "set")
    (tmp_path / "set/b/5.txt").symlink_to("5.txt")
    (tmp_path / "set/c").symlink_to(tmp_path / "set")
    (tmp_path / "set/d").symlink_to(tmp_path / "elsewhere")
    assert pairs(tmp_path / "set") == [("x", "a"), ("y", "b"), ("z", "b")]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), "no labelled texts"),
        (("1.txt", "2.txt"), "no labelled texts"),
        (("a/1.txt", "a/2.txt", "b/1.md"), "one label alone, on 2 texts"),
        (("train/a/1.txt", "test/a/1.txt"), "one label alone, on 2 texts"),
    ],
)
def test_folders_without_two_labels_are_refused(
    write: Write, tmp_path: Path, names: tuple[str, ...], found: str
) -> None:
    (tmp_path / "set").mkdir()
    for name in names:
        write(f"set/{name}", "x")
    assert found in refusal(tmp_path / "set").what


def test_a_text_too_long_or_undecodable_is_named_by_its_file(write: Write) -> None:
    root = write("set/a/1.txt", "x" * 99).parents[1]
    write("set/b/1.txt", f"{SECRET}\n caf".encode() + b"\xe9")
    error = refusal(root, max_text_chars=98)
    assert (error.what, error.where[-7:]) == (
        "a text of 99 characters; expected 98 at most",
        "a/1.txt",
    )
    error = refusal(root)
    assert "byte 22 is not utf-8" in error.what
    assert error.where.endswith("b/1.txt:2")


def test_a_file_name_that_is_no_utf8_gives_an_origin_that_can_be_written(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        with open(os.fsencode(tmp_path / label) + b"/\xff.txt", "wb"):
            pass
    assert [row.origin for row in files.read(tmp_path)] == ["a/\ufffd.txt", "b/\ufffd.txt"]


# Things that are no such file


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none.csv")
    assert "no such file" in error.what
    assert error.hint


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    assert "neither a regular file nor a folder" in refusal(tmp_path / "a.csv").what


@pytest.mark.parametrize("name", ["a.xlsx", "a.json", "a.txt", "a", "a.gz", "csv"])
def test_other_kinds_are_refused_with_those_that_can_be_read(write: Write, name: str) -> None:
    assert (
        "expected .csv, .tsv, .jsonl, .parquet or a folder"
        in refusal(write(name, "text,label")).what
    )


def test_nothing_is_opened_before_the_first_row_is_asked_for(tmp_path: Path) -> None:
    files.read(tmp_path / "none.csv")


def test_reading_never_lowers_the_limit_of_the_csv_module(write: Write) -> None:
    path = write("a.csv", "text,label\nx,a\ny,b\n")
    before = csv.field_size_limit()
    list(files.read(path, max_text_chars=1))
    assert csv.field_size_limit() >= before
    assert next(csv.reader(io.StringIO("x" * 131_072))) == ["x" * 131_072]


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "text\ngood\n"), ("a.jsonl", '{"text": "good"}\n')]
)
def test_texts_need_no_label(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert [(row.text, row.label) for row in files.texts(tmp_path / name)] == [("good", "")]
