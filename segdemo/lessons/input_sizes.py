"""One classifier at several input sizes: with adaptive pooling before its Linear layer, and with a fixed layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segdemo.lessons.fc_as_conv import feature_map, linear_of
from segdemo.models.classifier import Conv1x1Segmenter


@dataclass(frozen=True)
class SizeResult:
    """What both made of the image at one size.

    Attributes:
        image: Height and width, pixels.
        features: Of the feature map: channels, rows, columns.
        pooled: Numbers behind adaptive pooling to 1×1.
        logits: float32 `[C]`, the Linear layer's answer to them.
        fixed: float32 `[C]`, the fixed Linear layer's answer to the flattened map; None where it does not fit.
        error: torch's own words where it does not fit, else nothing.
    """

    image: tuple[int, int]
    features: tuple[int, int, int]
    pooled: int
    logits: Tensor
    fixed: Tensor | None
    error: str

    @property
    def probabilities(self) -> Tensor:
        """The softmax of the logits, `[C]`."""
        return self.logits.softmax(0)


def feature_maps(network: Conv1x1Segmenter, images: Sequence[Tensor]) -> list[Tensor]:
    """Run the backbone over images of any sizes, each `[3, H, W]`, normalised → `[1, channels, h, w]` each."""
    return [feature_map(network, image) for image in images]


@torch.inference_mode()
def classify_sizes(
    network: Conv1x1Segmenter, images: Sequence[Tensor], maps: Sequence[Tensor], made_for: int
) -> list[SizeResult]:
    """Classify one image at several sizes by a dense classifier in `eval` mode.

    Images are normalised, `[3, H, W]`; `feature_maps` gives their maps. The fixed Linear layer is made for one of them.
    """
    pool, linear = nn.AdaptiveAvgPool2d(1), linear_of(network)
    fixed = flattening_linear(linear, maps[made_for].shape[2] * maps[made_for].shape[3])
    results = []
    for image, features in zip(images, maps, strict=True):
        pooled = pool(features).flatten(1)
        answer, error = _try(fixed, features.flatten(1))
        sizes = (image.shape[1], image.shape[2]), (features.shape[1], features.shape[2], features.shape[3])
        results.append(SizeResult(*sizes, pooled.shape[1], linear(pooled)[0], answer, error))
    return results


@torch.no_grad()
def flattening_linear(linear: nn.Linear, cells: int) -> nn.Linear:
    """Make the Linear layer that reads a flattened map and answers as `linear` does to the mean of its cells.

    `[C, channels]` → `[C, channels·cells]`: each weight, divided by the number of cells, stands once for each cell. For
    a map of any other number of cells the layer does not fit.
    """
    wide = nn.Linear(linear.in_features * cells, linear.out_features)
    wide.weight.copy_(linear.weight.repeat_interleave(cells, 1) / cells)
    wide.bias.copy_(linear.bias)
    return wide


def _try(linear: nn.Linear, flat: Tensor) -> tuple[Tensor | None, str]:
    try:
        return linear(flat)[0], ""
    except RuntimeError as error:
        return None, str(error)
