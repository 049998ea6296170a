"""The code of a training job, as one file: sent once for each marfa, whatever is trained with it."""

from __future__ import annotations

import bz2
import io
import tarfile

from marfa import portable
from marfa.aws import zips
from marfa.container.entry import CODE


def code_zip(*, sample: bool = False) -> bytes:
    """Make the file that Python is given to run; equal code gives equal bytes.

    Args:
        sample: with the texts of the sample, where those are trained on.

    >>> len(code_zip()) < 200_000
    True
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in portable.job(sample=sample).items():
            entry = tarfile.TarInfo(f"marfa/{name}")  # mode 0644, owner 0, time 0
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    beginning = portable.read(["container/entry.py"])["container/entry.py"]
    return zips.pack({"__main__.py": beginning, CODE: bz2.compress(packed.getvalue())})
