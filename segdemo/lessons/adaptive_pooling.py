"""Adaptive pooling: any number of cells to any other."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor

MODES = ("average", "max")


def bins(input_size: int, output_size: int) -> list[tuple[int, int]]:
    """Give the input cells that each output cell pools: from ⌊i·n/m⌋ up to, not with, ⌈(i + 1)·n/m⌉.

    They overlap where m does not divide n; where m is above n cells are repeated.

    Raises:
        ValueError: A size is below 1.
    """
    if min(input_size, output_size) < 1:
        raise ValueError("Input size and output size are at least 1.")
    return [(i * input_size // output_size, -(-(i + 1) * input_size // output_size)) for i in range(output_size)]


def pool(values: Tensor, output_size: int, mode: str = MODES[0]) -> Tensor:
    """Pool by those bins, `average` or `max`, a step at a time as the lesson shows it: `[..., n]` → `[..., m]`.

    Raises:
        ValueError: A size is below 1.
    """
    parts = [values[..., start:end] for start, end in bins(values.shape[-1], output_size)]
    return torch.stack([part.mean(-1) if mode == "average" else part.amax(-1) for part in parts], -1)


def pool_map(values: Tensor, output_size: tuple[int, int], mode: str = MODES[0]) -> Tensor:
    """Pool a map by torch's own layer, which cuts rows and columns into bins: `[C, H, W]` to `[C, *output_size]`."""
    return {"average": F.adaptive_avg_pool2d, "max": F.adaptive_max_pool2d}[mode](values, output_size)


def matrix(input_size: int, output_size: int) -> Tensor:
    """Write average pooling as a matrix `[m, n]`: one over a bin's length where an output cell takes an input cell."""
    rows = torch.zeros(output_size, input_size)
    for row, (start, end) in zip(rows, bins(input_size, output_size), strict=True):
        row[start:end] = 1 / (end - start)
    return rows


def times_taken(input_size: int, output_size: int) -> list[int]:
    """Count for each input cell the bins that it lies in."""
    taken = [0] * input_size
    for start, end in bins(input_size, output_size):
        for cell in range(start, end):
            taken[cell] += 1
    return taken


def overlap_count(input_size: int, output_size: int) -> int:
    """Count the input cells that are pooled more than once."""
    return sum(times > 1 for times in times_taken(input_size, output_size))


def repeats(input_size: int, output_size: int) -> list[bool]:
    """Say for each output cell whether it pools the very cells of the one before, and so repeats its value."""
    pairs = bins(input_size, output_size)
    return [False, *(later == earlier for earlier, later in itertools.pairwise(pairs))]


def levels(input_size: int, output_size: int) -> list[int]:
    """Spread the bins over lines, so that on none two of them overlap: for each bin the first line with room.

    Two lines are enough unless there are fewer cells than bins.
    """
    ends: list[int] = []
    chosen = []
    for start, end in bins(input_size, output_size):
        level = next((line for line, taken in enumerate(ends) if taken <= start), len(ends))
        ends[level : level + 1] = [end]
        chosen.append(level)
    return chosen


def is_fixed_kernel(input_size: int, output_size: int) -> bool:
    """Whether a plain pooling layer does the same: all bins equally long and equally far apart."""
    pairs = bins(input_size, output_size)
    lengths = {end - start for start, end in pairs}
    steps = {later[0] - earlier[0] for earlier, later in itertools.pairwise(pairs)}
    return len(lengths) == 1 and len(steps) <= 1
