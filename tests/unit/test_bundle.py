"""A bundle is whole and unaltered, or it is refused before anything of it is used."""

import json
import shutil

import pytest

from marfa import archives, bundle
from marfa.errors import BundleError
from marfa.predictor import Predictor, load


@pytest.fixture
def folder(model_path, tmp_path):
    target = tmp_path / "model"
    shutil.unpack_archive(model_path, target, filter="data")
    return target


def test_folder_and_archive_are_the_same_model(model_path, folder):
    packed, unpacked = bundle.load(model_path), bundle.load(folder)
    assert packed.contents == unpacked.contents
    assert load(model_path).predict(["wonderful"]) == load(folder).predict(["wonderful"])


def test_every_file_is_missed(model_path, folder, tmp_path):
    for name in [*bundle.load(model_path).contents, "manifest.json"]:
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
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["format"] = 99
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="format 99; this marfa reads 1"):
        bundle.load(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"files": {}}', b"[" * 9999, b"\xff"])
def test_a_manifest_that_is_none(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError):
        bundle.load(folder)


def test_parts_of_two_models_do_not_make_one(model_path):
    loaded = bundle.load(model_path)
    codec = json.loads(loaded.contents["codec.json"])
    codec["vocabulary"] = codec["vocabulary"][:-1]
    mixed = {**loaded.contents, "codec.json": json.dumps(codec).encode()}
    with pytest.raises(BundleError, match="not of one model"):
        Predictor(bundle.Bundle(loaded.manifest, mixed, "mixed"))


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
