"""A training job: from SageMaker's folders to a model that deploys, whoever launched it."""

import fcntl
import json
import signal
import site
import subprocess
import sys
import tempfile
import threading
import time
import venv
from pathlib import Path

import pytest
from tests import jobs

from marfa import bundle, files
from marfa.console import Silence
from marfa.container import golden
from marfa.errors import BundleError
from marfa.loading import load
from marfa.rehearsal.training import run_training
from marfa.stages.evaluate import evaluate
from marfa.stages.package import package
from marfa.stages.prepare import prepare
from marfa.stages.train import train

pytestmark = pytest.mark.job


class Heard(Silence):
    """Keeps what was said, and sets an event at a word."""

    def __init__(self, word="", event=None):
        self.lines, self._word, self._event = [], word, event

    def say(self, message):
        self.lines.append(message)
        if self._event is not None and self._word in message:
            self._event.set()


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return {"code": jobs.code(tmp_path_factory.mktemp("code"))}


def weights(archive):
    return bundle.load(archive).manifest["files"]["weights.safetensors"]["sha256"]


@pytest.fixture(scope="module", params=jobs.FLAGS)
def done(request, code, tmp_path_factory):
    """A job that nobody has interrupted."""
    ended = run_training(
        jobs.request(request.param), code, tmp_path_factory.mktemp("whole"), talk := Heard()
    )
    assert ended.status == "Completed", talk.lines
    return request.param, ended


def test_what_comes_out_deploys_as_it_is_and_answers_its_golden_requests(done):
    _, ended = done
    assert golden.replay(load(ended.model), bundle.load(ended.model).contents["golden.jsonl"]) > 10
    assert files.hash_file(ended.output)


def test_a_job_makes_what_the_commands_make_here(done, tmp_path):
    recipe, ended = done
    settings = jobs.settings(recipe, workdir=str(tmp_path))
    for stage in (prepare, train, evaluate, package):
        stage(settings)
    mine, its = bundle.load(settings.model_file), bundle.load(ended.model)
    assert its.contents == mine.contents
    assert its.manifest == mine.manifest


def test_a_job_that_was_stopped_goes_on_and_ends_with_the_same_model(done, code, tmp_path):
    recipe, whole = done
    stop = threading.Event()
    first = run_training(jobs.request(recipe), code, tmp_path, Heard("epoch 2:", stop), stop=stop)
    assert (first.status, first.model) == ("Stopped", None)
    again = run_training(jobs.request(recipe), code, tmp_path, talk := Heard())
    assert any("going on at epoch" in line for line in talk.lines)
    assert bundle.load(again.model).contents == bundle.load(whole.model).contents


def test_a_job_that_was_stopped_after_training_trains_nothing_again(code, tmp_path):
    stop = threading.Event()
    talk = Heard("train: best epoch", stop)
    run_training(jobs.request(), code, tmp_path, talk, stop=stop)
    again = run_training(jobs.request(), code, tmp_path, talk := Heard())
    assert again.status == "Completed"
    assert not any(line.startswith("epoch ") for line in talk.lines)


def test_a_job_ends_when_its_time_is_over(code, tmp_path):
    asked = jobs.request(epochs=10_000)
    asked["StoppingCondition"]["MaxRuntimeInSeconds"] = 4
    ended = run_training(asked, code, tmp_path, Silence())
    assert (ended.status, ended.reason) == ("Stopped", "MaxRuntimeExceeded")


def run(root, *flags, command=jobs.COMMAND, **more):
    return subprocess.run(
        [*command, *flags],
        env=jobs.environ(root, **more),
        capture_output=True,
        text=True,
        check=False,
    )


def model_of(root):
    return bundle.load(root / "model")


GIVEN = {"recipe": "sentiment", **{k: str(v) for k, v in jobs.FLAGS["sentiment"].items()}}
SPELLED = {
    "SageMaker's file": (GIVEN, {}, []),
    "an earlier SDK's quotation marks": ({k: json.dumps(v) for k, v in GIVEN.items()}, {}, []),
    "the toolkit's variable": ({}, {"SM_HPS": json.dumps(GIVEN)}, []),
    "the toolkit's flags": (
        {"sagemaker_program": '"train.py"'},
        {},
        [word for k, v in GIVEN.items() for word in (f"--{k.replace('_', '-')}", v)],
    ),
    "flags with equals signs, and a file that they overrule": (
        {"epochs": "1"},
        {},
        [f"--{k}={v}" for k, v in GIVEN.items()],
    ),
}


@pytest.fixture(scope="module")
def spelled(tmp_path_factory):
    """What each spelling has trained."""
    made = {}
    for spelling, (given, variables, flags) in SPELLED.items():
        root = jobs.tree(tmp_path_factory.mktemp("spelled") / "ml", given)
        done = run(root, *flags, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        made[spelling] = model_of(root).model_id
    return made


def test_every_spelling_of_the_settings_is_the_same_model(spelled):
    assert len(set(spelled.values())) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"epochs": "many"}, "epochs: 'many' is not a whole number"),
        ({"epochz": "2"}, "no setting named 'epochz'. did you mean 'epochs'?"),
        ({"recipe": "soup"}, "soup: neither a recipe"),
        ({"recipe": "sentiment", "data": "absent.csv"}, "absent.csv: cannot be read"),
        ({"preset": "sample", "device": "cuda"}, "device: torch finds no GPU here"),
    ],
)
def test_why_a_job_failed_is_a_sentence(given, expected, tmp_path):
    root = jobs.tree(tmp_path / "ml", {"preset": "sample", **given})
    done = run(root)
    assert done.returncode == 1
    told = (root / "output" / "failure").read_text()
    assert expected in told
    assert "Traceback" not in done.stdout + done.stderr + told
    assert not list(root.glob("model/*"))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe"])
def test_files_that_are_no_settings_are_refused_in_a_sentence(content, tmp_path):
    root = jobs.tree(tmp_path / "ml", {})
    (root / "input/config/hyperparameters.json").write_bytes(content)
    done = run(root)
    assert done.returncode == 1
    assert "hyperparameters.json: " in (root / "output" / "failure").read_text()


def test_one_s_own_file_in_any_channel_is_trained_on(tmp_path):
    root = jobs.tree(tmp_path / "ml", {"epochs": "1", "threads": "1"})
    channel = root / "input" / "data" / "training"
    channel.mkdir(parents=True)
    rows = [f"text{n % 7} word{n % 5} soup,{n % 2}\n" for n in range(400)]
    (channel / "rows.csv").write_text("text,label\n" + "".join(rows))
    done = run(root)
    assert (done.returncode, done.stderr) == (0, "")
    assert model_of(root).json("config.json")["data"]["data"] == "rows.csv"


def test_an_empty_channel_is_told(tmp_path):
    root = jobs.tree(tmp_path / "ml", {})
    (root / "input" / "data" / "raw").mkdir(parents=True)
    assert run(root).returncode == 1
    assert "the channel is empty" in (root / "output" / "failure").read_text()


def test_prepared_numbers_are_taken_as_they_are(done, tmp_path):
    recipe, ended = done
    settings = jobs.settings(recipe, workdir=str(tmp_path / "work"))
    prepare(settings)
    given = {"recipe": recipe, **{k: str(v) for k, v in jobs.FLAGS[recipe].items()}}
    given["name"] = settings.run_name
    root = jobs.tree(tmp_path / "ml", given)
    (root / "input/data").mkdir()
    (settings.folder / "dataset").rename(root / "input/data/prepared")
    done = run(root)
    assert (done.returncode, done.stderr) == (0, "")
    assert model_of(root).model_id == bundle.load(ended.model).model_id


def test_a_network_begins_as_an_earlier_one_ended(tmp_path):
    given = {"recipe": "shakespeare", **{k: str(v) for k, v in jobs.FLAGS["shakespeare"].items()}}
    first = jobs.tree(tmp_path / "first", given)
    assert run(first).returncode == 0
    second = jobs.tree(tmp_path / "second", {**given, "epochs": "1"})
    earlier = second / "input" / "data" / "earlier"
    earlier.mkdir(parents=True)
    subprocess.run(["tar", "czf", earlier / "model.tar.gz", "-C", first / "model", "."], check=True)
    done = run(second)
    assert (done.returncode, done.stderr) == (0, "")
    assert "beginning as model" in done.stdout


def test_the_file_that_is_sent_holds_all_that_a_job_needs(code, tmp_path):
    root = jobs.tree(tmp_path / "ml", GIVEN)
    libraries = {"PYTHONPATH": site.getsitepackages()[0]}  # without the .pth that finds marfa
    done = run(root, command=[sys.executable, "-S", str(code["code"] / "marfa.zip")], **libraries)
    assert (done.returncode, done.stderr) == (0, "")
    assert model_of(root)


@pytest.mark.parametrize(
    ("has_torch", "expected"), [(True, "could not be installed"), (False, "no torch")]
)
def test_what_is_missing_and_cannot_be_installed_is_told(has_torch, expected, code, tmp_path):
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=True)
    if has_torch:
        (tmp_path / "torch").mkdir()
        (tmp_path / "torch" / "__init__.py").touch()
    root = jobs.tree(tmp_path / "ml", GIVEN)
    command = [str(bare / "bin" / "python"), str(code["code"] / "marfa.zip")]
    done = run(root, command=command, PIP_NO_INDEX="1", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert expected in (root / "output" / "failure").read_text()
    assert "Traceback" not in done.stdout + done.stderr


def test_a_model_that_was_half_written_is_no_model(done, tmp_path):
    _, ended = done
    subprocess.run(["tar", "xzf", ended.model, "-C", tmp_path], check=True)
    (tmp_path / "bundle.json").unlink()  # it is written last
    with pytest.raises(BundleError, match=f"{bundle.MANIFEST} is missing"):
        bundle.load(tmp_path)


def test_nothing_goes_on_when_whoever_started_a_job_is_killed(code, tmp_path):
    script = (
        "import sys; from pathlib import Path; from tests import jobs\n"
        "from marfa.console import Silence; from marfa.rehearsal.training import run_training\n"
        "folders = {'code': Path(sys.argv[1])}\n"
        "run_training(jobs.request(epochs=10_000), folders, Path(sys.argv[2]), Silence())\n"
    )
    command = [sys.executable, "-c", script, str(code["code"]), str(tmp_path)]
    log = tmp_path / "log.txt"
    with subprocess.Popen(command) as parent:
        _wait_for(lambda: log.is_file() and "epoch 1:" in log.read_text())
        parent.kill()
    _wait_for(lambda: subprocess.run(["pgrep", "-f", str(tmp_path)], check=False).returncode == 1)


def _wait_for(happened, seconds=60):
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.05)


# two names of this machine stand for two machines
HOSTS = ("127.0.0.1", "localhost")


@pytest.fixture
def meeting_place():
    """The machines of a job meet at one port, AWS's: two such jobs at once would meet each other's."""
    with open(Path(tempfile.gettempdir()) / "marfa-meeting-place", "w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        yield


def together(folder, given, until=""):
    """Train on two machines; stop both when the first one's log says a word. Return their folders."""
    roots = []
    processes = []
    for host in HOSTS:
        root = folder / host
        roots.append(root if root.is_dir() else jobs.tree(root, given, HOSTS, host))
        with open(root / "log", "w") as log:
            processes.append(
                subprocess.Popen(
                    jobs.COMMAND, env=jobs.environ(root), stdout=log, stderr=subprocess.STDOUT
                )
            )
    if until:
        _wait_for(lambda: until in (roots[0] / "log").read_text())
        for process in processes:
            process.send_signal(signal.SIGTERM)
    codes = [process.wait(120) for process in processes]
    assert codes == [0, 0], [(root / "log").read_text() for root in roots]
    return roots


@pytest.mark.parametrize("recipe", jobs.FLAGS)
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("meeting_place")
def test_two_machines_train_one_network_and_go_on_where_they_were_stopped(recipe, tmp_path):
    given = {"recipe": recipe, **{k: str(v) for k, v in jobs.FLAGS[recipe].items()}}
    first, second = together(tmp_path / "whole", given)
    whole = model_of(first)
    assert whole.json("config.json")["processes"] == 2
    assert not (second / "model").exists()
    first, second = together(tmp_path / "cut", given, until="epoch 2:")
    assert not (first / "model").exists()
    # SageMaker gives them to all; the first one's count, though, whatever the others have
    assert sorted((first / "checkpoints").rglob("*.safetensors"))
    assert not list((second / "checkpoints").rglob("*.safetensors"))
    first, _ = together(tmp_path / "cut", given)
    assert model_of(first).contents == whole.contents
