"""Where networks run: the device, the number format it computes fast in, and whose turn it is."""

import os
import threading
import time
from functools import cache
from typing import Any, TypeVar, cast

import torch
from torch import nn

_Module = TypeVar("_Module", bound=nn.Module)
AUTO = "auto"
PRECISIONS = ("float32", "bfloat16", "float16")
_WORTH_IT = 1.25  # times as fast as float32
_MAP, _KERNEL = (1, 256, 28, 28), (256, 256, 3, 3)  # of one of VGG16's convs
_locks: dict[str, threading.Lock] = {}


def choose_device(wanted: str = AUTO) -> torch.device:
    """Pick where to compute: `auto` (CUDA, then MPS, then CPU), or what `torch.device` takes.

    Raises:
        ValueError: The device is not there or unknown.
    """
    if wanted == AUTO:
        return torch.device(next((name for name in ("cuda", "mps") if _works(name)), "cpu"))
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"There is no device {wanted!r} on this machine.") from error
    return device


def is_zero_gpu() -> bool:
    """Say whether this is a ZeroGPU Space, which lends its GPU for one function at a time."""
    return bool(os.environ.get("SPACES_ZERO_GPU"))


def _works(name: str) -> bool:
    """Find out whether an accelerator computes: an old card can be there without code for it in this torch."""
    if not (torch.cuda.is_available() if name == "cuda" else torch.backends.mps.is_available()):
        return False
    if is_zero_gpu():  # there, but lent only while a visitor's request runs
        return True
    try:
        return torch.ones(1, device=name).add(1).item() == 2  # noqa: PLR2004
    except RuntimeError:
        return False


def choose_precision(device: torch.device, wanted: str = AUTO) -> str:
    """Pick the number format of a device's passes: `float32`, `bfloat16`, `float16` or `auto`.

    The last is bfloat16 where the device is faster in it, else float16 on CUDA and float32 elsewhere.

    Raises:
        ValueError: There is no such format.
    """
    if wanted != AUTO:
        if wanted not in PRECISIONS:
            choices = ", ".join((AUTO, *PRECISIONS))
            raise ValueError(f"There is no precision {wanted!r}. Choose from {choices}.")
        return wanted
    if prefers_bfloat16(device):
        return "bfloat16"
    return "float16" if device.type == "cuda" else "float32"


def prefers_bfloat16(device: torch.device) -> bool:
    """Say whether a device computes in bfloat16, and does so faster than in float32.

    A CPU's flags do not tell: with avx512_bf16, passes took half as long on one machine and twice as long on another
    (docs/performance.md). So a CPU that has the instructions is tried out, once.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):  # torch before 2.11
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16")) and _bfloat16_gain() >= _WORTH_IT


def channels_last(network: _Module, device: torch.device | None = None) -> _Module:
    """Move a network to a device, in place, its weights laid out by pixel, which convs run faster on."""
    return cast(Any, network).to(device, memory_format=torch.channels_last)  # torch's hints know no memory format


@cache
@torch.inference_mode()
def _bfloat16_gain() -> float:
    """Time one of VGG16's convs on the CPU in both formats: how many times as fast bfloat16 is."""
    # Ones, not random numbers, so that a seeded run draws the same ones afterwards on every machine.
    values, weight = (torch.ones(s).contiguous(memory_format=torch.channels_last) for s in (_MAP, _KERNEL))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for in_bfloat16 in [False, True] * 6:  # by turns, so that a busy moment meets both
        with torch.autocast("cpu", torch.bfloat16, enabled=in_bfloat16):
            begun = time.perf_counter()
            nn.functional.conv2d(values, weight, padding=1)
            seconds[in_bfloat16].append(time.perf_counter() - begun)
    return min(seconds[False]) / min(seconds[True])


def device_lock(device_type: str) -> threading.Lock:
    """Give the lock that every network pass on a device holds: two at once would only share its memory and speed."""
    return _locks.setdefault(device_type, threading.Lock())


def _after_fork() -> None:
    """Let networks run in a forked child, for whose parent's threads OpenMP waits for ever (pytorch/pytorch#17199)."""
    _locks.clear()
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
