"""What each skip of an FCN adds: its scores are a sum, so each summand can be upsampled alone."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from segdemo.models.fcn import FCN
from segdemo.models.network import pad_to_multiple

SOURCES = {"fc7": 32, "pool4": 16, "pool3": 8}
"""Where each part comes from, and the stride of its score map."""


@dataclass(frozen=True)
class Decomposition:
    """One image through FCN-32s, 16s and 8s, and the scores of the last taken apart.

    Attributes:
        outputs: float32 `[C, H, W]` for each stride, from one pass.
        parts: float32 `[C, H, W]` by source; they add up to `outputs[8]`.
        grids: Rows and columns of the score map that each part was upsampled from.
    """

    outputs: dict[int, Tensor]
    parts: dict[str, Tensor]
    grids: dict[str, tuple[int, int]]

    @property
    def largest_difference(self) -> float:
        """Between the sum of the parts and the network's own scores."""
        return float((sum(self.parts.values()) - self.outputs[8]).abs().max())

    def constants(self) -> dict[str, Tensor]:
        """Give the mean of each part over the image, `[C]`: what it adds to a class everywhere, its bias included."""
        return {source: part.mean((1, 2)) for source, part in self.parts.items()}

    def shares(self, class_index: int | None = None) -> dict[str, float]:
        """Say by source how much of what varies over the image each part brings, for one class or all together.

        From each part its constant per class is taken away; the rest's mean absolute value is the part's contribution,
        and its share is that over the sum of the three. Parts may pull against each other, so shares measure how much
        each moves the scores, not how often it is right. They add up to 1; where nothing varies, all are 0.
        """
        rows = slice(None) if class_index is None else slice(class_index, class_index + 1)
        varying = {s: float((p - p.mean((1, 2), keepdim=True))[rows].abs().mean()) for s, p in self.parts.items()}
        total = sum(varying.values())
        return {source: value / total if total else 0.0 for source, value in varying.items()}

    def changed(self, stride: int, coarser: int) -> float:
        """Give the share of pixels to which two outputs give different classes."""
        return float((self.outputs[stride].argmax(0) != self.outputs[coarser].argmax(0)).float().mean())

    def main_class(self) -> int:
        """Give the index of the class that covers most of FCN-8s's class map, background aside; 0 if there is none."""
        counts = torch.bincount(self.outputs[8].argmax(0).flatten(), minlength=self.outputs[8].shape[0])
        counts[0] = 0
        return int(counts.argmax())


def alone(separate: dict[int, Tensor], stride: int) -> dict[int, Tensor]:
    """Set all score maps but that of one stride to zero."""
    return {s: scores if s == stride else torch.zeros_like(scores) for s, scores in separate.items()}


@torch.inference_mode()
def decompose(network: FCN, image: Tensor, bfloat16: bool = False) -> Decomposition:
    """Run an FCN once and take the scores of its finest output apart.

    The upsampling is run again for each part with the other two score maps at zero. That is exact, since it is linear:
    transposed convs without a bias, a border that repeats cells, and a crop. The only biases are those of the three 1×1
    convs that make the score maps, so each belongs to its own part.

    Source of the architecture: Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation",
    CVPR 2015.

    Args:
        network: In `eval` mode.
        image: Normalised, `[3, H, W]`, any size.
        bfloat16: Compute the three score maps in it; they are added and upsampled in float32 all the same.
    """
    height, width = image.shape[1:]
    with torch.autocast(image.device.type, torch.bfloat16, enabled=bfloat16):
        found = network.separate_scores(pad_to_multiple(image[None], network.size_multiple))
    separate = {stride: scores.float() for stride, scores in found.items()}

    def upsampled(maps: dict[int, Tensor], strides: Collection[int]) -> dict[int, Tensor]:
        added = network.add_up(maps)
        upscored = network.upscore_maps({stride: added[stride] for stride in strides}, height, width)
        return {stride: scores[0] for stride, (_, scores) in upscored.items()}

    return Decomposition(
        outputs=upsampled(separate, separate),
        parts={source: upsampled(alone(separate, stride), [8])[8] for source, stride in SOURCES.items()},
        grids={source: (separate[stride].shape[-2], separate[stride].shape[-1]) for source, stride in SOURCES.items()},
    )
