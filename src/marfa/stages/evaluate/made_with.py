"""What a report says of where its figures come from."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from marfa import __version__


def versions() -> dict[str, str]:
    """Return what the figures were made with."""
    packages = {name: metadata.version(name) for name in ("torch", "numpy", "scikit-learn")}
    return {
        "marfa": __version__,
        "Python": platform.python_version(),
        **packages,
        "machine": f"{platform.system()} {platform.machine()}",
    }


def history(run: Path) -> list[dict[str, Any]]:
    """Return the entries of a run's epochs."""
    with open(run / "history.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
