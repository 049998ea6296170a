"""A container without Docker: Linux's own namespaces, by `unshare`, with what SageMaker guarantees.

The command is process 1, finds its folder at /opt/ml, and has no network but a loopback of its own. It
still has this machine's files. Nothing outside the namespaces is changed: /opt is covered, not written.
"""

import shlex
import shutil
import subprocess
import time
from pathlib import Path

from tests.peers.processes import Program

_INSIDE = (
    "mount -t tmpfs none /opt && mkdir /opt/ml && mount --bind {root} /opt/ml"
    " && ip link set lo up && exec {command}"
)
_UNSHARE = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--net", "--kill-child")


def reason_to_skip():
    """Why there can be no namespaces here, in a few words; empty if there can."""
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            return f"no program {program}"
    tried = subprocess.run(
        [*_UNSHARE, "sh", "-c", "mount -t tmpfs none /opt && ip link set lo up"],
        capture_output=True,
        text=True,
        check=False,
    )
    told = tried.stderr.strip().splitlines()
    return f"namespaces are not permitted: {told[-1] if told else tried.returncode}" * bool(
        tried.returncode
    )


class Isolated(Program):
    """A program that is process 1, with `root` at /opt/ml."""

    def __init__(self, command, root, folder, env):
        words = shlex.join(str(word) for word in command)
        script = _INSIDE.format(root=shlex.quote(str(root)), command=words)
        super().__init__([*_UNSHARE, "sh", "-c", script], folder, env)

    @property
    def inner(self):
        """The process's number as this machine counts; it is 1 inside."""
        number = self._process.pid
        while self._process.poll() is None:  # it takes a moment until there is one
            if found := Path(f"/proc/{number}/task/{number}/children").read_text().split():
                return int(found[0])
            time.sleep(0.01)
        raise AssertionError(self.log)

    def inside(self, command, told=""):
        """Run a command beside it, which is told something on stdin; return how it ended."""
        enter = ["nsenter", "--target", str(self.inner), "--mount", "--pid", "--net"]
        return subprocess.run(
            [*enter, *command],
            input=told,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
