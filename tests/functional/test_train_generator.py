"""train, for a generator: what is its own; that it can be interrupted stands in test_train."""

import json

import pytest
from tests.functional.test_train import FLAGS, Ears

from marfa.errors import BundleError, DataError, SettingsError
from marfa.recipes import resolve
from marfa.stages.prepare import prepare
from marfa.stages.train import train

TEXT = "the sun is up. the sea is calm. we sail at noon and the wind is ours. " * 40


def settings(tmp_path, text=TEXT, **flags):
    path = tmp_path / "mine.txt"
    path.write_text(text, encoding="utf-8")
    kept = {**FLAGS["shakespeare"], "batch_size": 4, "unroll": 20, "preset": "default"}
    return resolve("shakespeare", {**kept, "data": str(path), "workdir": str(tmp_path), **flags})


def trained(tmp_path, **flags):
    made = settings(tmp_path, **flags)
    prepare(made)
    return made, train(made)


def test_it_learns(tmp_path):
    _, found = trained(tmp_path, learning_rate=0.02, epochs=6)
    first, *_, last = found["epochs"]
    assert last["validation_bits"] < 0.75 * first["validation_bits"]
    assert found["best"]["validation_loss"] == min(e["validation_loss"] for e in found["epochs"])
    assert last["characters"] == 6 * first["characters"]


@pytest.mark.parametrize(
    "flags",
    [
        {"input": "one-hot"},
        {"layers": 1},
        {"average": 0.0},
        {"precision": "float32"},
        {"clip": 0.1},
    ],
    ids=str,
)
def test_a_setting_changes_the_weights(tmp_path, flags):
    from marfa import files

    made, _ = trained(tmp_path, epochs=1)
    other, _ = trained(tmp_path, epochs=1, name="other", **{"precision": "bfloat16", **flags})
    weights = [files.hash_file(run.run_folder / "weights.safetensors") for run in (made, other)]
    assert weights[0] != weights[1]


def test_it_begins_as_an_earlier_model_ended(tmp_path, writer_path, writer_settings):
    text = "Zzz! " + TEXT  # of which the earlier model knows some symbols
    flags = {"hidden": 12, "layers": 2, "learning_rate": 1e-7, "epochs": 1, "text": text}
    heard = Ears()
    made = settings(tmp_path, **flags, from_=str(writer_path))
    prepare(made)
    begun = train(made, heard)["best"]["validation_bits"]
    assert any("beginning as model" in message for message in heard.messages)
    _, fresh = trained(tmp_path, **flags, name="fresh")
    assert begun < fresh["best"]["validation_bits"] - 0.5
    config = json.loads((made.run_folder / "config.json").read_text())
    assert len(config["train"]["from"]) == 12


def test_another_earlier_model_is_another_run(tmp_path, writer_path):
    made = settings(tmp_path, hidden=12, epochs=1, from_=str(writer_path))
    prepare(made)
    train(made)
    heard = Ears()
    train(made, heard)
    assert any("nothing has changed" in message for message in heard.messages)
    heard = Ears()
    train(settings(tmp_path, hidden=12, epochs=1), heard)
    assert not any("nothing has changed" in message for message in heard.messages)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"hidden": 13}, "another shape"),
        ({"layers": 3}, "another shape"),
        ({"embedding": 9}, "another shape"),
        ({"input": "one-hot"}, "another shape"),
    ],
)
def test_a_model_of_another_shape_is_refused(tmp_path, writer_path, flags, expected):
    made = settings(tmp_path, **{"hidden": 12, **flags}, from_=str(writer_path))
    prepare(made)
    with pytest.raises(SettingsError, match=expected) as caught:
        train(made)
    assert "--hidden" in caught.value.hint


def test_a_model_that_judges_or_is_none_is_refused(tmp_path, model_path):
    made = settings(tmp_path, from_=str(model_path))
    prepare(made)
    with pytest.raises(SettingsError, match="no model that writes"):
        train(made)
    with pytest.raises(BundleError):
        train(settings(tmp_path, from_=str(tmp_path / "none.tar.gz")))


def test_a_text_shorter_than_one_batch_is_refused(tmp_path):
    made = settings(tmp_path, text="to be or not to be", batch_size=32)
    prepare(made)
    with pytest.raises(DataError, match="too few for 32 stretches"):
        train(made)


def test_a_text_shorter_than_a_step_is_learnt_from(tmp_path):
    _, found = trained(tmp_path, text="to be or not to be", batch_size=1, unroll=1000, epochs=1)
    assert found["best"]["epoch"] == 1
