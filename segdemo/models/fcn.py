"""Fully convolutional networks on a VGG backbone: FCN-32s, FCN-16s and FCN-8s from one set of weights.

Source: Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015; trained jointly
("at once") as in Shelhamer, Long, Darrell, PAMI 2017. Where the original pads the photo by 100 pixels so that any size
works, this one pads to a multiple of 32 and crops.
"""

from collections.abc import Collection
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models.backbones import split_at_max_pools, vgg_features
from segdemo.models.blocks import InBlocks
from segdemo.models.initialisation import bilinear_, he_
from segdemo.models.network import Outputs, SegmentationNetwork, architecture, pad_to_multiple

STRIDES = (32, 16, 8)
# Pixels in a block of the first three stages together, and of the first alone: small ones stay in a processor's cache.
_LARGE, _SMALL = 2 << 20, 1 << 17


class Upscore(nn.Module):
    """Upsample scores by a transposed conv that starts bilinear and learns: kernel 2s, stride s (even), padding s/2.

    The transposed conv alone adds too few neighbours at the border, where a constant map fades to about a half, or a
    quarter in a corner. So the map is extended by one cell all round and the result cropped by one stride.
    """

    def __init__(self, num_classes: int, stride: int) -> None:
        super().__init__()
        self.conv = bilinear_(
            nn.ConvTranspose2d(num_classes, num_classes, 2 * stride, stride, padding=stride // 2, bias=False)
        )

    def forward(self, scores: Tensor) -> Tensor:
        """Upsample: `[N, C, h, w]` → `[N, C, h·s, w·s]`."""
        crop = self.conv.stride[0]
        upsampled = self.conv(F.pad(scores, (1, 1, 1, 1), mode="replicate"))
        return upsampled[..., crop:-crop, crop:-crop]


class FCN(SegmentationNetwork):
    """The VGG-FCN with its three outputs; `stride` picks the one that `forward` gives.

    Args:
        stages: The backbone's five stages, each ending with its pooling.
        head: FC6 and FC7 as convs, from the last stage's 512 channels to `fc_width`, the map's size unchanged.
        fc_width: Channels behind FC7.
        num_classes: Channels of every score map.
        stride: 32, 16 or 8: the stride of the score map that is upsampled last.

    Raises:
        ValueError: The stride is none of the three.
    """

    size_multiple = 32

    def __init__(
        self, stages: list[nn.Sequential], head: nn.Module, fc_width: int, num_classes: int, stride: int
    ) -> None:
        super().__init__()
        if stride not in STRIDES:
            raise ValueError(f"an FCN has stride 32, 16 or 8, not {stride}")
        self.stride = stride
        self.stages = nn.ModuleList(stages)
        self.head = head
        self.score = he_(nn.Conv2d(fc_width, num_classes, 1))
        # The skips start at zero, so FCN-16s and 8s begin as FCN-32s and learn what to add.
        self.score_pool4 = _zero(nn.Conv2d(512, num_classes, 1))
        self.score_pool3 = _zero(nn.Conv2d(256, num_classes, 1))
        self.upscore_fc7 = Upscore(num_classes, 2)
        self.upscore_pool4 = Upscore(num_classes, 2)
        self.upscore32 = Upscore(num_classes, 32)
        self.upscore16 = Upscore(num_classes, 16)
        self.upscore8 = Upscore(num_classes, 8)

    @property
    def score_layer(self) -> None:
        """None: the score map is a sum of three layers' scores."""

    def separate_scores(self, images: Tensor) -> dict[int, Tensor]:
        """Make the three score maps of one pass through the backbone, before they are added up.

        `[N, 3, H, W]`, multiples of 32 → `[N, C, H/s, W/s]` by stride s: 32 from FC7, 16 from pool4, 8 from pool3.
        """
        pools = []
        features = images
        for stage in self.stages:
            features = stage(features)
            pools.append(features)
        return {32: self.score(self.head(features)), 16: self.score_pool4(pools[3]), 8: self.score_pool3(pools[2])}

    def add_up(self, separate: dict[int, Tensor]) -> dict[int, Tensor]:
        """Add each skip's scores to the upsampled coarser ones; linear, as no transposed conv has a bias.

        `separate_scores` gives those. The result has, for each stride s of 32, 16 and 8, the scores `[N, C, H/s, W/s]`.
        """
        at32 = separate[32]
        at16 = self.upscore_fc7(at32) + separate[16]
        at8 = self.upscore_pool4(at16) + separate[8]
        return {32: at32, 16: at16, 8: at8}

    def score_maps(self, images: Tensor) -> dict[int, Tensor]:
        """Make the coarse scores of all three outputs in one pass through the backbone, skips added.

        `[N, 3, H, W]`, multiples of 32 → `[N, C, H/s, W/s]` for each stride s of 32, 16 and 8.
        """
        return self.add_up(self.separate_scores(images))

    def score_map(self, images: Tensor) -> Tensor:
        """Make the coarse scores of the chosen output: `[N, 3, H, W]` → `[N, C, H/stride, W/stride]`."""
        return self.score_maps(images)[self.stride]

    def upsample(self, score_map: Tensor) -> Tensor:
        """Upsample the chosen output's scores: `[N, C, h, w]` → `[N, C, h·stride, w·stride]`."""
        return self._upscore(self.stride)(score_map)

    def outputs(self, images: Tensor, strides: Collection[int] = ()) -> Outputs:
        """Give some or all of the three outputs from one pass through the backbone; see the base class."""
        maps = self.score_maps(pad_to_multiple(images, self.size_multiple))
        return self.upscore_maps({stride: maps[stride] for stride in strides or STRIDES}, *images.shape[-2:])

    def upscore_maps(self, maps: dict[int, Tensor], height: int, width: int) -> Outputs:
        """Upsample the scores of one or more outputs, from `score_maps`, and crop the padding off, as `outputs` does.

        Height and width are the image's before it was padded.
        """
        return {
            stride: (
                scores[..., : -(-height // stride), : -(-width // stride)],
                self._upscore(stride)(scores)[..., :height, :width],
            )
            for stride, scores in maps.items()
        }

    def forward_all(self, images: Tensor) -> dict[int, Tensor]:
        """Score every pixel by all three outputs, as joint training needs it: `[N, C, H, W]` for each stride."""
        return {stride: scores for stride, (_, scores) in self.outputs(images).items()}

    def run_in_blocks(self) -> bool:
        """Let the first four stages run in blocks, in place: the same numbers in less memory.

        Behind the third a pixel takes a sixteenth of the memory that it takes in the first. So these three run together
        in large blocks, and within those each in small ones, whose pixels become fewer as the channels become more.
        """
        *first, last = self.stages
        small = [InBlocks(cast(nn.Sequential, stage), _SMALL >> index) for index, stage in enumerate(first)]
        together = InBlocks(nn.Sequential(*small[:3]), _LARGE)
        # Three in the first one's place: the skips go on finding what comes out of the third and the fourth.
        self.stages = nn.ModuleList((together, nn.Identity(), nn.Identity(), small[3], last))
        return True

    def _upscore(self, stride: int) -> Upscore:
        return {32: self.upscore32, 16: self.upscore16, 8: self.upscore8}[stride]


def _zero(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


def fc_head(width: int, kernel_size: int, dropout: float) -> nn.Sequential:
    """Build FC6 and FC7 as convs, each with ReLU and dropout: `[N, 512, h, w]` → `[N, width, h, w]`.

    The original has a width of 4,096, and FC6 a kernel of 7, what VGG16's FC6 becomes; 1 is the light form.

    Raises:
        ValueError: The kernel size is even, which would change the map's size.
    """
    if kernel_size % 2 == 0:
        raise ValueError(f"FC6's kernel size must be odd, not {kernel_size}")
    fc6 = nn.Conv2d(512, width, kernel_size, padding=kernel_size // 2)
    fc7 = nn.Conv2d(width, width, 1)
    return he_(nn.Sequential(fc6, nn.ReLU(), nn.Dropout(dropout), fc7, nn.ReLU(), nn.Dropout(dropout)))


@architecture
def fcn_vgg(
    backbone: str,
    num_classes: int,
    *,
    stride: int = 8,
    fc_width: int = 4096,
    fc_kernel: int = 7,
    dropout: float = 0.5,
) -> FCN:
    """Build an FCN on a VGG that `vgg_features` knows; the other arguments are those of `FCN` and `fc_head`."""
    stages = split_at_max_pools(vgg_features(backbone))
    return FCN(stages, fc_head(fc_width, fc_kernel, dropout), fc_width, num_classes, stride)
