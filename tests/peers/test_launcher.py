"""SageMaker's own launcher, `train` of sagemaker-training, runs marfa as it runs anybody's train.py."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import jobs
from tests.peers.processes import Program, environ, missing, python

import marfa
from marfa import bundle, portable
from marfa.container import torchrun
from marfa.recipes import resolve

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing("training")), reason=missing("training") or "there"),
]
GIVEN = {"recipe": "sentiment", **jobs.FLAGS["sentiment"], "bidirectional": True}
OURS = {
    "sagemaker_program": "train.py",
    "sagemaker_job_name": "soup",
    "sagemaker_region": "eu-west-1",
}
MODULE = "sagemaker_pytorch_container.training:main"
"""What AWS's image of PyTorch makes of the launcher."""

_TELL = (
    "import json, sys; from pathlib import Path; Path({!r}).write_text(json.dumps(sys.argv[1:]))"
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What somebody submits: a train.py, and the package beside it."""
    folder = tmp_path_factory.mktemp("source")
    for name, content in portable.job(sample=True).items():
        (folder / "marfa" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "marfa" / name).write_bytes(content)
    entry = portable.read(["container/entry.py"])["container/entry.py"]
    (folder / "train.py").write_bytes(entry)
    return folder


@dataclass
class Ended:
    """How the launcher ended, and all that was said."""

    code: int
    log: str


def launch(folder, source, given, resources=None, path="", **variables):
    """Run the launcher in a folder that stands for /opt/ml; return how it ended, and that folder."""
    root = folder / "ml"
    (root / "input" / "data").mkdir(parents=True)
    jobs.tree(root, {**given, "sagemaker_submit_directory": json.dumps(str(source))})
    (root / "input" / "config" / "inputdataconfig.json").write_text("{}")
    if resources:
        (root / "input" / "config" / "resourceconfig.json").write_text(json.dumps(resources))
    binaries = python("training").parent
    env = environ(folder, SAGEMAKER_BASE_DIR=str(root), **variables)
    env["PATH"] = f"{path}{binaries}:{env['PATH']}"
    with Program([binaries / "train"], folder / "launcher", env) as program:
        code = program.wait(90)
    return Ended(code, program.log), root


def quoted(given):
    """Hyperparameters as AWS's SDK writes them: JSON in the texts of JSON."""
    return {name: json.dumps(value) for name, value in given.items()}


def texts(given):
    """As somebody else would write them."""
    return {name: str(value) for name, value in given.items()}


def model_of(root):
    return bundle.load(root / "model")


@pytest.fixture(scope="module", params=jobs.FLAGS)
def plain(request, tmp_path_factory):
    """What the commands make here of the same settings: these, and the bundle."""
    flags = {"recipe": request.param, **jobs.FLAGS[request.param]}
    if request.param == "sentiment":
        flags["bidirectional"] = True
    given = {name: value for name, value in flags.items() if name != "recipe"}
    workdir = str(tmp_path_factory.mktemp("plain"))
    settings = resolve(request.param, {**given, "workdir": workdir}, folder=None)
    for stage in (marfa.prepare, marfa.train, marfa.evaluate, marfa.package):
        stage(settings)
    return flags, bundle.load(settings.model_file)


@pytest.mark.parametrize("spell", [quoted, texts], ids=["quoted", "as texts"])
@pytest.mark.parametrize("module", ["", MODULE], ids=["bare", "as in the image"])
def test_what_the_launcher_trains_is_what_the_commands_train(
    plain, spell, module, source, tmp_path
):
    flags, expected = plain
    variables = {"SAGEMAKER_TRAINING_MODULE": module} if module else {}
    done, root = launch(tmp_path, source, spell({**OURS, **flags}), **variables)
    assert done.code == 0, done.log
    assert model_of(root).contents == expected.contents
    assert (root / "output" / "success").exists()
    assert not (root / "output" / "failure").exists()
    assert {path.name for path in (root / "output" / "data").iterdir()} >= {"metrics.json"}


@pytest.mark.parametrize("module", ["", MODULE], ids=["bare", "as in the image"])
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("epochs", "many", "epochs: 'many' is not a whole number"),
        ("epochz", 2, "no setting named 'epochz'. did you mean 'epochs'?"),
        ("bidirectional", "perhaps", "bidirectional: "),
    ],
)
def test_why_it_failed_is_our_sentence_and_not_the_launchers(
    name, value, told, module, source, tmp_path
):
    variables = {"SAGEMAKER_TRAINING_MODULE": module} if module else {}
    done, root = launch(tmp_path, source, quoted({**OURS, **GIVEN, name: value}), **variables)
    assert done.code == 1
    failure = (root / "output" / "failure").read_text()
    assert told in failure
    assert "Traceback" not in failure
    assert not list((root / "model").glob("*"))


HOSTS = ("127.0.0.1", "localhost")
"""Two names of this machine stand for two machines: the launcher waits until it finds them."""

RESOURCES = {
    "hosts": list(HOSTS),
    "current_instance_type": "ml.c5.xlarge",
    "current_group_name": "homogeneousCluster",
    "network_interface_name": "eth0",
    "instance_groups": [
        {
            "instance_group_name": "homogeneousCluster",
            "instance_type": "ml.c5.xlarge",
            "hosts": list(HOSTS),
        }
    ],
}
TOGETHER = {"sagemaker_torch_distributed_enabled": True, "sagemaker_instance_type": "ml.c5.xlarge"}


@pytest.mark.parametrize(("host", "rank"), [(HOSTS[0], "0"), (HOSTS[1], "1")])
def test_on_several_machines_it_gives_torchrun_what_marfa_would_give_it(
    host, rank, source, tmp_path
):
    told, fake = tmp_path / "told", tmp_path / "bin" / "torchrun"
    fake.parent.mkdir()
    fake.write_text(f"#!{sys.executable}\n{_TELL.format(str(told))}")
    fake.chmod(0o755)
    given = quoted({**OURS, **TOGETHER, **GIVEN})
    resources = {**RESOURCES, "current_host": host}
    done, _ = launch(
        tmp_path, source, given, resources, f"{fake.parent}:", SAGEMAKER_TRAINING_MODULE=MODULE
    )
    assert done.code == 0, done.log
    words = json.loads(told.read_text())
    script = words.index("train.py")
    launchers = dict(zip(words[:script:2], words[1:script:2], strict=True))
    crew = torchrun.crew(resources)
    mine = dict(word.split("=") for word in crew.arguments(Path("train.py"), [])[:-1])
    assert {name.replace("_", "-"): value for name, value in launchers.items()} == mine
    assert launchers["--node_rank"] == rank
    assert words[script + 1 :][:2] == ["--bidirectional", "True"]


def test_two_machines_train_the_same_network_whoever_starts_torchrun(source, tmp_path):
    """The launcher's torchrun; the launcher without it, so that marfa starts its own."""
    made = {}
    for way, more in (("its", TOGETHER), ("ours", {})):
        given = quoted({**OURS, **more, **GIVEN})
        with ThreadPoolExecutor(2) as pool:
            ended = [
                pool.submit(
                    launch,
                    tmp_path / way / host,
                    source,
                    given,
                    {**RESOURCES, "current_host": host},
                    SAGEMAKER_TRAINING_MODULE=MODULE,
                )
                for host in HOSTS
            ]
        (first, root), (second, other) = (each.result() for each in ended)
        assert (first.code, second.code) == (0, 0), first.log + second.log
        assert not list((other / "model").glob("*"))
        made[way] = model_of(root)
    assert made["its"].json("config.json")["processes"] == 2
    assert made["its"].contents == made["ours"].contents
