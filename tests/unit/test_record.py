"""A stage is skipped only when nothing at all has changed."""

import pytest

from marfa import record
from marfa.errors import DataError


@pytest.fixture
def done(tmp_path):
    made = tmp_path / "a.txt"
    made.write_text("made")
    record.write(tmp_path, "prepare", {"source": "1"}, {"seed": 1}, [made])
    return tmp_path


def test_the_same_again_is_done(done):
    assert record.is_done(done, "prepare", {"source": "1"}, {"seed": 1})


def test_another_input_setting_or_stage_is_not(done):
    assert not record.is_done(done, "prepare", {"source": "2"}, {"seed": 1})
    assert not record.is_done(done, "prepare", {"source": "1"}, {"seed": 2})
    assert not record.is_done(done, "train", {"source": "1"}, {"seed": 1})


@pytest.mark.parametrize("damage", ["altered", "missing", "record"])
def test_what_was_made_must_be_intact(done, damage):
    if damage == "altered":
        (done / "a.txt").write_text("Made")
    elif damage == "missing":
        (done / "a.txt").unlink()
    else:
        (done / "prepare.record.json").write_text("[")
    assert not record.is_done(done, "prepare", {"source": "1"}, {"seed": 1})


def test_outputs_are_the_next_stages_inputs(done):
    assert list(record.outputs(done, "prepare")) == ["a.txt"]
    with pytest.raises(DataError, match="'train' has not been done"):
        record.outputs(done, "train")


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_files_changed_since_are_nobodys_inputs(done, damage):
    if damage == "altered":
        (done / "a.txt").write_text("Made")
    else:
        (done / "a.txt").unlink()
    with pytest.raises(DataError, match="not the file that the stage 'prepare' made"):
        record.outputs(done, "prepare")


def test_other_inputs_are_noticed(done):
    assert record.outputs(done, "prepare", {"source": "1"})
    with pytest.raises(DataError, match="has changed since") as caught:
        record.outputs(done, "prepare", {"source": "2"})
    assert "marfa prepare" in caught.value.hint


def test_a_stage_under_way_again_is_not_done(done):
    record.forget(done, "prepare")
    assert not record.is_done(done, "prepare", {"source": "1"}, {"seed": 1})
