"""matplotlib keeps a list of fonts in the home folder as soon as it is imported; here, elsewhere."""

from __future__ import annotations

import os
import shutil
import tempfile

_FOLDER = tempfile.mkdtemp(prefix="marfa-fonts-")
os.environ.setdefault("MPLCONFIGDIR", _FOLDER)


def pytest_unconfigure() -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)
