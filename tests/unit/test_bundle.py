"""A bundle is whole and unaltered, or it is refused before anything of it is used."""

import json
from pathlib import Path

import pytest
from safetensors.numpy import save
from tests.installed import untar

from marfa import archives, bundle
from marfa.engines import weights
from marfa.errors import BundleError, SettingsError
from marfa.loading import load
from marfa.predictor import Predictor


@pytest.fixture
def folder(model_path, tmp_path):
    target = tmp_path / "model"
    untar(model_path, target)
    return target


def test_folder_and_archive_are_the_same_model(model_path, folder):
    packed, unpacked = bundle.load(model_path), bundle.load(folder)
    assert packed.contents == unpacked.contents
    assert load(model_path).predict(["wonderful"]) == load(folder).predict(["wonderful"])


def test_every_file_is_missed(model_path, folder, tmp_path):
    for name in [*bundle.load(model_path).contents, "bundle.json"]:
        (folder / name).rename(tmp_path / "aside")
        with pytest.raises(BundleError, match="missing"):
            bundle.load(folder)
        (tmp_path / "aside").rename(folder / name)
    bundle.load(folder)


def test_every_altered_byte_is_noticed(model_path, folder):
    for name, content in bundle.load(model_path).contents.items():
        for position in {0, len(content) // 2, len(content) - 1}:
            if content:
                altered = bytearray(content)
                altered[position] ^= 1
                (folder / name).write_bytes(altered)
                with pytest.raises(BundleError, match="not the file that was packaged"):
                    bundle.load(folder)
        (folder / name).write_bytes(content)
    bundle.load(folder)


def test_added_files_and_links_are_refused(folder, tmp_path):
    (folder / "word_dict.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(BundleError, match="not a file of a bundle"):
        bundle.load(folder)
    (folder / "word_dict.pkl").unlink()
    metrics = (folder / "metrics.json").rename(tmp_path / "metrics.json")
    (folder / "metrics.json").symlink_to(metrics)
    with pytest.raises(BundleError, match="not a plain file"):
        bundle.load(folder)


def test_another_format_says_what_to_do(folder):
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["format"] = 99
    (folder / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="format 99; this marfa reads 1, 2, 3"):
        bundle.load(folder)


def test_a_bundle_of_the_first_format_answers_as_before(model_path, folder):
    """In it all weights have 32 bits."""
    loaded = bundle.load(model_path)
    wide = save(weights.read(loaded.contents["weights.safetensors"]))
    assert len(wide) > 2 * len(loaded.contents["weights.safetensors"])
    sealed = bundle.seal(
        {**loaded.contents, "weights.safetensors": wide},
        {"tolerance": loaded.manifest["tolerance"], "format": 1},
    )
    (folder / "bundle.json").unlink()
    for name, content in sealed.items():
        (folder / name).write_bytes(content)
    assert bundle.load(folder).manifest["format"] == 1
    assert next(iter(bundle.load(folder).members)) == "manifest.json"
    texts = ["a wonderful film", "a waste of time"]
    for engine in ("numpy", "onnx"):
        found, expected = (
            Predictor(bundle.load(path), engine).predict_proba(texts)
            for path in (folder, model_path)
        )
        assert found.tobytes() == expected.tobytes()


def test_a_manifest_has_the_name_of_its_format_and_no_other(folder):
    manifest = json.loads((folder / "bundle.json").read_text())
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(BundleError, match=r"manifest\.json has been added"):
        bundle.load(folder)
    (folder / "manifest.json").unlink()
    (folder / "bundle.json").write_text(json.dumps({**manifest, "format": 2}))
    with pytest.raises(BundleError, match=r"bundle\.json is not what format 2 calls its manifest"):
        bundle.load(folder)
    (folder / "bundle.json").rename(folder / "manifest.json")
    assert bundle.load(folder).manifest["format"] == 2


def test_no_file_has_a_name_that_a_model_server_takes_for_its_own(model_path):
    """multi-model-server looks for it in every folder, in capitals or not, and then does not start."""
    names = {Path(name).name.lower() for name in bundle.load(model_path).members}
    assert not names & {"manifest.json", "signature.json", "mar-inf", "model-config.yaml"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"files": {}}', b"[" * 9999, b"\xff"])
def test_a_manifest_that_is_none(folder, content):
    (folder / "bundle.json").write_bytes(content)
    with pytest.raises(BundleError):
        bundle.load(folder)


def test_parts_of_two_models_do_not_make_one(model_path):
    loaded = bundle.load(model_path)
    codec = json.loads(loaded.contents["codec.json"])
    codec["vocabulary"] = codec["vocabulary"][:-1]
    mixed = {**loaded.contents, "codec.json": json.dumps(codec).encode()}
    with pytest.raises(BundleError, match="not of one model"):
        Predictor(bundle.Bundle(loaded.manifest, mixed, "mixed"))


def changed(model_path, tolerance=1e-4, **files):
    """A bundle in memory with other JSON documents in it."""
    loaded = bundle.load(model_path)
    contents = {
        **loaded.contents,
        **{f"{name}.json": json.dumps(document).encode() for name, document in files.items()},
    }
    return bundle.Bundle({**loaded.manifest, "tolerance": tolerance}, contents, "changed")


NO_SHARES = [None, "0.5", [], True, -0.1, 1.1, float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize("value", NO_SHARES)
def test_a_tolerance_or_a_share_that_is_no_number_from_0_to_1_is_refused(model_path, value):
    with pytest.raises(BundleError, match=r"tolerance is .*, expected a number from 0 to 1"):
        Predictor(changed(model_path, tolerance=value), "numpy")
    config = bundle.load(model_path).json("config.json") | {"min_known_share": value}
    with pytest.raises(
        BundleError, match=r"config\.json: min_known_share is .*, expected a number"
    ):
        Predictor(changed(model_path, config=config), "numpy")


def test_a_configuration_without_a_share_of_known_words_is_refused(model_path):
    config = bundle.load(model_path).json("config.json")
    del config["min_known_share"]
    with pytest.raises(BundleError, match="min_known_share"):
        Predictor(changed(model_path, config=config), "numpy")


@pytest.mark.parametrize(("share", "declines"), [(0, False), (0.2, False), (0.21, True), (1, True)])
def test_the_configurations_share_decides_what_is_declined(model_path, share, declines):
    config = bundle.load(model_path).json("config.json") | {"min_known_share": share}
    model = Predictor(changed(model_path, config=config), "numpy")
    assert model.min_known_share == share
    (found,) = model.predict(["wonderful zzq xxv qqj wvx"])
    assert (found is None) is declines


@pytest.mark.parametrize("metrics", [[], "good", None, 1, {"summary": []}, {"summary": None}])
def test_metrics_that_are_no_object_are_refused(model_path, metrics):
    with pytest.raises(BundleError, match=r"metrics\.json: expected an object"):
        Predictor(changed(model_path, metrics=metrics), "numpy")


def test_metrics_without_a_summary_are_none_to_speak_of(model_path):
    assert Predictor(changed(model_path, metrics={}), "numpy").metrics == {}


def test_an_engine_that_does_not_exist_is_said_with_those_that_do(model_path):
    with pytest.raises(SettingsError, match="'onxx' is none of auto, numpy, onnx"):
        load(model_path, engine="onxx")


def test_onnx_is_not_silently_replaced_where_the_bundle_has_no_graph(model_path):
    loaded = bundle.load(model_path)
    contents = {name: data for name, data in loaded.contents.items() if ".onnx" not in name}
    without = bundle.Bundle(loaded.manifest, contents, "without")
    with pytest.raises(BundleError, match=r"no model\.onnx") as caught:
        Predictor(without, "onnx")
    assert caught.value.hint == "--engine numpy"
    assert Predictor(without, "auto").engine.name == "numpy"


class Unwalkable(type(Path())):
    """A folder whose files nobody should go through."""

    def rglob(self, pattern):
        raise AssertionError(f"walked {self}")


def test_a_folder_without_a_manifest_is_refused_before_it_is_walked(tmp_path):
    (tmp_path / "big.bin").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"no bundle: bundle\.json is missing") as caught:
        bundle.load(Unwalkable(tmp_path))
    assert caught.value.hint == ""
    (tmp_path / "bundle.json").mkdir()
    with pytest.raises(BundleError, match=r"no bundle: bundle\.json is missing"):
        bundle.load(Unwalkable(tmp_path))


def test_a_folder_with_the_archive_in_it_says_so(model_path):
    with pytest.raises(BundleError, match="no bundle") as caught:
        bundle.load(model_path.parent)
    assert str(model_path) in caught.value.hint


def test_files_not_yet_written_are_verified_as_loaded_ones(model_path):
    loaded = bundle.load(model_path)
    extra = {"tolerance": loaded.manifest["tolerance"]}
    sealed = bundle.seal(loaded.contents, extra)
    assert bundle.verify(sealed, "new").contents == loaded.contents
    assert bundle.verify(sealed, "new").model_id == loaded.model_id
    assert "bundle.json" in sealed
    for wrong in (
        loaded.contents,
        {**sealed, "README.md": b"other"},
        {**sealed, "more.txt": b""},
        {name: data for name, data in sealed.items() if name != "codec.json"},
    ):
        with pytest.raises(BundleError, match=r"^new: "):
            bundle.verify(wrong, "new")


@pytest.mark.parametrize("kind", ["nothing", "text", "empty folder", "empty archive"])
def test_what_is_no_bundle_is_said(kind, tmp_path):
    path = tmp_path / "x.tar.gz"
    if kind == "text":
        path.write_text("hello")
    elif kind == "empty folder":
        path.mkdir()
    elif kind == "empty archive":
        archives.write_tar_gz(path, {})
    with pytest.raises(BundleError):
        bundle.load(path)


def test_caches_that_a_host_leaves_behind_are_no_alteration(folder):
    cache = folder / "code" / "marfa" / "__pycache__"
    cache.mkdir()
    (cache / "bundle.cpython-311.pyc").write_bytes(b"anything")
    bundle.load(folder)


def test_a_document_of_endless_values_is_refused_before_it_is_read(model_path):
    contents = bundle.load(model_path).contents
    for bomb in (b"[" * 1_300_000, b"[],[]," * 500_000, b"1," * 1_300_000):
        sealed = bundle.seal({**contents, "codec.json": bomb}, {"task": "classifier"})
        with pytest.raises(BundleError, match="holds more than any"):
            bundle.verify(sealed, "here")


def test_a_message_repeats_no_name_that_is_none(model_path):
    contents = bundle.load(model_path).contents
    sealed = bundle.seal(contents, {"task": "classifier"})
    manifest = json.loads(sealed["bundle.json"])
    manifest["files"]["\x1b[31m" + "a" * 5000] = {}
    sealed["bundle.json"] = json.dumps(manifest).encode()
    with pytest.raises(BundleError) as caught:
        bundle.verify(sealed, "here")
    assert len(str(caught.value)) < 200
    assert "\x1b" not in str(caught.value)


def test_a_document_of_brackets_in_brackets_is_refused(model_path):
    found = bundle.load(model_path)
    for depth, kept in ((30, True), (33, False), (900, False), (99_999, False)):
        changed = {**found.contents, "metrics.json": b'{"a":' + b"[" * depth + b"]" * depth + b"}"}
        sealed = bundle.seal(changed, {"task": "classifier"})
        made = bundle.verify(sealed, "here")
        if kept:
            assert made.json("metrics.json")
        else:
            with pytest.raises(BundleError, match=r"metrics\.json"):
                made.json("metrics.json")
