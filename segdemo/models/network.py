"""What every segmentation network here has in common: any input size in, scores of exactly that size out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from types import FunctionType
from typing import TypeVar, cast

import torch.nn.functional as F
from torch import Tensor, nn

Outputs = dict[int, tuple[Tensor, Tensor]]
"""By stride the score maps `[N, C, h, w]` and the scores `[N, C, H, W]`; one tensor twice where one is enough."""


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Extend images on the right and at the bottom until both sides are multiples of a stride.

    The outermost pixels are repeated, so a network sees no edge that the photo does not have. Padding at the right and
    bottom alone keeps pixel (0, 0) where it was; the scores are cropped back afterwards.

    `[N, C, H, W]` → `[N, C, ⌈H/multiple⌉·multiple, ⌈W/multiple⌉·multiple]`.
    """
    height, width = images.shape[-2:]
    down, right = -height % multiple, -width % multiple
    return F.pad(images, (0, right, 0, down), mode="replicate") if down or right else images


class SegmentationNetwork(nn.Module, ABC):
    """An image batch in, one score per class and pixel out.

    A subclass says how a coarse score map is made and how it is upsampled; this class makes that work for any size.

    Attributes:
        stride: Pixels of the input per cell of the score map.
        size_multiple: The input is padded to a multiple of this many pixels.
        interpolates: Whether `upsample` is plain bilinear interpolation, so that whoever wants the scores at another
            size may take them from the score map at once.
        classifies: Whether it is a classifier that answers at every cell.
    """

    stride: int
    size_multiple: int
    interpolates: bool = False
    classifies: bool = False

    @property
    def score_layer(self) -> nn.Conv2d | None:
        """The 1×1 conv whose output is the score map; None where the map is a sum of several, as an FCN's is."""
        return cast(nn.Conv2d, self.score)

    @abstractmethod
    def score_map(self, images: Tensor) -> Tensor:
        """Make the coarse scores: `[N, 3, H, W]`, multiples of `size_multiple` → `[N, C, H/stride, W/stride]`."""

    def upsample(self, score_map: Tensor) -> Tensor:
        """Upsample by the stride, here bilinearly: `[N, C, h, w]` → `[N, C, h·stride, w·stride]`."""
        return F.interpolate(score_map, scale_factor=self.stride, mode="bilinear", align_corners=False)

    def forward(self, images: Tensor) -> Tensor:
        """Score every pixel of normalised RGB images, `[N, 3, H, W]` of any size from 1×1 up: logits `[N, C, H, W]`."""
        return self.forward_with_map(images)[1]

    def forward_with_map(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Score every pixel and keep the coarse scores too.

        `[N, 3, H, W]` → the score map `[N, C, ⌈H/stride⌉, ⌈W/stride⌉]` and the upsampled scores `[N, C, H, W]`.
        """
        height, width = images.shape[-2:]
        score_map = self.score_map(pad_to_multiple(images, self.size_multiple))
        cropped = self.crop_map(score_map, height, width)
        # At a stride of 1 they are the same numbers, and whoever keeps both need keep them once.
        return cropped, cropped if self.stride == 1 else self.upsample(score_map)[..., :height, :width]

    def outputs(self, images: Tensor, strides: Collection[int] = ()) -> Outputs:
        """Give one or more outputs of one pass.

        Args:
            images: Normalised RGB, `[N, 3, H, W]`.
            strides: Of the outputs that are wanted; none stands for all that there are.

        Returns:
            By stride s the score map `[N, C, ⌈H/s⌉, ⌈W/s⌉]` and the scores `[N, C, H, W]`, or the score map twice where
            the scores are interpolated from it.
        """
        if not self.interpolates:
            return {self.stride: self.forward_with_map(images)}
        score_map = self.padded_score_map(images)
        return {self.stride: (score_map, score_map)}

    def forward_all(self, images: Tensor) -> dict[int, Tensor]:
        """Score every pixel by each output, as joint training needs it: `[N, C, H, W]` by stride."""
        return {self.stride: self(images)}

    def classify(self, images: Tensor) -> Tensor:
        """Give a classifier's logits for whole images: `[N, 3, H, W]` → `[N, C]`."""
        return self.padded_score_map(images).mean((2, 3))

    def run_in_blocks(self) -> bool:
        """Let stages run in blocks, in place, and say whether the network can: the same numbers in less memory."""
        return False

    def padded_score_map(self, images: Tensor) -> Tensor:
        """Make the coarse scores of images of any size: `[N, 3, H, W]` → `[N, C, ⌈H/stride⌉, ⌈W/stride⌉]`."""
        height, width = images.shape[-2:]
        return self.crop_map(self.score_map(pad_to_multiple(images, self.size_multiple)), height, width)

    def crop_map(self, score_map: Tensor, height: int, width: int) -> Tensor:
        """Drop the cells that lie over padding alone."""
        return score_map[..., : -(-height // self.stride), : -(-width // self.stride)]


ARCHITECTURES: dict[str, Callable[..., SegmentationNetwork]] = {}
"""Builders by the names that checkpoints give; `architecture` enters them."""
_Builder = TypeVar("_Builder", bound=Callable[..., SegmentationNetwork])


def architecture(builder: _Builder) -> _Builder:
    """Enter a network's builder into the table, under the builder's own name."""
    ARCHITECTURES[cast(FunctionType, builder).__name__] = builder
    return builder
