"""Stages run block by block: what they compute at the image's own resolution never lies in memory as a whole."""

from collections.abc import Iterator
from math import isqrt
from typing import cast

import torch
from torch import Tensor, nn


class InBlocks(nn.Module):
    """Runs one or more stages of convs and a MaxPool on blocks of an image, with the same result.

    The first stages of a VGG hold 64 and 128 channels at the image's size and half of it, far more than what is left
    behind their pooling. Each block is read with the few pixels round it that its own depend on. Stages in blocks may
    lie inside: a large block of several stages can let each of them run in small ones.

    Args:
        stages: Convs that keep the size, layers that look at one pixel, and MaxPools whose windows lie side by side,
            the last of them at the end. In `eval` mode: pixels that two blocks share would count twice in statistics.
        pixels: Of the input that are read at once, those round a block aside; an input no larger runs as a whole.
    """

    def __init__(self, stages: nn.Sequential, pixels: int) -> None:
        super().__init__()
        self.stages, self.pixels = stages, pixels
        self.step: int = 1
        depends = 0
        for layer in stages.modules():  # those of stages that lie inside too, in their order
            if isinstance(layer, nn.Conv2d):
                depends += int(layer.padding[0]) * self.step
            elif isinstance(layer, nn.MaxPool2d):
                self.step *= cast(int, layer.stride)
        self.halo = -(-depends // self.step) * self.step

    def forward(self, images: Tensor) -> Tensor:
        """Map `[N, C, H, W]` to `[N, D, H/step, W/step]`."""
        count, _, height, width = images.shape
        if count * height * width <= self.pixels or images.is_meta:
            return self.stages(images)
        if count > 1:
            some = max(1, self.pixels // (height * width))
            return torch.cat([self(each) for each in images.split(some)])
        # What one side does not need, the other may have.
        tall = min(height, max(1, isqrt(self.pixels), self.pixels // width))
        whole: Tensor | None = None
        for rows, near_rows in self._blocks(height, tall):
            for columns, near_columns in self._blocks(width, self.pixels // tall):
                block = self.stages(images[:, :, near_rows, near_columns])
                if whole is None:
                    size = (1, block.shape[1], height // self.step, width // self.step)
                    whole = block.new_empty(size).contiguous(memory_format=torch.channels_last)
                to_rows, from_rows = self._cells(rows, near_rows)
                to_columns, from_columns = self._cells(columns, near_columns)
                whole[:, :, to_rows, to_columns] = block[:, :, from_rows, from_columns]
        assert whole is not None  # as a side has at least one block
        return whole

    def _blocks(self, length: int, most: int) -> Iterator[tuple[slice, slice]]:
        """Part a side into equal blocks of at most `most` pixels: each, and each with what is read round it."""
        cells = max(1, most // self.step)
        count = -(-length // (cells * self.step))
        size = -(-length // (count * self.step)) * self.step
        latest = max(0, (length - size - 2 * self.halo) // self.step * self.step)
        for start in range(0, length, size):
            stop = min(start + size, length)
            first = min(max(0, start - self.halo), latest)
            yield slice(start, stop), slice(first, length if first == latest else first + size + 2 * self.halo)

    def _cells(self, kept: slice, near: slice) -> tuple[slice, slice]:
        """Give the places of a block's cells in the whole output and in the block's own; a rest of a cell is none."""
        start, stop = kept.start // self.step, kept.stop // self.step
        first = near.start // self.step
        return slice(start, stop), slice(start - first, stop - first)
