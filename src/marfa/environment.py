"""The only reader of `os.environ`: a frozen snapshot, from a mapping that can be passed in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Environment:
    """What marfa reads of the process's environment.

    Attributes:
        settings: the MARFA_* variables, each the upper-case name of a setting.
        no_color: NO_COLOR is set to anything: no colour, as the convention asks.
        omp_threads: OMP_NUM_THREADS, 0 when not set to a number; it wins over the cores counted.
        bind_port: SAGEMAKER_BIND_TO_PORT, which SageMaker sets where several containers share a
            machine; 0 when not set to a number.
        base_dir: SAGEMAKER_BASE_DIR, which puts another folder in the place of /opt/ml; else empty.
        hyperparameters: SM_HPS, where AWS's launcher of training repeats them as JSON; else empty.
        processes: RANK and WORLD_SIZE, as torchrun sets them for each process; else (0, 1).
        local_rank: LOCAL_RANK, which of this machine's processes, and so of its GPUs, it is.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    no_color: bool = False
    omp_threads: int = 0
    bind_port: int = 0
    base_dir: str = ""
    hyperparameters: str = ""
    processes: tuple[int, int] = (0, 1)
    local_rank: int = 0


def read(environ: Mapping[str, str] | None = None) -> Environment:
    """Take the snapshot.

    Args:
        environ: variables; the process's own when not given.

    Returns:
        The snapshot.

    >>> read({"MARFA_MIRROR": "usb", "NO_COLOR": "1", "PATH": "..."}).settings["MARFA_MIRROR"]
    'usb'
    """
    source = os.environ if environ is None else environ
    return Environment(
        settings=MappingProxyType({k: v for k, v in source.items() if k.startswith("MARFA_")}),
        no_color=bool(source.get("NO_COLOR")),
        omp_threads=_number(source.get("OMP_NUM_THREADS", "")),
        bind_port=_number(source.get("SAGEMAKER_BIND_TO_PORT", "")),
        base_dir=source.get("SAGEMAKER_BASE_DIR", ""),
        hyperparameters=source.get("SM_HPS", ""),
        processes=(_number(source.get("RANK", "")), _number(source.get("WORLD_SIZE", "")) or 1),
        local_rank=_number(source.get("LOCAL_RANK", "")),
    )


_OTHERS = ("MARFA_", "AWS_", "SAGEMAKER_", "SM_", "RANK", "WORLD_SIZE", "LOCAL_RANK")


def inherited() -> dict[str, str]:
    """Return the variables that a process of another machine could have too: none about marfa or AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}


def let_torchrun_wait(seconds: int) -> None:
    """Set how long torchrun waits for processes that it has told to stop, unless the user has."""
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", str(seconds))


def ask_cublas_for_equal_digits() -> None:
    """Set what CUDA's matrix products read when they are first used, unless the user has."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def keep_onnxruntime_to_itself() -> None:
    """Keep ONNX Runtime, before it is imported, from telling its maker what it does.

    It would begin a thread for it, and write files into the user's cache and the temporary folder.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def let_blas_use_one_thread() -> None:
    """Set, before numpy is imported, that its products use one thread, unless the user has set another.

    Where there is one process a core, more of them would only wait for each other.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def share_counters(folder: str) -> None:
    """Tell prometheus_client, which reads it from the environment alone, where to count.

    Args:
        folder: where all processes of a server keep their counters.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


def _number(value: str) -> int:
    return int(value) if value.isdecimal() else 0
