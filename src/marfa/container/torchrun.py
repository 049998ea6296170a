"""Several machines, or several GPUs of one, that train one network: torchrun starts their processes."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marfa import environment
from marfa.console import Talk
from marfa.errors import DataError, NetworkError

PORT = 7777
"""Where the first machine is met, as AWS's own launcher has it."""

_STOP_SECONDS = 100
"""For processes to end after a signal: a little less than SageMaker's own 120, and more than the 30 that
torchrun gives by itself, since one may just be measuring a long validation."""

_PAUSES = (2, 4, 8, 16, *[30] * 9)
"""Seconds between looks for the first machine's name: soon at first, five minutes in all."""


@dataclass(frozen=True)
class Crew:
    """The machines of a job.

    Attributes:
        hosts: their names, in order.
        rank: which one this is, from 0.
        processes: how many processes each runs: one for each GPU, or one.
    """

    hosts: tuple[str, ...]
    rank: int
    processes: int

    @property
    def size(self) -> int:
        """Return how many processes train together."""
        return len(self.hosts) * self.processes

    def arguments(self, script: Path, flags: Sequence[str]) -> list[str]:
        """Return torchrun's arguments.

        >>> Crew(("algo-1", "algo-2"), 1, 1).arguments(Path("train.py"), ["--epochs", "2"])[:4]
        ['--nnodes=2', '--node-rank=1', '--nproc-per-node=1', '--master-addr=algo-1']
        """
        return [
            f"--nnodes={len(self.hosts)}",
            f"--node-rank={self.rank}",
            f"--nproc-per-node={self.processes}",
            f"--master-addr={self.hosts[0]}",
            f"--master-port={PORT}",
            str(script),
            *flags,
        ]


def crew(resources: Mapping[str, Any]) -> Crew:
    """Read which machines train together.

    Args:
        resources: SageMaker's resourceconfig.json; empty for this machine alone.

    Raises:
        DataError: if this machine is none of them.
    """
    hosts = tuple(sorted(map(str, resources.get("hosts", [])))) or ("localhost",)
    mine = str(resources.get("current_host", hosts[0]))
    if mine not in hosts:
        message = f"this machine is {mine!r}, none of {', '.join(hosts)}"
        raise DataError(message, where="resourceconfig.json")
    return Crew(hosts, hosts.index(mine), max(1, _gpus()))


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()


def launch(
    crew: Crew,
    flags: Sequence[str],
    talk: Talk,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Start this machine's processes, and wait for them.

    A signal to stop reaches torchrun, which hands it on; the processes agree on a step, save, and end.

    Args:
        crew: the machines.
        flags: what each process is told.
        talk: whom to tell.
        sleep: waits some seconds.

    Returns:
        The exit code.

    Raises:
        NetworkError: if the first machine's name stays unknown.
    """
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    from marfa.container import entry

    environment.let_torchrun_wait(_STOP_SECONDS)
    _meet(crew.hosts[0], sleep)
    talk.say(f"training on {len(crew.hosts)} machine(s), {crew.size} processes in all")
    try:
        run.main(crew.arguments(Path(entry.__file__), flags))
    except SignalException:
        talk.say("asked to stop; the same job, started again, goes on from its last checkpoint")
        return 0
    except ChildFailedError:  # it has said why
        sys.stderr.write("marfa: a process of the training failed\n")
        return 1
    return 0


def _meet(host: str, sleep: Callable[[float], None]) -> None:
    """Wait until a machine's name is known, which may be some seconds after it has begun."""
    for pause in (*_PAUSES, 0):
        try:
            socket.getaddrinfo(host, PORT)
        except OSError:
            if pause:
                sleep(pause)
        else:
            return
    message = f"the name of this machine is not known after {sum(_PAUSES)} s"
    raise NetworkError(message, where=host)
