"""A U-Net whose encoder is a VGG that may come from another network.

Source: Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015; with
a VGG encoder as in Iglovikov, Shvets, "TernausNet", 2018. Convs keep the size here, so nothing is cropped at the skips.
"""

import torch
from torch import Tensor, nn

from segdemo.models.backbones import split_at_max_pools, stage_channels, vgg_features
from segdemo.models.initialisation import he_
from segdemo.models.network import SegmentationNetwork, architecture

WIDTHS = (256, 128, 64, 48, 32)


class DecoderBlock(nn.Module):
    """Double the size by a transposed conv, put the encoder's features beside it, and mix both by two convs."""

    def __init__(self, channels: int, skip_channels: int, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, width, kernel_size=2, stride=2)
        self.mix = nn.Sequential(*_conv(width + skip_channels, width), *_conv(width, width))

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """Join `[N, channels, h, w]` and `[N, skip_channels, 2h, 2w]` to `[N, width, 2h, 2w]`."""
        return self.mix(torch.cat((self.up(features), skip), 1))


class UNet(SegmentationNetwork):
    """An encoder of five stages and a decoder that goes back up, stage by stage.

    Args:
        stages: The encoder's, each ending with its MaxPool; left as they are.
        widths: Channels of the five decoder blocks, from the coarsest to the finest; drawn by He's method.
        num_classes: Channels of the scores.
        dropout: Share of the finest features' channels that is dropped in training.
    """

    stride = 1
    size_multiple = 32

    def __init__(self, stages: list[nn.Sequential], widths: tuple[int, ...], num_classes: int, dropout: float) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        skips = [stage_channels(stage) for stage in reversed(stages)]
        inputs = [skips[0], *widths[:-1]]
        blocks = [DecoderBlock(*sizes) for sizes in zip(inputs, skips, widths, strict=True)]
        self.decoder = he_(nn.ModuleList(blocks))
        self.dropout = nn.Dropout2d(dropout)
        self.score = he_(nn.Conv2d(widths[-1], num_classes, 1))

    def score_map(self, images: Tensor) -> Tensor:
        """Score each pixel: `[N, 3, H, W]`, multiples of 32 → `[N, C, H, W]`."""
        skips, features = [], images
        for stage in self.stages:
            *layers, pool = stage.children()
            for layer in layers:
                features = layer(features)
            skips.append(features)
            features = pool(features)
        for block, skip in zip(self.decoder, reversed(skips), strict=True):
            features = block(features, skip)
        return self.score(self.dropout(features))

    def upsample(self, score_map: Tensor) -> Tensor:
        """The scores have the image's size already."""
        return score_map


def _conv(channels: int, width: int) -> tuple[nn.Module, ...]:
    # The bias would do nothing before a BatchNorm.
    return nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)


@architecture
def unet_vgg(
    backbone: str,
    num_classes: int,
    *,
    widths: tuple[int, ...] = WIDTHS,
    dropout: float = 0.0,
) -> UNet:
    """Build a U-Net on a VGG that `vgg_features` knows; the other arguments are those of `UNet`."""
    return UNet(split_at_max_pools(vgg_features(backbone)), tuple(widths), num_classes, dropout)
