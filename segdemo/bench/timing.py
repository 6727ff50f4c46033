"""Timing with warm-up, median and spread."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Timing:
    """Seconds of several runs of one thing.

    Attributes:
        median: Of the runs.
        low: The quickest run.
        high: The slowest run.
        runs: How many there were.
    """

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, seconds: list[float]) -> "Timing":
        """Sum up measured seconds.

        Raises:
            ValueError: There are none.
        """
        if not seconds:
            raise ValueError("nothing was measured")
        return cls(statistics.median(seconds), min(seconds), max(seconds), len(seconds))

    def as_dict(self) -> dict[str, float]:
        """Give the fields, rounded to microseconds."""
        return {key: round(value, 6) for key, value in asdict(self).items()}


def measure(function: Callable[[], object], runs: int, warmup: int = 1) -> Timing:
    """Time a function.

    Args:
        function: What is timed; it must have ended its work when it returns.
        runs: That count.
        warmup: Runs before those, which do not.
    """
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


def percentile(values: list[float], share: float) -> float:
    """Give the value below which a share (0 to 1) of the values lies; the next higher one where it falls between two.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("nothing was measured")
    ranked = sorted(values)
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)]
