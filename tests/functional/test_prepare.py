"""prepare: the same texts give the same bytes, and no text stands on two sides."""

import csv
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa import files
from marfa.data import dataset, splits
from marfa.errors import DataError, SettingsError
from marfa.recipes import resolve
from marfa.stages.prepare import prepare
from marfa.text.codec import Codec


def write(path, rows, header=("text", "label")):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def run(tmp_path, path, name="x", **flags):
    settings = resolve(
        "sentiment",
        {
            "workdir": str(tmp_path / "work"),
            "name": name,
            "data": str(path),
            "min_count": 1,
            **flags,
        },
    )
    return settings, prepare(settings)


ROWS = [(f"text number {n} is {'fine' if n % 2 else 'poor'}", "ny"[n % 2]) for n in range(60)]


def contents(settings):
    return {
        path.name: path.read_bytes()
        for path in (settings.folder / "dataset").iterdir()
        if path.name.split(".")[0] in {*splits.SPLITS, "codec"} and path.suffix != ".jsonl"
    }


def test_the_order_of_the_rows_does_not_matter(tmp_path):
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    one, _ = run(tmp_path, write(tmp_path / "a.csv", ROWS), "a")
    two, _ = run(tmp_path, write(tmp_path / "b.csv", shuffled), "b")
    assert contents(one) == contents(two)


def test_every_text_is_in_one_split_and_every_label_in_every_split(tmp_path):
    settings, document = run(tmp_path, write(tmp_path / "a.csv", ROWS * 2))
    texts = {
        name: set(dataset.read_texts(settings.folder / "dataset", name)) for name in splits.SPLITS
    }
    assert sum(map(len, texts.values())) == len(set.union(*texts.values())) == len(ROWS)
    for part in document["splits"].values():
        assert all(part["labels"].values())
    assert document["duplicates"]["texts"] == len(ROWS)


def test_arrays_hold_what_the_codec_says(tmp_path):
    settings, document = run(tmp_path, write(tmp_path / "a.csv", ROWS))
    folder = settings.folder / "dataset"
    codec = Codec.from_json(files.read_json(folder / "codec.json"))
    for name in splits.SPLITS:
        split = dataset.read_split(folder, name)
        for index, text in enumerate(dataset.read_texts(folder, name)):
            assert split.text_ids(index).tolist() == codec.encode(text).ids
    assert document["vocabulary"] == codec.vocab.size


def test_the_vocabulary_is_learnt_from_training_texts_only(tmp_path):
    settings, _ = run(tmp_path, write(tmp_path / "a.csv", ROWS))
    folder = settings.folder / "dataset"
    codec = Codec.from_json(files.read_json(folder / "codec.json"))
    trained = " ".join(dataset.read_texts(folder, "train")).split()
    assert set(codec.vocab.words) <= set(trained)


def test_an_origins_own_test_split_is_kept(tmp_path):
    rows = [(*row, "test" if n < 20 else "train") for n, row in enumerate(ROWS)]
    path = write(tmp_path / "a.csv", rows, ("text", "label", "part"))
    settings, document = run(tmp_path, path, split_column="part")
    tested = set(dataset.read_texts(settings.folder / "dataset", "test"))
    assert tested == {text for text, _, split in rows if split == "test"}
    assert document["splits"]["test"]["texts"] == 20


def test_texts_without_words_are_left_out_and_counted(tmp_path):
    _, document = run(
        tmp_path, write(tmp_path / "a.csv", [*ROWS, ("", "n"), ("<br />", "y"), ("!", "y")])
    )
    assert document["empty"] == 3


def test_the_same_again_is_kept_and_another_setting_is_not(tmp_path):
    class Ears:
        def __init__(self):
            self.heard = []

        def say(self, message):
            self.heard.append(message)

        warn = say

        def bar(self, title, total, unit=""):
            from marfa.console import Silence

            return Silence().bar(title, total, unit)

    path, ears = write(tmp_path / "a.csv", ROWS), Ears()
    settings, first = run(tmp_path, path)
    assert prepare(settings, ears) == first
    assert "nothing has changed" in ears.heard[0]
    _, other = run(tmp_path, path, vocabulary=10)
    assert other["vocabulary"] == 10


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "no labelled texts"),
        ([("good", "y")], "label"),
        ([("good", "y"), ("fine", "y")], "label"),
        ([("good", "y"), ("bad", "n")], "at least 3"),
        ([("", "y"), ("", "n")] * 9, "at least|no word|label"),
        ([(f"<i{n}>", "ny"[n % 2]) for n in range(40)], "no word"),
    ],
)
def test_too_little_is_said(tmp_path, rows, expected):
    with pytest.raises(DataError, match=expected):
        run(tmp_path, write(tmp_path / "a.csv", rows))


def test_a_label_that_is_never_trained_on_is_named(tmp_path):
    path = write(tmp_path / "a.csv", [*ROWS, *[("always the same", "third")] * 3])
    with pytest.raises(DataError, match="'third'"):
        run(tmp_path, path)


def test_another_file_of_the_same_name_does_not_overwrite_the_first(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "reviews.csv", ROWS)
    run(tmp_path, tmp_path / "a" / "reviews.csv", name="")
    with pytest.raises(SettingsError, match="holds the run of") as caught:
        run(tmp_path, tmp_path / "b" / "reviews.csv", name="")
    assert "--name" in caught.value.hint


def test_a_killed_stage_leaves_no_record_of_an_earlier_one(tmp_path):
    path = write(tmp_path / "a.csv", ROWS)
    settings, _ = run(tmp_path, path)
    write(path, [*ROWS[:-1], ("", "third")])
    with pytest.raises(DataError):
        prepare(settings)
    assert not (settings.folder / "dataset" / "prepare.record.json").exists()


def test_the_sample_speaks_three_languages(tmp_path):
    settings = resolve("sentiment", {"workdir": str(tmp_path), "preset": "sample"})
    document = prepare(settings)
    assert sum(part["texts"] for part in document["splits"].values()) >= 600
    assert document["labels"] == ["negative", "positive"]


@given(
    sizes=st.lists(st.integers(3, 40), min_size=2, max_size=4),
    validation=st.floats(0.01, 0.5),
    test=st.floats(0.01, 0.5),
)
def test_every_label_gets_a_text_in_every_split(sizes, validation, test):
    labels = [label for label, size in enumerate(sizes) for _ in range(size)]
    digests = [splits.digest(str(n), 1) for n in range(len(labels))]
    placed = splits.share_out(
        digests, labels, [""] * len(labels), validation_share=validation, test_share=test
    )
    for label in range(len(sizes)):
        found = [split for split, one in zip(placed, labels, strict=True) if one == label]
        assert set(found) == set(splits.SPLITS)


def test_lengths_and_offsets_agree(tmp_path):
    settings, _ = run(tmp_path, write(tmp_path / "a.csv", ROWS))
    split = dataset.read_split(settings.folder / "dataset", "train")
    assert split.offsets[-1] == len(split.ids)
    assert (np.diff(split.offsets) == split.lengths_N).all()
