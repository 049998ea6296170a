"""What Lambda's runtime does in a function's process: look the handler up, then answer event by event.

It is run by its path, in a Python that sees the function's zip and a few named packages and nothing else
of this machine's, so it needs the standard library alone:

    python -I -S -B bootstrap.py HANDLER TASK_ROOT PACKAGES FOLDERS

Events come as lines of JSON, answers go the same way; what the function prints is its log. When the
input ends, whoever started it is gone, and so is this process.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class Layer(importlib.abc.MetaPathFinder):
    """Finds a few packages in some folders, after all else.

    Args:
        packages: their names.
        folders: where they are.
    """

    def __init__(self, packages: Sequence[str], folders: Sequence[str]) -> None:
        self._packages, self._folders = set(packages), list(folders)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a package that is allowed; what is in it is found by the usual way."""
        if path is None and fullname in self._packages:
            return PathFinder.find_spec(fullname, self._folders, target)
        return None


class Context:
    """What Lambda tells a function of the call under way.

    Args:
        seconds: how long it may take.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still take."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


def main(handler: str, root: str, packages: str, folders: str) -> None:
    """Answer events until there are no more.

    Args:
        handler: module and name, joined by a dot.
        root: folder of the unpacked zip.
        packages: names of further packages that can be imported, joined by commas.
        folders: where these are, joined as paths are.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # what is printed is the log
        events: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        lines = os.fdopen(os.dup(0), "rb")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # and there is nothing to read
        threading.Thread(target=_read, args=(lines, events), daemon=True).start()
        sys.path.insert(0, root)
        sys.meta_path.append(Layer(packages.split(","), folders.split(os.pathsep)))
        began = time.monotonic()
        try:
            module, _, name = handler.rpartition(".")
            function = getattr(importlib.import_module(module), name)
        except Exception as error:
            _write(answers, {"failed": type(error).__name__})
            raise
        _write(answers, {"ready": time.monotonic() - began})
        while True:
            asked: Any = json.loads(events.get())
            try:
                answer = {"answer": function(asked["event"], Context(asked["seconds"]))}
                text = json.dumps(answer)
            except Exception as error:  # noqa: BLE001 - as Lambda does, and the text may be a client's
                text = json.dumps({"error": type(error).__name__})
            answers.write(text + "\n")
            answers.flush()


def _read(lines: Any, events: queue.SimpleQueue[bytes]) -> None:
    for line in lines:
        events.put(line)
    os._exit(0)  # a call under way is nobody's any more


def _write(answers: Any, document: dict[str, Any]) -> None:
    answers.write(json.dumps(document) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
