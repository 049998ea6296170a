"""How long a Lambda function takes from nothing to its first answer, and how many bytes are sent for it.

In AWS's own emulator of the runtime (`make .venv/aws-lambda-rie`), without compiled files, which Lambda
could not keep either. With Lambda's own Python where this machine has it, otherwise with the one that
marfa runs on. Models that were not trained have random weights of the default presets' shapes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests import emulator, gateways, installed, untrained  # noqa: E402

from marfa import bundle  # noqa: E402
from marfa.aws import functions, wheels  # noqa: E402
from marfa.bundle import Bundle  # noqa: E402
from marfa.container.messages import JSON, TEXT, Request  # noqa: E402

RUNS = 7
TARGET_MS = 800
CLIENT = "awslambdaric==4.2.2"
REVIEW = (
    b"I laughed, I cried, and I told everyone about it. A wonderful evening, superbly acted. " * 14
)
ASKED = {
    "classifier": Request("POST", "/invocations", TEXT, JSON, REVIEW),
    "generator": Request("POST", "/invocations", JSON, JSON, b'{"length": 200, "seed": 1}'),
}


def python() -> tuple[str, Path, bytes]:
    """The Python to measure with, the folder of its runtime client, and numpy's wheel for it."""
    found = installed.python(wheels.PYTHON)
    if found:
        folder = ROOT / ".venv" / f"lambda-{wheels.PYTHON}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, CLIENT]
        pip += ["--python-version", wheels.PYTHON, "--only-binary", ":all:", "--upgrade"]
        wheel = wheels.fetch(wheels.numpy("x86_64"), ROOT / ".venv" / "wheels")
        if (folder / "awslambdaric").is_dir() or not subprocess.run(pip, check=False).returncode:
            return found, folder, wheel
    return sys.executable, emulator.client_folder(), installed.wheel("numpy")


def model(path: str, make: object) -> Bundle:
    """A trained model where there is one, otherwise one of the same shape."""
    return bundle.load(Path(path)) if Path(path).is_file() else make()


def first_answer(
    folder: Path, layer: Path, interpreter: str, client: Path, asked: Request
) -> float:
    """Milliseconds from the start of the emulator to the first answer."""
    function = emulator.Emulated(
        folder,
        "marfa.container.function.handler",
        [layer],
        interpreter,
        client,
        OPENBLAS_NUM_THREADS="1",
    )
    with function:
        answer = function.invoke(gateways.http(asked))
        took = time.perf_counter() - function.began
    if answer["statusCode"] != 200:
        sys.exit(json.dumps(answer))
    return took * 1000


def megabytes(content: bytes) -> str:
    """A size as people read it."""
    return f"{len(content) / 1e6:.2f} MB"


def main() -> None:
    """Print the table."""
    if not emulator.there():
        sys.exit("no emulator: make .venv/aws-lambda-rie")
    interpreter, client, wheel = python()
    version = subprocess.run([interpreter, "-V"], capture_output=True, text=True, check=True).stdout
    numpy = functions.numpy_layer(wheel)
    rows = []
    with tempfile.TemporaryDirectory(prefix="marfa-") as place:
        layer = installed.unpack(numpy, Path(place) / "layer") / "python"
        models = {
            "classifier": model("work/bench-default/model.tar.gz", untrained.judge),
            "generator": model("work/bench-writing-default/model.tar.gz", untrained.writer),
        }
        for task, found in models.items():
            made = functions.function_zip(found)
            same = made == functions.function_zip(found)
            folder = installed.unpack(made, Path(place) / task)
            taken = [
                first_answer(folder, layer, interpreter, client, ASKED[task]) for _ in range(RUNS)
            ]
            rows.append(
                (
                    f"{task}, `{found.json('config.json')['name']}`",
                    f"{TARGET_MS} ms",
                    f"{statistics.median(taken):.0f} ms ({min(taken):.0f} to {max(taken):.0f})",
                    megabytes(made),
                    megabytes(found.contents["weights.safetensors"]),
                    "yes" if same else "NO",
                    megabytes(functions.proxy_zip(found)),
                )
            )
    kind = f"numpy's layer: {megabytes(numpy)} of a wheel of {megabytes(wheel)}"
    table(
        f"Lambda: from nothing to the first answer ({version.strip()}, median of {RUNS}; {kind})",
        (
            "model",
            "to reach",
            "measured",
            "zip",
            "of which weights",
            "same bytes",
            "zip of the proxy",
        ),
        rows,
    )


if __name__ == "__main__":
    main()
