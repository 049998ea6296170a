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
    judged, written = (
        follow(folder, script, (sys.executable, "-c")) for script in blocks("python")
    )
    assert "positive" in judged
    assert written.startswith("On day ")
    assert len(written.rstrip("\n")) in range(50, 61)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_its_curl_commands_are_answered(model_path, writer_path):
    from marfa.settings import ServeSettings
    from marfa.stages.serve import Running

    commands = re.findall(r"^\$ (curl .+)", "\n".join(blocks("console")), re.M)
    assert len(commands) == 4
    said = []
    for model, asked in ((model_path, commands[:2]), (writer_path, commands[2:])):
        with Running(model, ServeSettings(port=0)) as server:
            here = [command.replace("http://127.0.0.1:8080/", server.url) for command in asked]
            said += [subprocess.check_output([*shlex.split(one), "-s"], text=True) for one in here]
    assert said[0] in {"0", "1"}
    assert said[2].startswith("you are ")
    assert len(said[2]) == 100
    assert said[3].startswith("event: start\n")
    assert said[3].endswith('event: done\ndata: {"position":500}\n\n')
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


def example(name, folder):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / name, folder / "example"],
        capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_that_judges_runs(folder):
    lines = example("classify.py", folder).splitlines()
    assert lines[-2].startswith("positive")
    assert lines[-1].startswith("negative")


def test_the_example_that_writes_runs(folder):
    told = example("write.py", folder)
    assert len(re.findall(r"^temperature [0-9.]+\nThe ", told, re.MULTILINE)) == 3
