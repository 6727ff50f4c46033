"""Cells where they are drawn: cell i of every score map is centred at pixel (i + 0.5)·stride, counted from the edge.

A 2×2 pooling keeps to that by itself. A strided conv of odd kernel does not: cell i of a ResNet is centred on pixel
i·stride, half a stride too far left and up. So a ResNet sees its image moved right and down by half a stride, and drops
the outermost rows and columns of cells, which lie over the padding. The centre is then off by half a pixel, the least
that a move by whole pixels allows: the centre of an odd window is the middle of a pixel, and (i + 0.5)·stride is the
edge of one.
"""

from torch import Tensor, nn


class Shift(nn.ReplicationPad2d):
    """Move images right and down by half a stride: `[N, C, H, W]` → `[N, C, H + stride + 1, W + stride + 1]`.

    A pixel more is added on the right and at the bottom. There cells are centred on the first pixel and on the last, so
    that the zeros with which convs pad begin as far from the image on all sides. The stride is even.
    """

    def __init__(self, stride: int) -> None:
        half = stride // 2
        super().__init__((half, half + 1, half, half + 1))


class DropOuter(nn.Module):
    """Drop the outermost rows and columns of cells: `[N, C, h + 2, w + 2]` → `[N, C, h, w]`."""

    def forward(self, cells: Tensor) -> Tensor:
        """Drop them."""
        return cells[..., 1:-1, 1:-1]
