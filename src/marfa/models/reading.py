"""Reading with a trained generator, without learning: what validation and evaluation share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from marfa.models.generator import Generator, State

Read = Callable[[npt.NDArray[np.int64], State | None], tuple[npt.NDArray[np.float32], State]]


def reader(network: Generator) -> Read:
    """Return a function from tokens_TB and a state to logits_TBV and the state after them.

    Args:
        network: the network; it is put into evaluation mode.
    """
    network.eval()
    where = next(network.parameters()).device

    def read(
        tokens_TB: npt.NDArray[np.int64], state: State | None
    ) -> tuple[npt.NDArray[np.float32], State]:
        with torch.inference_mode():
            logits_TBV, after = network(torch.from_numpy(tokens_TB).to(where), state)
        return logits_TBV.cpu().numpy(), after

    return read


def computes_bfloat16(device: torch.device | None = None) -> bool:
    """Say whether a device multiplies bfloat16 itself; elsewhere it is far slower than float32.

    Args:
        device: the processor if not given.
    """
    if device is not None and device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    asked: list[Any] = [getattr(torch.cpu, name, None) for name in names]
    return any(ask is not None and ask() for ask in asked)


def trains_bfloat16(device: torch.device) -> bool:
    """Say whether an LSTM can be trained in bfloat16 at all; oneDNN has none without AVX-512.

    Args:
        device: where it is to be trained.
    """
    with torch.random.fork_rng(devices=[]):  # nobody's chance is another for the question
        layer = torch.nn.LSTM(8, 8).to(device)
    try:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            layer(torch.zeros(2, 2, 8, device=device))
    except RuntimeError:
        return False
    return True
