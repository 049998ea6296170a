"""prepare, for a generator: one text in two parts, the same bytes each time, bad input refused."""

import numpy as np
import pytest

from marfa import files
from marfa.data import dataset
from marfa.errors import DataError, SettingsError
from marfa.recipes import resolve
from marfa.stages.prepare import prepare
from marfa.text.alphabet import Alphabet

TEXT = "Both: sea and sky.\nA calm day.\n\nThe Wind turns; \u0645\u0631\u0641\u0623 waits.\n" * 20


def run(tmp_path, text=TEXT, name="x", **flags):
    path = tmp_path / f"{name}.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings = resolve(
        "shakespeare",
        {"workdir": str(tmp_path / "work"), "name": name, "data": str(path), **flags},
    )
    return settings, prepare(settings)


def test_the_two_parts_are_the_text(tmp_path):
    settings, document = run(tmp_path)
    folder = settings.folder / "dataset"
    codec = Alphabet.from_json(files.read_json(folder / "codec.json"))
    parts = [dataset.read_ids(folder, part) for part in ("train", "validation")]
    assert codec.decode(np.concatenate(parts)) == TEXT
    assert len(parts[1]) == round(len(TEXT) / 10)
    assert document["vocabulary"] == len(set(TEXT)) + 1


def test_the_alphabet_is_that_of_the_training_part(tmp_path):
    settings, document = run(tmp_path, text="ab" * 90 + "cd" * 10)
    folder = settings.folder / "dataset"
    assert dataset.read_ids(folder, "validation").tolist() == [0] * 20
    assert document["splits"]["validation"] == {"characters": 20, "unknown": 20}


def test_the_tutorials_preset_reads_as_the_tutorial_does(tmp_path):
    settings, document = run(tmp_path, preset="tutorial")
    folder = settings.folder / "dataset"
    codec = Alphabet.from_json(files.read_json(folder / "codec.json"))
    read = codec.decode(dataset.read_ids(folder, "train"))
    assert read.startswith("a calm day. the wind turns; ")
    assert ":" not in read
    assert document["example"]["before"].startswith("Both: sea")


def test_the_same_text_gives_the_same_bytes(tmp_path):
    first, _ = run(tmp_path, name="a")
    second, _ = run(tmp_path, name="b")
    for path in sorted((first.folder / "dataset").glob("*.npy")):
        other = second.folder / "dataset" / path.name
        assert files.hash_file(path) == files.hash_file(other)


@pytest.mark.parametrize(
    ("text", "flags", "expected"),
    [
        (b"", {}, "no text"),
        (b"ab", {}, "expected at least 2 in either part"),
        (b"aaaaaaaaaaaaaaaaaaaaaaaaaaaa", {}, "is the character 'a' alone"),
        (b"\x89PNG\r\n\x00\x1a", {}, "is not utf-8"),
        (b"text\x00text" * 9, {}, "zero byte"),
        ("caf\u00e9 ".encode("latin-1") * 9, {}, "is not utf-8"),
        (b"WHO: says\n" * 20, {"speakers": "drop", "lines": "join"}, "expected at least 2"),
        (b"abc" * 40, {"max_chars": 50}, "more than 50 characters"),
    ],
)
def test_a_text_that_cannot_be_learnt_from_is_refused(tmp_path, text, flags, expected):
    with pytest.raises(DataError, match=expected):
        run(tmp_path, text, **flags)


def test_more_symbols_than_ids_leave_the_rare_ones_unknown(tmp_path):
    many = "".join(chr(0x4E00 + n) for n in range(300))
    _, document = run(tmp_path, text="ab" * 400 + many, symbols=10)
    assert document["vocabulary"] == 10
    assert document["splits"]["train"]["unknown"] > 0


def test_texts_to_sort_and_a_text_to_learn_from_do_not_share_a_folder(tmp_path):
    settings, _ = run(tmp_path)
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\n" + "".join(f"w{n} good,y\nw{n} bad,n\n" for n in range(20)))
    other = {"workdir": settings.place.workdir, "name": "x", "data": str(rows)}
    with pytest.raises(SettingsError, match="holds the run of"):
        prepare(resolve("sentiment", other))


def test_a_data_set_that_is_not_here_says_what_to_type(tmp_path):
    with pytest.raises(DataError) as caught:
        prepare(resolve("shakespeare", {"workdir": str(tmp_path)}))
    assert "marfa fetch shakespeare" in caught.value.hint
