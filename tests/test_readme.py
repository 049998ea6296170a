"""What the README says is run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An empty folder in which the README is followed from top to bottom."""
    return tmp_path_factory.mktemp("reader")


def follow(folder, script, command=("bash", "-euo", "pipefail", "-c")):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(folder), "OMP_NUM_THREADS": "1", "LANG": "C"}
    done = subprocess.run(
        [*command, script], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_shell_and_python_blocks_do_what_they_say(folder):
    shell = "\n".join(blocks("bash"))
    told = follow(folder, shell)
    assert "accuracy" in told
    assert (folder / "judged.jsonl").is_file()
    for script in blocks("python"):
        assert "positive" in follow(folder, script, (sys.executable, "-c"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_its_curl_commands_are_answered(model_path):
    from marfa.settings import ServeSettings
    from marfa.stages.serve import Running

    commands = re.findall(r"^\$ (curl .+)", "\n".join(blocks("console")), re.M)
    assert len(commands) == 2
    with Running(model_path, ServeSettings(port=0)) as server:
        here = [command.replace("http://127.0.0.1:8080/", server.url) for command in commands]
        said = [subprocess.check_output([*shlex.split(one), "-s"], text=True) for one in here]
    assert said[0] in {"0", "1"}
    shown = re.search(r'^\{"label".*', README, re.M)
    assert shown is not None
    assert all(f'"{key}":' in shown.group() for key in list(json.loads(said[1]))[:4])


def test_its_make_commands_exist():
    commands = re.findall(r"^\$ make (\S+)", "\n".join(blocks("console")), re.M)
    assert {"run", "test"} <= set(commands)
    for name in commands:
        done = subprocess.run(["make", "-n", name], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, name


def test_its_links_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_example_runs(folder):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "classify.py", folder / "example"],
        capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-2].startswith("positive")
    assert lines[-1].startswith("negative")
