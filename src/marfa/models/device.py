"""What computes: the processor, or a GPU, which is asked for the same digits every time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from marfa import environment
from marfa.errors import SettingsError


@contextlib.contextmanager
def chosen(name: str) -> Iterator[torch.device]:
    """Choose what computes, and leave everything as it was afterwards.

    Args:
        name: "cpu", "cuda", or "auto" for a GPU where there is one.

    Raises:
        SettingsError: if a GPU is wanted and there is none.

    >>> with chosen("cpu") as device:
    ...     print(device)
    cpu
    """
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        message = "torch finds no GPU here"
        hint = "--device cpu; or install a torch that is built for this machine's GPU"
        raise SettingsError(message, where="device", hint=hint)
    if name == "cpu" or not there:
        yield torch.device("cpu")
        return
    before = torch.are_deterministic_algorithms_enabled()
    environment.ask_cublas_for_equal_digits()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield torch.device("cuda", environment.read().local_rank)
    finally:
        torch.use_deterministic_algorithms(before)
