"""What a container runs as its first process, with the word that SageMaker starts it by.

    docker run IMAGE serve

The first process of a container gets the signals, and Linux keeps from it those that it has no handler
for. So it is Python itself, without a shell around it, and handles them as `marfa serve` does anywhere.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from marfa import cli, environment, files
from marfa.errors import MarfaError

ROOT = Path("/opt/ml")
"""Where SageMaker puts what a container needs, and looks for what it leaves."""

PORT = 8080

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - nobody reaches a container but through whoever started it
_USAGE = "expected the word serve or train"
_NO_TRAINING = (
    "this image serves a model and cannot train one; train with marfa train, and package the result"
)


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Do what a word asks for.

    Args:
        arguments: "serve", with further flags of `marfa serve` if any, or "train".
        root: the folder that a container has at /opt/ml.

    Returns:
        The exit code.
    """
    match list(arguments):
        case ["serve", *flags]:
            port = str(environment.read().bind_port or PORT)
            address = ["--host", _EVERYWHERE, "--port", port]
            return cli.main(["serve", str(root / "model"), *address, *flags])
        case ["train", *_]:
            with contextlib.suppress(MarfaError):  # it is said below in any case
                files.write_bytes(root / "output" / "failure", _NO_TRAINING.encode())
            return _complain(_NO_TRAINING, 1)
    return _complain(_USAGE, 2)


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"marfa: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
