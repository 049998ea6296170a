"""The page's own model: one file, made of a bundle, and where it is served."""

import gzip
import json
import re
from dataclasses import replace

import pytest
from tests import untrained
from tests.own import claims

from marfa import bundle, loading
from marfa.container import own, pages
from marfa.container.messages import DEFAULT_LIMITS
from marfa.settings import ModelSettings, TextSettings


@pytest.fixture(scope="module")
def large():
    """The default preset's shape and size."""
    return untrained.judge()


def head_of(content):
    length = int.from_bytes(content[:4], "little")
    return json.loads(gzip.decompress(content[4 : 4 + length]))


def test_the_default_models_fit_and_the_same_bundle_gives_the_same_bytes(large):
    for made in (large, untrained.writer()):
        content = own.file(made)
        assert 1_000_000 < len(content) <= own.LIMIT
        assert own.file(made) == content
        assert head_of(content)["model"] == made.model_id


def test_a_model_too_large_for_any_rung_is_sent_all_the_same():
    made = untrained.judge(ModelSettings(embedding=200, hidden=4), TextSettings(vocabulary=90_000))
    content = own.file(made)
    assert len(content) > own.LIMIT
    runs = head_of(content)["tensors"]["embedding.weight"]["runs"]
    assert runs[0][0] == 60


def test_tensors_stand_where_the_head_says(large):
    content = own.file(large)
    body = gzip.decompress(content[4 + int.from_bytes(content[:4], "little") :])
    chosen, place = own.tensors(large), 0
    for name, entry in head_of(content)["tensors"].items():
        numbers = chosen[name].numbers
        assert entry["at"] == place
        place += numbers.nbytes
        assert body[entry["at"] : place] == numbers.tobytes()
    assert place == len(body)


def test_a_stemmer_that_the_page_lacks_leaves_everything_to_the_server():
    made = untrained.judge(claims.PLAIN, replace(claims.TUTORIAL, stem="english"))
    assert not own.is_possible(made)
    found = pages.own(made, {})
    assert json.loads(found["/device.json"].content) == {"file": None, "server": True}
    assert b"unregister" in found["/sw.js"].content


def test_what_is_served_names_the_file_and_keeps_one_version(model_path):
    made = bundle.load(model_path)
    files = pages.files(loading.of(made, engine="numpy"), DEFAULT_LIMITS)
    found = pages.own(made, files)
    name = json.loads(found["/device.json"].content)["file"]
    assert f"/{name}" in found
    assert found[f"/{name}"].response.headers["Cache-Control"].endswith("immutable")
    worker = found["/sw.js"]
    assert worker.response.headers["Cache-Control"] == "no-cache"
    listed = json.loads(worker.content.split(b"const HASHES = ")[1].split(b";\n")[0])
    assert {"./", "device.json", "v1/model", "codec.js", "site.webmanifest"} <= set(listed)
    assert not {"sw.js", "docs", "openapi.json"} & set(listed)
    assert pages.own(made, files)["/sw.js"].content == worker.content
    changed = {**files, "/words.js": pages.Page(b"", "text/javascript")}
    assert pages.own(made, changed)["/sw.js"].content != worker.content
    alone = pages.own(made, files, server=False)
    assert json.loads(alone["/device.json"].content) == {"file": name, "server": False}
    assert alone["/sw.js"].content != worker.content


@pytest.mark.parametrize("fixture", ["model_path", "writer_path"])
def test_page_and_engine_are_small(request, fixture):
    """Each file packed by itself, as it is sent: the page, its languages, its engine, of either task."""
    found = kept(bundle.load(request.getfixturevalue(fixture)))
    sizes = {name: len(gzip.compress(content, 9)) for name, content in found.items()}
    assert sum(sizes.values()) <= 40_000, sizes


@pytest.mark.parametrize("fixture", ["model_path", "writer_path"])
def test_each_page_gets_the_files_that_it_asks_for_and_no_others(request, fixture):
    found = kept(bundle.load(request.getfixturevalue(fixture)))
    wanted = re.compile(rb'(?:from |import |import\(|src=|href=|Worker\()"(?:\./)?([\w.]+\.\w+)"')
    reached, left = {"/sw.js", "/device.json", "/v1/model", "/fr.json", "/ar.json"}, ["/"]
    missing = set()
    while left:
        path = left.pop()
        if path not in found:
            missing.add(path)
        elif path not in reached or path == "/":
            reached.add(path)
            left += [f"/{name.decode()}" for name in wanted.findall(found[path])]
    assert found.keys() - {"/"} <= reached
    # the engine has two doors, of which one stays shut
    assert missing == {"model_path": {"/author.js"}, "writer_path": {"/judge.js"}}[fixture]


def kept(made):
    """All that a browser keeps of a page but the model."""
    files = pages.files(loading.of(made, engine="numpy"), DEFAULT_LIMITS)
    files = {**files, **pages.own(made, files)}
    return {
        path: page.content
        for path, page in files.items()
        if path not in pages.UNKEPT and not page.lasting
    }


def test_what_the_page_loses_is_measured_when_a_model_is_packaged(model_path, writer_path):
    judging, writing = (bundle.load(path).manifest["page"] for path in (model_path, writer_path))
    for path, entry in ((model_path, judging), (writer_path, writing)):
        assert entry["bytes"] == len(own.file(bundle.load(path)))
    assert judging["texts"] > 20
    assert judging["difference"] < judging["tolerance"] < 0.05
    assert abs(writing["difference"]) < 0.01
