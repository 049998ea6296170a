"""package: one file, the same bytes for the same run, which answers where nothing but numpy is."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tests.installed import untar

from marfa import bundle, loading
from marfa.engines import weights
from marfa.errors import BundleError, DataError
from marfa.recipes import resolve
from marfa.stages.evaluate import evaluate
from marfa.stages.package import package
from marfa.stages.prepare import prepare
from marfa.stages.train import train


def test_packaging_twice_gives_the_same_bytes(trained, model_path):
    before = model_path.read_bytes()
    model_path.unlink()
    found = package(trained)
    assert model_path.read_bytes() == before
    assert set(found["golden"]) == {"numpy", "onnx", "int8"}


def test_it_is_kept_when_nothing_has_changed(trained, model_path):
    changed = model_path.stat().st_mtime_ns
    package(trained)
    assert model_path.stat().st_mtime_ns == changed


@pytest.mark.parametrize("engine", ["numpy", "onnx"])
def test_a_packed_model_says_what_the_trained_network_says(trained, model_path, engine):
    """Its embeddings were rounded before they were judged: packing them as bytes moves nothing."""
    import torch
    from safetensors.numpy import load

    from marfa.data import dataset
    from marfa.models.classifier import Classifier
    from marfa.models.scoring import probabilities

    packed = bundle.load(model_path)
    of_run = load((trained.run_folder / "weights.safetensors").read_bytes())
    assert load(packed.contents["weights.safetensors"])["embedding.weight"].dtype == "int8"
    found = weights.read(packed.contents["weights.safetensors"])
    assert {name: each.tobytes() for name, each in found.items()} == {
        name: each.tobytes() for name, each in of_run.items()
    }
    network = Classifier(trained.model, packed.json("config.json")["vocabulary"], 2)
    network.load_state_dict({name: torch.from_numpy(each) for name, each in of_run.items()})
    prepared = trained.folder / "dataset"
    said = loading.of(packed, engine).predict_proba(list(dataset.read_texts(prepared, "test")))
    expected = probabilities(network, dataset.read_split(prepared, "test"))
    readable = ~np.isnan(said).any(axis=1)
    assert readable.mean() > 0.9
    np.testing.assert_allclose(said[readable], expected[readable], atol=2e-6)


def test_eight_bits_are_what_answers_where_they_are_right_as_often(model_path):
    made = bundle.load(model_path)
    small = made.manifest["int8"]
    assert small["default"] is (abs(small["int8_accuracy"] - small["float32_accuracy"]) < 0.001)
    assert ("model.int8.onnx" in made.contents) is small["default"]
    assert small["difference"] < small["tolerance"] < 0.1
    model = loading.of(made)
    assert (model.engine.name, model.tolerance) == ("int8", small["tolerance"])
    other = loading.of(made, "onnx")
    assert (other.engine.name, other.tolerance) == ("onnx", made.manifest["tolerance"])


def test_a_bundle_of_before_is_answered_by_32_bits(model_path):
    made = bundle.load(model_path)
    contents = {name: each for name, each in made.contents.items() if name != "model.int8.onnx"}
    manifest = {name: each for name, each in made.manifest.items() if name != "int8"}
    former = bundle.Bundle(manifest, contents, "former")
    assert loading.of(former).engine.name == "onnx"
    with pytest.raises(BundleError, match=r"no model\.int8\.onnx"):
        loading.of(former, "int8")


def test_embeddings_of_32_bits_stay_so(tmp_path):
    from safetensors.numpy import load
    from tests.conftest import SMALL

    flags = {**SMALL, "workdir": str(tmp_path), "epochs": 1, "embedding_bits": 32}
    settings = resolve("sentiment", flags)
    for stage in (prepare, train, evaluate, package):
        stage(settings)
    found = bundle.load(settings.model_file).contents["weights.safetensors"]
    assert found == (settings.run_folder / "weights.safetensors").read_bytes()
    assert load(found)["embedding.weight"].dtype == "float32"


CODE = """
import builtins, sys
real = builtins.__import__
banned = set("torch onnxruntime onnx scipy sklearn starlette cyclopts rich safetensors".split())
def only_numpy(name, *rest, **named):
    if name.split(".")[0] in banned:
        raise ImportError(name)
    return real(name, *rest, **named)
builtins.__import__ = only_numpy
sys.path = [path for path in sys.path if "src" not in path]
sys.meta_path = [f for f in sys.meta_path if "editable" not in type(f).__module__ + repr(f)]
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in banned else found(name, *rest)
sys.path.insert(0, sys.argv[1] + "/code")
import inference, marfa
assert marfa.__file__.startswith(sys.argv[1]), marfa.__file__
model = inference.model_fn(sys.argv[1])
query = inference.input_fn(b"A wonderful film.", "text/plain")
print(inference.output_fn(inference.predict_fn(query, model), "application/json")[0].decode())
"""


def test_the_code_inside_answers_with_numpy_alone(model_path, tmp_path):
    untar(model_path, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["label"] in {"positive", "negative", None}


def test_the_card_has_front_matter_that_parses(model_path):
    card = bundle.load(model_path).contents["README.md"].decode()
    _, front, body = card.split("---\n", 2)
    values = {
        key: json.loads(value)
        for key, value in (line.split(": ", 1) for line in front.splitlines())
    }
    assert values["pipeline_tag"] == "text-classification"
    assert "bag of words" in body


def test_no_text_of_the_training_set_travels(trained, model_path):
    from marfa.data import dataset

    contents = b"".join(bundle.load(model_path).contents.values())
    for text in dataset.read_texts(trained.folder / "dataset", "train"):
        assert text.encode() not in contents


def test_figures_of_other_weights_are_not_packaged(tmp_path):
    from tests.conftest import SMALL

    settings = resolve("sentiment", {**SMALL, "workdir": str(tmp_path), "epochs": 1})
    for stage in (prepare, train, evaluate, package):
        stage(settings)
    train(resolve("sentiment", {**SMALL, "workdir": str(tmp_path), "epochs": 1, "seed": 2}))
    with pytest.raises(DataError, match="'evaluate' read has changed") as caught:
        package(settings)
    assert "marfa evaluate" in caught.value.hint


def test_a_folder_of_the_users_stays_at_home(tmp_path):
    from tests.conftest import SMALL

    data = tmp_path / "private-folder" / "mine.csv"
    data.parent.mkdir()
    data.write_text("text,label\n" + "".join(f"w{n} good,y\nw{n} bad,n\n" for n in range(30)))
    flags = {**SMALL, "preset": "default", "data": str(data), "workdir": str(tmp_path), "epochs": 1}
    settings = resolve("sentiment", {**flags, "min_count": 1})
    for stage in (prepare, train, evaluate, package):
        stage(settings)
    contents = bundle.load(settings.folder / "model.tar.gz").contents
    assert not any(b"private-folder" in content for content in contents.values())


def test_nothing_evaluated_says_what_to_type(tmp_path):
    with pytest.raises(DataError, match="has not been done"):
        package(resolve("sentiment", {"workdir": str(tmp_path)}))
