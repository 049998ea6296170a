"""The image of one's own: what it runs, as SageMaker starts it; and what it is built of."""

import contextlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tests import jobs
from tests.installed import untar

from marfa.aws import images
from marfa.cli import sagemaker
from marfa.container import questions
from marfa.container.contract import respond
from marfa.loading import load
from marfa.settings import CloudSettings

ROOT = Path(__file__).parents[2]
AT = "import sys; from pathlib import Path; from marfa.cli.sagemaker import main; "
AT += "sys.exit(main(sys.argv[2:], Path(sys.argv[1])))"
"""The entry with another folder in the place of /opt/ml."""


@pytest.fixture(scope="module", params=["model_path", "tiny_path"])
def tree(request, tmp_path_factory):
    """A folder such as SageMaker makes at /opt/ml."""
    root = tmp_path_factory.mktemp("ml")
    path = request.getfixturevalue(request.param)
    untar(path, root / "model")
    return root


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def started(command):
    """Start a container's first process, wait until it listens, and yield it and its address."""
    environ = {**os.environ, "SAGEMAKER_BIND_TO_PORT": str(free_port())}
    process = subprocess.Popen(
        command, env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        told = []
        for line in process.stderr:
            told.append(line)
            if found := re.search(r"http://(\S+)/", line):
                assert found[1] == f"0.0.0.0:{environ['SAGEMAKER_BIND_TO_PORT']}"
                break
        else:
            raise AssertionError("".join(told))
        yield process, f"http://127.0.0.1:{environ['SAGEMAKER_BIND_TO_PORT']}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ask(url, request):
    headers = {"Content-Type": request.content_type, "Accept": request.accept}
    headers = {name: value for name, value in headers.items() if value}
    body = request.body if request.method == "POST" else None
    asked = urllib.request.Request(url + request.path, body, headers, method=request.method)
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.status, answer.headers["Content-Type"], answer.read()


def assert_stops_in_time(process, pid):
    """Ask the first process to stop, as SageMaker does 30 s before it is killed."""
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    _, told = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in told) == (0, False)
    assert time.monotonic() - began < 10


def test_the_first_process_answers_as_the_contract_does_and_stops_when_asked(tree):
    model = load(tree / "model")
    with started([sys.executable, "-c", AT, str(tree), "serve"]) as (process, url):
        for request in questions.of(model):
            expected = respond(model, request)
            found = ask(url, request)
            assert found == (expected.status, expected.content_type, expected.body)
        assert_stops_in_time(process, process.pid)


def in_namespaces(*command):
    return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", *command]


def may_unshare():
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(in_namespaces("true"), capture_output=True, check=False).returncode == 0


def test_as_process_1_at_its_true_path_it_answers_and_stops_when_asked(tree):
    if not may_unshare():
        pytest.skip("unshare is not permitted here")
    if any(Path(prefix).is_relative_to("/opt") for prefix in (sys.prefix, sys.base_prefix, ROOT)):
        pytest.skip("what is tested lies in /opt itself")
    at = shlex.quote(str(tree))
    mounted = f"mount -t tmpfs none /opt && mkdir /opt/ml && mount --bind {at} /opt/ml"
    run = shlex.join([sys.executable, "-m", "marfa.cli.sagemaker", "serve"])
    with started(in_namespaces("sh", "-c", f"{mounted} && exec {run}")) as (process, url):
        with urllib.request.urlopen(url + "/ping", timeout=10) as answer:
            assert answer.status == 200
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        (first,) = map(int, children)
        ids = re.search(r"NSpid:\t(.*)", Path(f"/proc/{first}/status").read_text())[1].split()
        assert ids[-1] == "1"
        assert_stops_in_time(process, first)


def test_an_altered_model_ends_the_container_with_a_sentence(tree, tmp_path):
    shutil.copytree(tree, tmp_path / "ml")
    (tmp_path / "ml" / "model" / "codec.json").write_text("{}")
    run = [sys.executable, "-c", AT, str(tmp_path / "ml"), "serve"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "codec.json" in done.stderr
    assert "Traceback" not in done.stderr


def training(root, *flags):
    run = [sys.executable, "-m", "marfa.cli.sagemaker", "train", *flags]
    return subprocess.run(run, env=jobs.environ(root), capture_output=True, text=True, check=False)


def test_the_word_train_trains_and_leaves_a_model(tmp_path):
    root = jobs.tree(tmp_path / "ml", {"preset": "sample", "epochs": "4"})
    done = training(root, "--epochs", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(load(root / "model").predict(["A warm and funny film."])) == 1


def test_why_training_failed_is_told_even_where_nothing_can_be_written(tmp_path):
    root = jobs.tree(tmp_path / "ml", {"preset": "soup"})
    (root / "output").write_text("a file in the way")
    done = training(root)
    assert done.returncode == 1
    assert "no preset named 'soup'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["sleep"], ["--help"]])
def test_another_word_is_a_usage_error(arguments, tmp_path, capsys):
    assert sagemaker.main(arguments, tmp_path) == 2
    assert "serve or train" in capsys.readouterr().err


def instructions():
    """The instructions of the Dockerfile, each with the rest of its line."""
    text = (ROOT / "docker" / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def all_of(name):
    return [rest for found, rest in instructions() if found == name]


def test_the_first_process_is_python_without_a_shell_and_the_word_comes_after_it():
    assert [json.loads(word) for word in all_of("CMD")] == [["train"], ["serve"]]
    (entry,) = {tuple(json.loads(each)) for each in all_of("ENTRYPOINT")}
    python, flag, module = entry
    assert (Path(python).name, flag) == ("python", "-m")
    assert importlib.util.find_spec(module).origin == sagemaker.__file__
    assert all_of("EXPOSE") == [str(sagemaker.PORT)] == ["8080"]
    assert all_of("LABEL") == ["com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true"]


def test_a_stage_serves_without_torch_and_is_built_when_none_is_named():
    stages = [rest.split() for rest in all_of("FROM")]
    assert [stage[-1] for stage in stages] == ["build", "build-train", "train", "serve"]
    bases = {stage[0] for stage in stages} - {"build"}
    (base,) = bases  # what is built in one runs in the other
    version = tuple(map(int, re.match(r"python:(\d+)\.(\d+)-slim", base).groups()))
    assert version >= (3, 11)
    of_stage = {}
    for name, rest in instructions():
        if name == "FROM":
            stage = rest.split()[-1]
        of_stage.setdefault(stage, []).append(rest)
    torch = {stage for stage, lines in of_stage.items() if any("torch" in line for line in lines)}
    assert torch == {"build-train"}
    assert "--from=build " in " ".join(of_stage["serve"])


def test_torch_is_the_version_and_the_build_that_is_tested():
    (line,) = [rest for rest in all_of("RUN") if "torch==" in rest]
    assert (
        line.split("pip install")[1].split("--extra-index-url ")[1]
        in (ROOT / "Makefile").read_text()
    )


def test_what_is_copied_is_there_and_let_through():
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    let_through = [line[1:] for line in ignore if line.startswith("!")]
    assert "*" in ignore
    copied = [rest.split()[:-1] for rest in all_of("COPY") if not rest.startswith("--from")]
    for source in (name for names in copied for name in names):
        assert (ROOT / source).exists()
        assert any(fnmatch(source, pattern) for pattern in let_through)
    assert {"pyproject.toml", "constraints.txt", "src"} <= {
        name for names in copied for name in names
    }


def brought(requirement, found):
    """Every distribution that installing something brings along, by name."""
    wanted = Requirement(requirement)
    name = wanted.name.lower().replace("_", "-")
    if name in found and not wanted.extras:
        return found
    found.add(name)
    extras = wanted.extras or {""}
    for line in metadata.requires(wanted.name) or []:
        inner = Requirement(line)
        if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in extras):
            brought(line, found)
    return found


def test_everything_that_is_installed_is_pinned():
    installs = [shlex.split(rest) for rest in all_of("RUN") if "pip install" in rest]
    assert all(words[words.index("--constraint") + 1] == "constraints.txt" for words in installs)
    found = [re.fullmatch(r"\.\[([\w,]+)\]", words[-1]) for words in installs]
    extras = [each[1] for each in found if each]
    assert extras == ["serve", "serve,train"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras[1].split(",")) <= set(project["optional-dependencies"])
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    serving, both = (brought(f"marfa[{each}]", set()) for each in extras)
    assert {"onnxruntime", "uvicorn", "numpy"} <= serving
    assert serving - pinned == {"marfa"}
    # torch has a line of its own, and brings what it needs
    alone = brought("torch", set())
    assert both - pinned - alone == {"marfa"}


def test_what_a_job_installs_is_pinned_as_here():
    pins = (ROOT / "src/marfa/container/requirements.txt").read_text().split()
    assert set(pins) <= set((ROOT / "constraints.txt").read_text().split())
    needed = {pin.split("==")[0] for pin in pins}
    wanted = brought("marfa[serve,train]", set()) & {Requirement(pin).name for pin in pins}
    assert wanted == needed


def test_the_images_of_awss_that_serve_are_told_with_their_dates():
    text = (ROOT / "docs" / "images.md").read_text().split("\n## ")[1]
    told = dict(re.findall(r"^\| `([a-z][\w.-]+)`[^|]*\| ([^|]*?) \|", text, re.MULTILINE))
    serving = [image for image in images.IMAGES.values() if image.purpose == "serve"]
    assert told == {
        image.name: str(image.patched) if image.patched else "AWS gives no date"
        for image in serving
    }
    default = re.search(r"`([\w.-]+)` \(default\)", text)[1]
    assert default == CloudSettings.image
