"""train: an interruption costs seconds, never the result."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.jobs import FLAGS

from marfa import files
from marfa.console import Silence
from marfa.engines import rounding
from marfa.errors import DataError, SettingsError, StoppedError, TrainingError
from marfa.models import checkpoint
from marfa.recipes import resolve
from marfa.stages.prepare import prepare
from marfa.stages.train import train


def settings(workdir, recipe="sentiment", **flags):
    return resolve(recipe, {**FLAGS[recipe], "workdir": str(workdir), **flags})


@pytest.fixture(scope="module", params=FLAGS)
def whole(request, tmp_path_factory):
    """A run that was never interrupted."""
    made = settings(tmp_path_factory.mktemp("whole"), request.param)
    prepare(made)
    train(made)
    return made


def results(made):
    run = made.folder / "run"
    return {
        name: files.hash_file(run / name)
        for name in ("weights.safetensors", "config.json", "history.jsonl")
    }


def command(made):
    flags = [
        f"--{k.replace('_', '-')}={v}" for k, v in FLAGS[made.recipe].items() if k != "vocabulary"
    ]
    flags += ["--workdir", made.place.workdir]
    return [sys.executable, "-m", "marfa", "train", made.recipe, *flags]


def prepared(tmp_path, recipe="sentiment"):
    made = settings(tmp_path, recipe)
    prepare(made)
    return made


def checkpoints(made):
    return sorted((made.folder / "run" / "checkpoints").rglob("*.json"))


def wait_for_checkpoint(made, process, count):
    seen = set()
    while process.poll() is None and len(seen) < count:
        seen |= {path.name for path in checkpoints(made)}
        time.sleep(0.001)


def test_the_same_run_twice_is_the_same_bytes(whole, tmp_path):
    made = prepared(tmp_path, whole.recipe)
    train(made)
    assert results(made) == results(whole)
    assert not (made.folder / "run" / "checkpoints").exists()


@pytest.mark.job
@pytest.mark.parametrize("after", [1, 20, 60])
def test_killed_anywhere_it_ends_with_the_same_bytes(whole, tmp_path, after):
    made = prepared(tmp_path, whole.recipe)
    process = subprocess.Popen(command(made), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for_checkpoint(made, process, after)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert checkpoints(made)
    train(made)
    assert results(made) == results(whole)
    assert [p for p in (made.folder / "run").rglob("*") if p.suffix == ".tmp"] == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_asked_to_stop_it_saves_and_says_so(whole, tmp_path, number, code):
    made = prepared(tmp_path, whole.recipe)
    process = subprocess.Popen(
        command(made), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    wait_for_checkpoint(made, process, 5)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert "all is saved" in told
    assert "run the same command again" in told
    assert "Traceback" not in told
    train(made)
    assert results(made) == results(whole)


def test_a_rotten_checkpoint_is_passed_over_for_the_one_before(whole, tmp_path):
    made = prepared(tmp_path, whole.recipe)
    process = subprocess.Popen(command(made), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for_checkpoint(made, process, 8)
    process.kill()
    process.wait()
    newest = checkpoints(made)[-1].with_suffix(".safetensors")
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    train(made)
    assert results(made) == results(whole)


@pytest.mark.parametrize("damage", ["cut", "empty", "no json", "other run"])
def test_only_a_whole_checkpoint_of_this_run_is_read(tmp_path, damage):
    import torch

    for number in (1, 2):
        checkpoint.write(tmp_path, number, {"a": torch.tensor([float(number)])}, {"key": "k"})
    if damage == "other run":
        assert checkpoint.read_newest(tmp_path, "other") is None
        return
    newest = tmp_path / "000000002.safetensors"
    if damage == "no json":
        (tmp_path / "000000002.json").write_text("{")
    else:
        newest.write_bytes(newest.read_bytes()[:10] if damage == "cut" else b"")
    tensors, _ = checkpoint.read_newest(tmp_path, "k")
    assert tensors["a"].item() == 1.0


def test_a_failed_write_leaves_the_generations_before(tmp_path):
    import torch

    checkpoint.write(tmp_path, 1, {"a": torch.tensor([1.0])}, {"key": "k"})
    with pytest.raises(ValueError, match="JSON"):
        checkpoint.write(tmp_path, 2, {"a": torch.tensor([2.0])}, {"key": "k", "bad": float("nan")})
    tensors, _ = checkpoint.read_newest(tmp_path, "k")
    assert tensors["a"].item() == 1.0


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path):
    made = settings(tmp_path, learning_rate=1e9, weight_decay=10.0, schedule="constant")
    prepare(made)
    with pytest.raises(TrainingError, match="no longer a number") as caught:
        train(made)
    assert "--learning-rate" in caught.value.hint
    for path in checkpoints(made):
        assert "NaN" not in path.read_text()


def test_nothing_prepared_says_what_to_type(tmp_path):
    with pytest.raises(DataError, match="'prepare' has not been done"):
        train(settings(tmp_path))


def test_a_sample_of_rows_is_enough_to_see_that_it_works(tmp_path):
    made = settings(tmp_path, sample=50, epochs=1)
    prepare(made)
    assert len(train(made)["epochs"]) == 1


def test_the_best_epoch_is_kept_and_patience_ends_the_run(tmp_path):
    made = settings(tmp_path, epochs=40, patience=2, learning_rate=0.02, schedule="constant")
    prepare(made)
    found = train(made)
    assert len(found["epochs"]) < 40
    best = max(found["epochs"], key=lambda e: (e["validation_accuracy"], -e["validation_loss"]))
    assert found["best"] == best
    assert len(found["epochs"]) == best["epoch"] + 2


def ended(made):
    """What a run has kept, the network that it makes, and its validation texts."""
    import torch
    from safetensors.numpy import load

    from marfa.data import dataset
    from marfa.models.classifier import Classifier

    kept = load((made.run_folder / "weights.safetensors").read_bytes())
    config = json.loads((made.run_folder / "config.json").read_text())
    network = Classifier(made.model, config["vocabulary"], len(config["labels"]))
    network.load_state_dict({name: torch.from_numpy(array) for name, array in kept.items()})
    return kept, network, dataset.read_split(made.folder / "dataset", "validation")


@pytest.mark.parametrize("bits", [7, 32])
@pytest.mark.parametrize("average", [0.0, 0.998])
def test_the_best_epochs_figures_are_those_of_the_weights_that_are_kept(tmp_path, bits, average):
    from marfa.models.scoring import loss_and_accuracy, probabilities

    made = settings(tmp_path, embedding_bits=bits, average=average)
    prepare(made)
    best = train(made)["best"]
    _, network, validation = ended(made)
    loss, accuracy = loss_and_accuracy(probabilities(network, validation), validation.labels_N)
    assert best["validation_accuracy"] == round(accuracy, 6)
    assert best["validation_loss"] == pytest.approx(loss, abs=2e-6)


@pytest.mark.parametrize("average", [0.0, 0.998])
def test_embeddings_are_rounded_where_they_are_kept_and_nowhere_else(tmp_path, average):
    """What learns, learns as it would without: only the figures of the rounded network differ."""
    runs = {}
    for bits in (7, 32):
        made = settings(tmp_path, embedding_bits=bits, average=average, epochs=2, patience=0)
        prepare(made)
        found = train(made)
        learnt = [(each["train_loss"], each["train_accuracy"]) for each in found["epochs"]]
        runs[bits] = ended(made)[0], learnt, found["best"]["epoch"]
    (small, learnt, best), (whole, expected, same_best) = runs[7], runs[32]
    assert learnt == expected
    assert best == same_best
    tables = [tensors.pop("embedding.weight") for tensors in (small, whole)]
    assert tables[0].tobytes() == rounding.rounded(tables[1], 7).tobytes() != tables[1].tobytes()
    assert not tables[0][0].any()  # the row of padding
    assert {name: array.tobytes() for name, array in small.items()} == {
        name: array.tobytes() for name, array in whole.items()
    }


def test_bits_that_no_embedding_is_kept_in_are_refused():
    with pytest.raises(SettingsError, match="embedding_bits: 16 is none of 6, 7, 8, 32"):
        settings("work", embedding_bits=16)


def test_the_tutorials_network_trains_too(tmp_path):
    made = resolve(
        "sentiment",
        {
            "preset": "tutorial",
            "data": "sample",
            "workdir": str(tmp_path),
            "epochs": 1,
            "threads": 1,
        },
    )
    prepare(made)
    config = train(made) and json.loads((made.folder / "run" / "config.json").read_text())
    assert (config["model"]["embedding"], config["model"]["hidden"]) == (32, 100)
    assert config["model"]["pooling"] == "last"


def stopped_early(made, *flags, after=20):
    """Start a run in a process of its own, and kill it."""
    process = subprocess.Popen(
        [*command(made), *flags], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    wait_for_checkpoint(made, process, after)
    process.kill()
    process.wait()


@pytest.mark.job
def test_a_run_on_other_settings_leaves_the_first_one_alone(whole, tmp_path):
    made = prepared(tmp_path, whole.recipe)
    stopped_early(made, after=30)
    stopped_early(made, "--seed", "7", after=60)
    stopped_early(made, "--sample", "5000", after=5)
    heard = Ears()
    train(made, heard)
    assert any("going on" in message for message in heard.messages)
    assert results(made) == results(whole)


def test_a_sample_of_rows_leaves_the_real_run_alone(whole):
    before = results(whole)
    train(settings(whole.place.workdir, whole.recipe, sample=500, epochs=1))
    assert results(whole) == before


def test_asked_to_stop_after_the_last_step_it_does(tmp_path):
    """In the validation after the last epoch nothing is left to learn; stopping still means stopping."""

    class Stopping(Ears):
        def say(self, message):
            if message.startswith("epoch 1"):
                signal.raise_signal(signal.SIGINT)

    made = settings(tmp_path, epochs=1)
    prepare(made)
    with pytest.raises(StoppedError) as caught:
        train(made, Stopping())
    assert caught.value.exit_code == 130
    assert len(train(made)["epochs"]) == 1


def test_altered_arrays_are_not_trained_on(tmp_path):
    made = prepared(tmp_path)
    path = made.folder / "dataset" / "train.labels.npy"
    data = bytearray(path.read_bytes())
    data[-4] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="not the file that the stage 'prepare' made"):
        train(made)


def test_history_can_be_followed_while_it_grows(tmp_path):
    made = prepared(tmp_path)
    process = subprocess.Popen(command(made), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    path = made.folder / "run" / "history.jsonl"
    while process.poll() is None and not path.exists():
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert json.loads(path.read_text().splitlines()[0])["epoch"] == 1


def test_another_number_of_threads_goes_on_and_says_so(tmp_path):
    made = prepared(tmp_path)
    process = subprocess.Popen(command(made), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for_checkpoint(made, process, 5)
    process.kill()
    process.wait()
    heard = Ears()
    train(settings(tmp_path, threads=2), heard)
    assert any("begun with 1 thread(s), now 2" in message for message in heard.messages)


class Ears(Silence):
    """Somebody who remembers what was said."""

    def __init__(self):
        self.messages = []

    def say(self, message):
        self.messages.append(message)

    warn = say


def test_tensorboard_finds_the_curves(whole):
    loaded = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = loaded.EventAccumulator(str(whole.folder / "run" / "tensorboard"))
    events.Reload()
    other = {"sentiment": "accuracy", "shakespeare": "bits"}[whole.recipe]
    assert set(events.Tags()["scalars"]) == {
        f"{figure}/{part}" for figure in ("loss", other) for part in ("train", "validation")
    }


def test_history_is_one_line_an_epoch(whole):
    lines = (whole.folder / "run" / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]


def test_a_second_process_is_refused(tmp_path):
    made = prepared(tmp_path)
    with files.lock(made.folder / "run"):
        done = subprocess.run(command(made), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"process {os.getpid()}" in done.stderr
