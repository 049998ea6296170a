"""Loads bundles that mean ill, each in a process of its own, and tells of all that it should not do.

`python -m tests.torture.fuzz.canary [MODULE:FUNCTION]` reads paths from standard input and writes one
JSON line for each: what came of it, what it did, seconds, and bytes of memory. MODULE:FUNCTION is
another loader than marfa's, such as a planted bug.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.torture.fuzz import models

from marfa import loading
from marfa.container import contract, golden
from marfa.container.contract import Request
from marfa.errors import MarfaError

SECONDS = 20
ASKED = {
    "classifier": Request("POST", "/invocations", "text/plain", "", b"a good film"),
    "generator": Request("POST", "/invocations", "application/json", "", b'{"length":3,"seed":1}'),
}
CALLS = (
    *(
        "os.exec",
        "os.posix_spawn",
        "os.system",
        "os.fork",
        "os.forkpty",
        "subprocess.Popen",
    ),
    *(
        "socket.",
        "pickle.find_class",
        "ctypes.",
        "code.__new__",
        "exec",
        "compile",
        "marshal.load",
        "shutil.",
        "tempfile.",
    ),
    *(
        "os.remove",
        "os.rename",
        "os.link",
        "os.symlink",
        "os.mkdir",
        "os.rmdir",
        "os.chmod",
        "os.chown",
    ),
    *(
        "os.truncate",
        "os.utime",
        "os.kill",
        "os.putenv",
        "os.unsetenv",
        "os.setxattr",
        "os.removexattr",
        "sqlite3.connect",
        "webbrowser.open",
        "urllib.Request",
        "ftplib.",
    ),
)
_IMPORTER = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
"""Whose code an import runs. No other can say that it is: to make code makes the canary sing."""
_KNOWN = tuple(f"{each}/" for each in sys.path if each not in {"", os.getcwd()})
"""Where modules are imported from; the folder that it runs in is its cage."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

Loader = Callable[[Path], Any]


def load(path: Path) -> Any:
    """Load as a server does, and ask what it would ask."""
    model = loading.load(path)
    golden.replay(model, loading.bundles.load(path).contents["golden.jsonl"])
    return model


class Canary:
    """Hears of everything that the interpreter is asked to do, once it is let out of its cage."""

    def __init__(self) -> None:
        self.sang: list[str] = []
        self.out = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.out:
            return
        if event == "open":
            mode, flags = arguments[1], arguments[2]
            writes = isinstance(mode, str) and set(mode) & set("wax+")
            if not writes and not (isinstance(flags, int) and flags & _WRITES):
                return
        elif event == "import":
            if str(arguments[0]).partition(".")[0] not in {
                "pickle",
                "ctypes",
                "subprocess",
                "torch",
            }:
                return
        elif not event.startswith(CALLS) or _imports(event, sys._getframe(1)):
            return
        self.sang.append(event)
        raise PermissionError(event)


def _imports(event: str, frame: FrameType) -> bool:
    """Return whether this is the import of a module that stands where modules do.

    A codec is imported when first a text is in it. What runs is either read by `marshal`, from a file of
    which the importer knows the name, or compiled, which is heard in any case.
    """
    if event not in {"exec", "marshal.loads"} or frame.f_code.co_filename not in _IMPORTER:
        return False
    known = frame.f_locals
    file = known.get("source_path") or known.get("bytecode_path")
    return event == "exec" or str(file).startswith(_KNOWN)


def tried(path: Path, loader: Loader, canary: Canary) -> dict[str, Any]:
    """Load one bundle, and ask it something if that is possible."""
    outcome = "accepted"
    before = resource.getrusage(resource.RUSAGE_SELF)
    canary.out = True
    try:
        model = loader(path)
        found = contract.respond(model, ASKED[model.task])
        if found.status not in {200, 422}:
            outcome = f"accepted, and answers {found.status}"
    except MarfaError as error:
        said = str(error)
        outcome = "refused" if len(said) < 400 and said.isprintable() else "refused at length"
    except BaseException as error:  # noqa: BLE001, that is what is looked for
        outcome = f"broken by {type(error).__name__}"
    finally:
        canary.out = False
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "outcome": outcome,
        "sang": canary.sang,
        "seconds": used,
        "bytes": (after.ru_maxrss - before.ru_maxrss) * 1024,
    }


def _apart(path: Path, loader: Loader, canary: Canary) -> dict[str, Any]:
    """Try in a child, which may be killed or crash."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(SECONDS)
        # a system that lends more memory than it has would let a bomb through and kill somebody else
        resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
        found = json.dumps(tried(path, loader, canary)).encode()
        os.write(writing, found)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if said:
        return dict(json.loads(said))
    ended = f"killed by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "ended"
    return {"outcome": ended, "sang": [], "seconds": float(SECONDS), "bytes": 0}


def main() -> None:
    """Try what is named on standard input."""
    loader: Loader = load
    if len(sys.argv) > 1:
        module, _, name = sys.argv[1].partition(":")
        loader = getattr(importlib.import_module(module), name)
    canary = Canary()
    _warm()
    for line in sys.stdin:
        found = _apart(Path(line.rstrip("\n")), loader, canary)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def _warm() -> None:
    """Do once all that a good bundle needs, so that what is imported later is seen."""
    import marfa.engines.onnx_engine
    import marfa.engines.onnx_writer

    assert marfa.engines.onnx_engine
    assert marfa.engines.onnx_writer
    for task in models.TASKS:
        made = models.made(task)
        model = loading.of(made, engine="numpy")
        golden.replay(model, made.contents["golden.jsonl"])
        contract.respond(model, ASKED[task])


if __name__ == "__main__":
    main()
