"""Photos too large for one pass: tile by tile, each with as much of the photo round it as the network looks at.

The memory that a pass takes stays the same however large the photo is, and the scores are those of a pass over the
whole photo. A tile starts where the network's cells start, and only inside the photo does it have a halo: at the
photo's own edges the network pads as it does for the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from segdemo.models.network import Outputs


@dataclass(frozen=True)
class Span:
    """A tile along one side, in pixels: `start` to `stop` is kept, `first` to `last` is seen."""

    start: int
    stop: int
    first: int
    last: int


@dataclass(frozen=True)
class Cut:
    """How to cut photos.

    Attributes:
        pixels: That the network may see at once; exceeded only where a halo alone is larger.
        halo: Pixels round a tile on which its scores depend; a multiple of `multiple`.
        multiple: Pixels to which the network's cells are aligned.
    """

    pixels: int
    halo: int
    multiple: int

    @property
    def least(self) -> int:
        """Pixels of the smallest tile with its halo."""
        return (2 * self.halo + self.multiple) ** 2

    def tiles(self, width: int, height: int) -> list[tuple[Span, Span]]:
        """Cut a photo, so that little is seen twice: pairs of the spans of rows and of columns, row by row."""
        # As high as the photo, about square, or as wide as the photo: what one side does not need, the other may have.
        cuts = [self._cut(width, height, window) for window in (height, isqrt(self.pixels), self.pixels // width)]
        most = max(self.pixels, self.least)
        rows, columns = min((cut for cut in cuts if _longest(cut[0]) * _longest(cut[1]) <= most), key=_seen)
        return [(row, column) for row in rows for column in columns]

    def _cut(self, width: int, height: int, window: int) -> tuple[list[Span], list[Span]]:
        """Cut rows of at most `window` pixels and columns of what is left for them."""
        rows = self._spans(height, window)
        return rows, self._spans(width, self.pixels // _longest(rows))

    def _spans(self, length: int, window: int) -> list[Span]:
        if length <= window:
            return [Span(0, length, 0, length)]
        most = max(1, (window - 2 * self.halo) // self.multiple) * self.multiple
        count = -(-length // most)
        # Of equal size, so that the last is no sliver with a whole halo.
        kept = -(-length // (count * self.multiple)) * self.multiple
        starts = range(0, length, kept)
        stops = [min(start + kept, length) for start in starts]
        spans = zip(starts, stops, strict=True)
        return [Span(a, b, max(0, a - self.halo), min(length, b + self.halo)) for a, b in spans]


def _longest(spans: list[Span]) -> int:
    return max(each.last - each.first for each in spans)


def _seen(cut: tuple[list[Span], list[Span]]) -> int:
    """Count the pixels of all tiles with their halos."""
    rows, columns = (sum(each.last - each.first for each in spans) for spans in cut)
    return rows * columns


def score(image: Image.Image, cut: Cut, forward: Callable[[Tensor], Outputs]) -> Outputs:
    """Run a network tile by tile: what `forward` would give for the whole image, RGB at the size at which it is seen.

    `forward` takes uint8 `[1, h, w, 3]`; what it gives is copied at once.
    """
    whole: dict[tuple[int, int], Tensor] = {}
    strides: dict[int, None] = {}  # in their order
    for rows, columns in cut.tiles(*image.size):
        window = image.crop((columns.first, rows.first, columns.last, rows.last))
        for stride, (score_map, scores) in forward(torch.from_numpy(np.array(window)[None])).items():
            strides[stride] = None
            for cell, part in {stride: score_map, **({} if scores is score_map else {1: scores})}.items():
                if (stride, cell) not in whole:
                    size = -(-image.height // cell), -(-image.width // cell)
                    whole[stride, cell] = part.new_empty(1, part.shape[1], *size)
                _place(whole[stride, cell], part, rows, columns, cell)
    return {stride: (whole[stride, stride], whole.get((stride, 1), whole[stride, stride])) for stride in strides}


def _place(whole: Tensor, part: Tensor, rows: Span, columns: Span, cell: int) -> None:
    """Copy the kept part of a tile's scores to its place: `cell` pixels a side of each."""
    (to_rows, from_rows), (to_columns, from_columns) = (_slices(span, cell) for span in (rows, columns))
    whole[..., to_rows, to_columns] = part[..., from_rows, from_columns]


def _slices(span: Span, cell: int) -> tuple[slice, slice]:
    first, start, stop = span.first // cell, span.start // cell, -(-span.stop // cell)
    return slice(start, stop), slice(start - first, stop - first)
