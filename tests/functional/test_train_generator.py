"""train, for a generator: what is its own; that it can be interrupted stands in test_train."""

import json

import pytest
import torch
from tests.functional.test_train import FLAGS, Ears

import marfa
from marfa.errors import BundleError, DataError, SettingsError
from marfa.models.generator import Generator, cell_size
from marfa.models.reading import trains_bfloat16
from marfa.recipes import resolve
from marfa.stages.prepare import prepare
from marfa.stages.train import train

SMALL = trains_bfloat16(torch.device("cpu"))
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

    if "precision" in flags and not SMALL:
        pytest.skip("this processor has no bfloat16")
    usual = {"epochs": 1, "precision": "bfloat16" if SMALL else "float32"}
    made, _ = trained(tmp_path, **usual)
    other, _ = trained(tmp_path, name="other", **{**usual, **flags})
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
        ({"hidden": 13}, "its hidden is 12, this run's is 13"),
        ({"layers": 1}, "its layers is 2, this run's is 1"),
        ({"layers": 3}, "its layers is 2"),
        ({"embedding": 9}, "its embedding is 16"),
        ({"input": "one-hot"}, "its input is embedding"),
    ],
)
def test_a_model_of_another_shape_is_refused(tmp_path, writer_path, flags, expected):
    made = settings(tmp_path, **{"hidden": 12, **flags}, from_=str(writer_path))
    prepare(made)
    with pytest.raises(SettingsError, match=expected) as caught:
        train(made)
    assert f"--{next(iter(flags))}" in caught.value.hint


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


@pytest.mark.parametrize("flags", [{"input": "one-hot"}, {"embedding": 19}], ids=str)
def test_symbols_keep_their_weights_wherever_they_stand_in_the_alphabet(tmp_path, flags):
    """19 is the number of ids of the first text: an embedding as wide as the alphabet is no one-hot."""
    first, _ = trained(tmp_path, text=TEXT, epochs=4, learning_rate=0.02, **flags)
    config = json.loads((first.run_folder / "config.json").read_text())
    if "embedding" in flags:
        assert config["vocabulary"] == flags["embedding"]
    for stage in (marfa.evaluate, marfa.package):
        stage(first)
    other = {**flags, "text": "0123 " + TEXT, "epochs": 1, "learning_rate": 1e-7, "name": "second"}
    begun = trained(tmp_path, **other, from_=str(first.model_file))[1]["best"]["validation_loss"]
    reached = config["best"]["validation_loss"]
    assert begun < reached + 0.4  # new symbols begin at random and take a share; afresh it is 3


def test_a_run_does_not_write_over_what_it_begins_with(tmp_path):
    made, _ = trained(tmp_path, epochs=1)
    for stage in (marfa.evaluate, marfa.package):
        stage(made)
    with pytest.raises(SettingsError, match="write over the model"):
        train(settings(tmp_path, epochs=1, from_=str(made.model_file)))


@pytest.mark.skipif(SMALL, reason="this processor trains in bfloat16")
def test_a_precision_that_the_processor_has_not_is_said(tmp_path):
    with pytest.raises(SettingsError, match="cannot train in bfloat16"):
        trained(tmp_path, epochs=1, precision="bfloat16")


def test_the_precision_that_was_used_is_told_and_kept(tmp_path):
    for precision in ("float32", "bfloat16")[: 2 if SMALL else 1]:
        made, _ = trained(tmp_path, epochs=1, precision=precision, name=precision)
        config = json.loads((made.run_folder / "config.json").read_text())
        assert config["precision"] == precision


def test_cells_do_not_count_up_for_ever(tmp_path):
    """With a large weight on their size they stay small, however long the text."""
    from safetensors.numpy import load_file

    sizes = []
    for penalty in (0.0, 1.0):
        made, _ = trained(
            tmp_path, epochs=4, cell_penalty=penalty, learning_rate=0.02, name=f"p{penalty:g}"
        )
        tensors = load_file(made.run_folder / "weights.safetensors")
        network = Generator(made.model, len(tensors["output.bias"]))
        network.load_state_dict({name: torch.from_numpy(t) for name, t in tensors.items()})
        _, state = network.eval()(torch.randint(0, network.vocabulary, (2000, 1)))
        sizes.append(cell_size(state).item())
    assert sizes[1] < 0.5 * sizes[0]
