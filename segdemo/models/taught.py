"""A 1×1 conv that someone taught by a few taps, on the frozen stages of a VGG.

Sources: Hariharan, Arbeláez, Girshick, Malik, "Hypercolumns for Object Segmentation and Fine-grained Localization",
CVPR 2015 (features of several stages on one grid); Liu, Rabinovich, Berg, "ParseNet: Looking Wider to See Better",
2015 (each stage's features scaled to length 1 before they are joined).
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models.backbones import split_at_max_pools, stage_channels, vgg_features, without_last_pool
from segdemo.models.network import SegmentationNetwork, architecture

CHANNELS = 1280
"""Of VGG16's features: 256 of pool3, 512 of pool4 and 512 of conv5."""
_FIRST_TAPPED = 2  # stages 3, 4 and 5 give features: pool3, pool4 and conv5


class TaughtVGG(SegmentationNetwork):
    """pool3, pool4 and conv5 of a frozen VGG on one grid of stride 8, and a 1×1 conv that scores each cell of it.

    The five stages, each ending with its MaxPool, are shared.
    """

    stride = 8
    size_multiple = 16
    interpolates = True

    def __init__(self, stages: Sequence[nn.Module], num_classes: int) -> None:
        super().__init__()
        chains = cast(Sequence[nn.Sequential], stages)  # what a ModuleList holds, no type says
        self.stages = nn.ModuleList([*chains[:-1], without_last_pool(chains[-1])])
        self.twice = nn.Upsample(scale_factor=2, mode="bilinear")
        self.score = nn.Conv2d(sum(stage_channels(stage) for stage in chains[_FIRST_TAPPED:]), num_classes, 1)

    def features(self, images: Tensor) -> Tensor:
        """Give what the 1×1 conv reads: `[N, 3, H, W]`, multiples of 16 → `[N, channels, H/8, W/8]`."""
        found = []
        for stage in self.stages:
            images = stage(images)
            found.append(images)
        pool3, pool4, conv5 = (F.normalize(each, dim=1) for each in found[_FIRST_TAPPED:])
        return torch.cat((pool3, self.twice(torch.cat((pool4, conv5), 1))), 1)

    def score_map(self, images: Tensor) -> Tensor:
        """Score each cell: `[N, 3, H, W]`, multiples of 16 → `[N, C, H/8, W/8]`."""
        return self.score(self.features(images))


@architecture
def taught_vgg(backbone: str, num_classes: int) -> TaughtVGG:
    """Build a taught network, such as on `vgg16`, to be filled from its own file and its trunk's."""
    return TaughtVGG(split_at_max_pools(vgg_features(backbone)), num_classes)
