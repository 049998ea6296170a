"""site: the page as a folder of files, which is whole, guarded, and brought up to date."""

import base64
import hashlib
import json
import subprocess
import sys

import pytest
from tests import untrained
from tests.own import claims

from marfa import archives, bundle
from marfa.container import own
from marfa.errors import BundleError, DataError
from marfa.settings import TextSettings
from marfa.stages.site import site


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "site"


def listed(folder):
    return json.loads((folder / "sw.js").read_text().split("const HASHES = ")[1].split(";\n")[0])


def packed(made, path):
    archives.write_tar_gz(path, made.members)
    return path


@pytest.mark.parametrize("fixture", ["model_path", "writer_path"])
def test_the_folder_is_all_that_the_service_worker_lists(request, folder, fixture):
    path = request.getfixturevalue(fixture)
    result = site(path, folder)
    found = {
        each.relative_to(folder).as_posix(): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file()
    }
    assert {name: len(content) for name, content in found.items()} == result["files"]
    assert result["bytes"] == sum(map(len, found.values()))
    model = own.name(bundle.load(path))
    assert found[model] == own.file(bundle.load(path))
    hashes = {name: hashlib.sha256(content).hexdigest()[:32] for name, content in found.items()}
    hashes["./"] = hashes.pop("index.html")
    assert listed(folder) == {k: v for k, v in hashes.items() if k not in {model, "sw.js"}}
    assert json.loads(found["device.json"]) == {"file": model, "server": False}
    assert json.loads(found["v1/model"])["model"] == result["model"]


def test_the_policy_is_in_the_page_since_hosts_of_files_send_none(model_path, folder):
    site(model_path, folder)
    page = (folder / "index.html").read_text()
    policy = page.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "worker-src 'self'" in policy
    assert "frame-ancestors" not in policy
    style = page.split("<style>")[1].split("</style>")[0].encode()
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert f"; style-src 'sha256-{digest}';" in policy
    assert page.index("Content-Security-Policy") < page.index("<script")


def test_the_same_model_gives_the_same_files_and_another_leaves_none_of_the_old(
    model_path, folder, tmp_path
):
    first = site(model_path, folder)
    times = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert site(model_path, folder) == first
    assert {path: path.read_bytes() for path in times} == times
    other = packed(
        untrained.judge(claims.PLAIN, TextSettings(vocabulary=80)), tmp_path / "2.tar.gz"
    )
    site(other, folder)
    names = {path.name for path in folder.glob("model-*.bin")}
    assert names == {own.name(bundle.load(other))}


def test_another_site_in_the_folder_is_left_alone(model_path, folder):
    folder.mkdir()
    (folder / "index.html").write_text("somebody's own")
    with pytest.raises(DataError, match="was not written by marfa"):
        site(model_path, folder)
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_a_model_that_the_page_cannot_read_for_is_refused(folder, tmp_path):
    made = untrained.judge(claims.PLAIN, TextSettings(vocabulary=80, stem="french"))
    with pytest.raises(BundleError, match="stemmer"):
        site(packed(made, tmp_path / "stems.tar.gz"), folder)
    assert not folder.exists()


def test_the_command_says_what_it_wrote(model_path, folder):
    command = [sys.executable, "-m", "marfa", "site", "export", str(model_path), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"http.server --directory {folder}" in done.stdout
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["files"]["index.html"] > 1000
    done = subprocess.run(
        [sys.executable, "-m", "marfa", "site", "burn", "x", "y"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
