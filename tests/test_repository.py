"""The shape of the repository: its arrows, its weight, its names, its sizes."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "marfa"
MODULES = sorted(SOURCE.rglob("*.py"))

NUMPY = {"numpy"}
TORCH = NUMPY | {"torch", "safetensors", "scipy", "sklearn"}
# What a module may import besides the standard library and marfa itself. The longest prefix counts.
ALLOWED = {
    "": set(),
    "explaining.py": NUMPY,
    "predictor.py": NUMPY,
    "writer.py": NUMPY,
    "text/": {"snowballstemmer"},
    "data/": NUMPY,
    "data/download": set(),
    "data/parquet.py": {"pyarrow"},
    "aws/client.py": {"boto3", "botocore"},
    "aws/known.py": {"botocore"},  # descriptions that came with it; nobody is called
    "engines/": NUMPY,
    "engines/onnx_session.py": NUMPY | {"onnxruntime"},
    "engines/onnx_writer.py": NUMPY | {"onnxruntime"},
    "engines/quantise.py": NUMPY | {"onnx", "onnxruntime"},
    "engines/onnx_nodes.py": NUMPY | {"onnx"},
    "engines/onnx_graph.py": NUMPY | {"onnx"},
    "engines/onnx_writer_graph.py": NUMPY | {"onnx"},
    "models/": TORCH,
    "evaluation/": NUMPY | {"sklearn", "scipy", "matplotlib"},
    "stages/": NUMPY | {"torch", "safetensors"},
    "container/": set(),
    "container/torchrun.py": {"torch"},
    "container/app.py": {"starlette"},
    "container/answering.py": {"starlette"},
    "container/asking.py": {"starlette"},
    "container/connection.py": {"uvicorn", "httptools"},
    "container/server.py": {"uvicorn"},
    "container/questions.py": NUMPY,  # the noise that golden texts must bear
    "container/drift.py": {"prometheus_client"},
    "container/observing.py": {"starlette", "prometheus_client"},
    "cli/": {"cyclopts", "rich"},
    "proxy/": {"boto3", "botocore"},
}
# Which part of marfa may know which: nouns know no stage, stages no other stage, text no network.
MODELS = ("model", "explaining", "predictor", "writer", "loading")
DOORS = ("stages", "container", "cli")
FORBIDDEN = {
    "text/": ("data", "models", "engines", "evaluation", *MODELS, *DOORS),
    "data/": ("models", "engines", "evaluation", *MODELS, *DOORS),
    "engines/": ("data", "models", "evaluation", *MODELS, *DOORS),
    "models/": ("engines", "evaluation", *MODELS, *DOORS),
    "evaluation/": ("data", "models", "engines", *MODELS, *DOORS),
    "rehearsal/": ("data", "models", "engines", "evaluation", "stages", "cli", "proxy"),
    "container/": ("data", "models", "evaluation", "stages", "cli"),
    "aws/": ("data", "models", "engines", "evaluation", "stages", "cli", "proxy"),
    "model.py": ("data", "models", "evaluation", "predictor", "writer", "loading", *DOORS),
    "explaining.py": ("data", "models", "engines", "evaluation", *MODELS, *DOORS),
    "predictor.py": ("data", "models", "evaluation", "writer", "loading", *DOORS),
    "writer.py": ("data", "models", "evaluation", "predictor", "loading", *DOORS),
    "loading.py": ("data", "models", "engines", "evaluation", *DOORS),
    "stages/": ("stages", "cli"),
    "cli/": ("data", "models", "engines", "container", "evaluation"),
    "proxy/": ("data", "text", "models", "engines", "evaluation", "stages", "cli", "aws", *MODELS),
}
NOUNS = (
    "errors",
    "settings",
    "recipes",
    "environment",
    "files",
    "archives",
    "bundle",
    "record",
    "console",
    "portable",
)


def name_of(path):
    return path.relative_to(SOURCE).as_posix()


def rule(table, name):
    return table[max((prefix for prefix in table if name.startswith(prefix)), key=len)]


def imports(path):
    """Every module imported anywhere in a file, those for the type checker only left out."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_libraries_of_its_room_are_imported(path):
    outside = {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names - {"marfa"}
    assert outside <= rule(ALLOWED, name_of(path))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_arrows_point_one_way(path):
    name = name_of(path)
    # a stage of two tasks is a folder, whose files know each other
    own = f"marfa.{'.'.join(name.split('/')[:2])}" if name.startswith("stages/") else "nothing"
    known = {
        found.split(".")[1]
        for found in imports(path)
        if found.startswith("marfa.") and found != "marfa.stages" and not found.startswith(own)
    }
    # the stages that are made of others, and the door to all of training
    if name in {"stages/run.py", "stages/rehearse/job.py", "container/training.py"}:
        known -= {"stages"}
    prefix = max((prefix for prefix in FORBIDDEN if name.startswith(prefix)), key=len, default="")
    assert not known & set(FORBIDDEN.get(prefix, ()))
    if name.removesuffix(".py").split("/")[0] in NOUNS:
        assert known <= {*NOUNS, "__version__"}


def test_only_environment_reads_the_environment():
    readers = [
        name_of(path) for path in MODULES if re.search(r"os\.(environ|getenv)", path.read_text())
    ]
    assert readers == ["environment.py"]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_fit_a_sitting(path):
    assert len(path.read_text().splitlines()) <= 400


def test_most_modules_are_small():
    lengths = sorted(len(path.read_text().splitlines()) for path in MODULES)
    assert lengths[len(lengths) // 2] <= 160


STAGES = sorted(
    path.stem for path in (SOURCE / "stages").iterdir() if not path.stem.startswith("__")
)


@pytest.mark.parametrize("stage", STAGES)
def test_one_word_in_four_places(stage):
    whole, folder = SOURCE / "stages" / f"{stage}.py", SOURCE / "stages" / stage
    assert f"def {stage}(" in (whole if whole.is_file() else folder / "__init__.py").read_text()
    commands = "".join((SOURCE / "cli" / name).read_text() for name in ("app.py", "cloud.py"))
    assert f"def {stage}(" in commands
    assert (ROOT / "tests" / "functional" / f"test_{stage}.py").is_file()
    assert f"## marfa {stage}\n" in (ROOT / "docs" / "cli.md").read_text()


HEAVY = "torch numpy scipy sklearn matplotlib onnx onnxruntime starlette uvicorn boto3"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys; from marfa.cli import main\n"
        f"code = main({arguments!r})\n"
        f"heavy = set({HEAVY.split()!r}) & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_marfa_imports_nothing_else():
    code = "import sys, marfa; sys.exit(sum(m.startswith('marfa.') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_unpickles():
    banned = re.compile(r"import pickle|torch\.load\(|allow_pickle=True|(?<!\.)\beval\(|\bexec\(")
    for path in MODULES:
        assert not banned.search(path.read_text()), name_of(path)


def test_the_changelog_knows_this_version():
    from marfa import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    names = {re.split(r"[<>=\[]", item)[0].lower().replace("_", "-") for item in wanted}
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    # torch has its own line in the Makefile; tensorboard is nobody's but the user's choice
    assert names - pinned - {"marfa", "torch", "tensorboard"} == set()


def test_no_test_patches_what_it_tests():
    for path in (ROOT / "tests").rglob("*.py"):
        if path != Path(__file__):
            assert not re.search(r"mock\.patch|monkeypatch\.setattr", path.read_text()), path
