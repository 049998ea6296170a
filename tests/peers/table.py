"""Ask every host everything, and write the table of docs/hosts.md; `--check` writes nothing.

python -m tests.peers.table [--check]
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

from tests.conftest import SMALL, WRITING
from tests.peers import asked, processes
from tests.peers.comparison import DIFFERENT, EQUAL, OWN, UNASKED, compare
from tests.peers.hosts import HOSTS

import marfa
from marfa import bundle, loading
from marfa.recipes import resolve

PAGE = Path(__file__).parents[2] / "docs" / "hosts.md"
BEGIN, END = "<!-- written by `make hosts`: begin -->\n", "<!-- end -->\n"
NAMED = {
    "mms": ("sagemaker_inference", "multi-model-server"),
    "torchserve": ("sagemaker_pytorch_inference", "torchserve"),
    "training": ("sagemaker_training", "sagemaker_pytorch_training"),
    "awscli": ("awscli",),
}
HERE = ("boto3", "awslambdaric", "aws-lambda-powertools")


def models(folder):
    """Train and package a small model of each task; yield its path."""
    for recipe, flags in (("sentiment", SMALL), ("shakespeare", WRITING)):
        settings = resolve(recipe, {**flags, "workdir": str(folder)})
        for stage in (marfa.prepare, marfa.train, marfa.evaluate, marfa.package):
            stage(settings)
        yield settings.model_file


def ask_all(path, folder):
    """Ask every host that is here; return its rows by its name, and why the others are not."""
    model, rows, absent = loading.of(bundle.load(path), engine="numpy"), {}, {}
    for number, (name, host) in enumerate(HOSTS.items()):
        if why := host.skip():
            absent[name] = why
            continue
        place = folder / f"{model.task}-{number}"
        place.mkdir()
        with host.open(path, place) as ask:
            rows[name] = compare(model, asked.of(model), host, ask)
        sys.stderr.write(f"{model.task}, {name}: {_counted(rows[name])}\n")
    return model.task, rows, absent


def _counted(rows):
    found = {verdict: sum(row.verdict == verdict for row in rows) for verdict in VERDICTS}
    asked_of = len(rows) - found[UNASKED]
    told = f"{found[EQUAL]} of {asked_of} equal"
    told += f", {found[OWN]} its own" if found[OWN] else ""
    return told + (f", {found[DIFFERENT]} DIFFERENT" if found[DIFFERENT] else "")


VERDICTS = (EQUAL, DIFFERENT, OWN, UNASKED)


def summary(found):
    """The table of hosts."""
    yield "| host | what it is | " + " | ".join(task for task, _, _ in found) + " |"
    yield "|---|---|" + "---|" * len(found)
    for name, host in HOSTS.items():
        cells = [
            _counted(rows[name]) if name in rows else f"not run: {absent[name]}"
            for _, rows, absent in found
        ]
        yield f"| {name} | {host.what} | " + " | ".join(cells) + " |"


def matrix(task, rows):
    """The table of requests of a task: what each host made of each."""
    yield f"\n### What is asked of a {task}\n"
    yield "| request | status | " + " | ".join(rows) + " |"
    yield "|---|---|" + "---|" * len(rows)
    for row, *others in zip(*rows.values(), strict=True):
        cells = [each.verdict for each in (row, *others)]
        name = "" if row.name.startswith("golden") else f"{row.name}: "
        request = f"{name}`{asked.short(row.request)}`"
        yield f"| {request} | {row.expected.status} | " + " | ".join(cells) + " |"


def reasons(found):
    """Why hosts answer something themselves, or are not asked, each reason once."""
    told = {}
    for _, rows, _ in found:
        for name, each in rows.items():
            for row in each:
                if row.why:
                    told.setdefault((row.verdict, row.why), set()).add(name)
    yield ""
    for (verdict, why), names in sorted(told.items()):
        hosts = ", ".join(name for name in HOSTS if name in names)
        yield f"- `{verdict}` ({hosts}): {why}"


def versions():
    """What was run, where and when."""
    from importlib import metadata

    told = [f"{name} {metadata.version(name)}" for name in HERE]
    for stack, names in NAMED.items():
        pins = (processes.HERE / "stacks" / f"{stack}.txt").read_text()
        told += [re.search(rf"(?im)^{name}==.*$", pins)[0].replace("==", " ") for name in names]
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'"(.*)"', java)
    told.append(f"Java {found[1]}" if found else "no Java")
    when = datetime.now(UTC).date().isoformat()
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield f"Run on {when}, {where}, Python {platform.python_version()}: {', '.join(told)}.\n"


def main():
    """Ask, and write the page or print what would stand there."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="print the table, write nothing")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [ask_all(path, Path(folder)) for path in models(Path(folder))]
    lines = [*versions(), *summary(found), *reasons(found)]
    for task, rows, _ in found:
        lines += matrix(task, rows)
    text = "\n".join(lines) + "\n"
    if given.check:
        sys.stdout.write(text)
    else:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(before + BEGIN + text + END + rest.partition(END)[2])
    bad = [row for _, rows, _ in found for each in rows.values() for row in each]
    return int(any(row.verdict == DIFFERENT for row in bad))


if __name__ == "__main__":
    sys.exit(main())
