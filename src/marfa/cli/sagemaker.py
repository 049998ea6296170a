"""What a container runs as its first process, with the word that SageMaker starts it by.

    docker run IMAGE serve
    docker run IMAGE train

The first process of a container gets the signals, and Linux keeps from it those that it has no handler
for. So it is Python itself, without a shell around it, and handles them as `marfa serve` does anywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from marfa import cli, environment

ROOT = "/opt/ml"
"""Where SageMaker puts what a container needs."""

PORT = 8080

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - nobody reaches a container but through whoever started it
_USAGE = "expected the word serve or train"


def main(arguments: Sequence[str], root: Path | None = None) -> int:
    """Do what a word asks for.

    Args:
        arguments: "serve", with further flags of `marfa serve` if any; or "train", with settings as
            flags if any, which an image without torch refuses.
        root: the folder that a container to serve has at /opt/ml; that one, or the one that
            SAGEMAKER_BASE_DIR names, if not given.

    Returns:
        The exit code.
    """
    snapshot = environment.read()
    match list(arguments):
        case ["serve", *flags]:
            port = str(snapshot.bind_port or PORT)
            address = ["--host", _EVERYWHERE, "--port", port]
            place = root or Path(snapshot.base_dir or ROOT)
            return cli.main(["serve", str(place / "model"), *address, *flags])
        case ["train", *flags]:  # it becomes the first process in place of this one
            training = [sys.executable, "-m", "marfa.container.entry", *flags]
            os.execv(sys.executable, training)  # noqa: S606 - a command of ours, without a shell
    sys.stderr.write(f"marfa: {_USAGE}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
