"""Timing with warm-up, median and spread."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Timing:
    """Seconds of several runs of one thing: their median, the quickest, the slowest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Timing":
        """Sum up measured seconds."""
        return cls(statistics.median(seconds), min(seconds), max(seconds))


def measure(function: Callable[[], object], runs: int, warmup: int = 1) -> Timing:
    """Time a function, which must have ended its work when it returns; runs to warm up do not count."""
    for _ in range(warmup):
        function()
    return Timing.of([timed(function)[0] for _ in range(runs)])


def measure_in_turn(*functions: Callable[[], object], runs: int) -> list[Timing]:
    """Time functions one after the other, again and again, so that a machine that slows down slows all of them."""
    for function in functions:
        function()
    rounds = [[timed(function)[0] for function in functions] for _ in range(runs)]
    return [Timing.of(list(seconds)) for seconds in zip(*rounds, strict=True)]


def timed(function: Callable[[], _Result]) -> tuple[float, _Result]:
    """Run a function once: the seconds, and what it gave."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result
