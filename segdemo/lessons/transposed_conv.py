"""Transposed convolution by hand: its size, its matrix, its steps, and the checkerboard it may leave.

Source: Dumoulin, Visin, "A guide to convolution arithmetic for deep learning", 2016.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models.initialisation import bilinear_kernel

TUTORIAL = ((2, 1, 0), (2, 1, 1), (3, 1, 0), (3, 1, 1), (2, 2, 0))
"""Kernel, stride and padding of five lines that a tutorial prints for a 3×3 map: 4, 2, 5, 3 and 6 cells a side."""


@dataclass(frozen=True)
class Setting:
    """A square transposed conv on a square map, one channel in and out.

    Attributes:
        input_size: n, cells a side.
        kernel: k, cells a side.
        stride: s, how far apart the input's cells leave their prints.
        padding: p, cells cut off the output's border all round.
        output_padding: o, cells added at the output's right and bottom.

    Raises:
        ValueError: torch would refuse it, or nothing would be left; the message says why.
    """

    input_size: int
    kernel: int
    stride: int = 1
    padding: int = 0
    output_padding: int = 0

    def __post_init__(self) -> None:
        if min(self.input_size, self.kernel, self.stride) < 1:
            raise ValueError("Input size, kernel and stride are at least 1.")
        if min(self.padding, self.output_padding) < 0:
            raise ValueError("Padding and output padding are at least 0.")
        if self.output_padding >= self.stride and self.output_padding > 0:
            raise ValueError(f"The output padding, {self.output_padding}, must be below the stride, {self.stride}.")
        if self.size < 1:
            raise ValueError(f"The padding, {self.padding}, cuts away everything: {self.formula}.")

    @property
    def size(self) -> int:
        """Cells a side of the output: (n - 1)·s - 2·p + k + o."""
        return (self.input_size - 1) * self.stride - 2 * self.padding + self.kernel + self.output_padding

    @property
    def formula(self) -> str:
        """The size's formula with the numbers filled in."""
        return (
            f"({self.input_size} − 1)·{self.stride} − 2·{self.padding} + {self.kernel} + {self.output_padding} "
            f"= {self.size}"
        )


def transposed_conv(values: Tensor, kernel: Tensor, setting: Setting) -> Tensor:
    """Apply torch's transposed conv: `[n, n]` with a kernel `[k, k]` → `[m, m]`, m the setting's size."""
    numbers = setting.stride, setting.padding, setting.output_padding
    return F.conv_transpose2d(values[None, None], kernel[None, None], None, *numbers)[0, 0]


def conv(values: Tensor, kernel: Tensor, setting: Setting) -> Tensor:
    """Apply the conv of the same kernel, stride and padding, which goes the other way: `[m, m]` → `[n, n]`."""
    return F.conv2d(values[None, None], kernel[None, None], stride=setting.stride, padding=setting.padding)[0, 0]


def conv_matrix(kernel: Tensor, setting: Setting) -> Tensor:
    """Write that conv as a matrix C, `[n², m²]`, for a kernel `[k, k]`: `C · x = y` for flattened maps.

    The transposed conv multiplies by its transpose, `Cᵀ · y`; hence the name.
    """
    cells = torch.eye(setting.size**2).view(-1, 1, setting.size, setting.size)
    columns = F.conv2d(cells, kernel[None, None], stride=setting.stride, padding=setting.padding)
    return columns.flatten(1).T


def prints(values: Tensor, kernel: Tensor, setting: Setting, count: int) -> Tensor:
    """Let only the first cells, row by row, leave their prints: each adds the kernel times its value.

    Args:
        values: `[n, n]`.
        kernel: `[k, k]`.
        setting: Sizes that fit both.
        count: Cells, 0 to n².

    Returns:
        The output so far, `[m, m]`.
    """
    done = torch.arange(values.numel()).view_as(values) < count
    return transposed_conv(values * done, kernel, setting)


def overlaps(setting: Setting) -> Tensor:
    """Count the prints that meet in each output cell: `[m, m]`.

    Where the kernel is no multiple of the stride the counts alternate inside the map, and with them the output: the
    checkerboard of Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.
    """
    size = setting.input_size
    return transposed_conv(torch.ones(size, size), torch.ones(setting.kernel, setting.kernel), setting).round()


def has_checkerboard(setting: Setting) -> bool:
    """Whether prints overlap unevenly away from the border."""
    return setting.kernel % setting.stride != 0


def learned_kernel(upscore: nn.ConvTranspose2d, class_index: int) -> Tensor:
    """Take the kernel with which a trained FCN upsamples one class's scores: `[k, k]`."""
    return upscore.weight[class_index, class_index].detach().clone()


def make_map(size: int) -> Tensor:
    """Make a small map of whole numbers, the same each time: `[size, size]`."""
    return torch.randint(1, 10, (size, size), generator=torch.Generator().manual_seed(size)).float()


def make_kernel(kind: str, size: int) -> Tensor:
    """Make a kernel `[size, size]` to play with.

    `ones`, `random`, or `bilinear`: the tent that interpolates by the stride ⌈k / 2⌉.
    """
    if kind == "ones":
        return torch.ones(size, size)
    if kind == "bilinear":
        return bilinear_kernel(size)
    return torch.randn(size, size, generator=torch.Generator().manual_seed(0))
