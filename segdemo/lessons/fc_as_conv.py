"""From a Linear layer to a 1×1 conv: the same numbers, shown on a trained network."""

import copy
import time
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.models.network import pad_to_multiple

_AT_ONCE = 32  # crops


def linear_of(network: Conv1x1Segmenter) -> nn.Linear:
    """Turn the 1×1 conv back into the Linear layer that it was: `[C, 512, 1, 1]` → `[C, 512]`."""
    conv = network.score
    linear = nn.Linear(conv.in_channels, conv.out_channels)
    linear.load_state_dict({"weight": conv.weight.flatten(1), "bias": conv.bias})
    return linear


@dataclass(frozen=True)
class Comparison:
    """One image's features through the classifier and through the same as a 1×1 conv.

    Attributes:
        features: Size of the feature map, channels, rows, columns.
        pooled: float32 `[512]`, the mean of each channel.
        logits: float32 `[C]`, the Linear layer's answer to it.
        score_map: float32 `[C, h, w]`, the conv's answer at each cell.
        pooled_difference: Largest absolute difference between Linear and conv on the same pooled feature.
        mean_difference: Largest absolute difference between the mean of the score map and the logits.
    """

    features: tuple[int, int, int]
    pooled: Tensor
    logits: Tensor
    score_map: Tensor
    pooled_difference: float
    mean_difference: float


@torch.inference_mode()
def feature_map(network: Conv1x1Segmenter, image: Tensor) -> Tensor:
    """Give what both classifiers have in common: `[3, H, W]`, normalised → `[1, channels, h, w]`."""
    return network.backbone(pad_to_multiple(image[None], network.stride))


@torch.inference_mode()
def compare(network: Conv1x1Segmenter, features: Tensor) -> Comparison:
    """Send a feature map from `feature_map` through both forms of a trained network in `eval` mode."""
    pooled = F.adaptive_avg_pool2d(features, 1)
    logits = linear_of(network)(pooled.flatten(1))[0]
    score_map = network.score(features)[0]
    through_conv = network.score(pooled)[0, :, 0, 0]
    _, channels, height, width = features.shape
    return Comparison(
        features=(channels, height, width),
        pooled=pooled.flatten(),
        logits=logits,
        score_map=score_map,
        pooled_difference=float((through_conv - logits).abs().max()),
        mean_difference=float((score_map.mean((1, 2)) - logits).abs().max()),
    )


def without_bias(network: Conv1x1Segmenter) -> Conv1x1Segmenter:
    """Make the well-known mistake in a copy: the weight is copied and the bias forgotten.

    Every score of a class is then off by that class's bias, at every cell.
    """
    forgetful = copy.copy(network)  # the backbone is shared, since nothing is changed in it
    forgetful._modules = {**network._modules, "score": copy.deepcopy(network.score)}
    assert forgetful.score.bias is not None
    nn.init.zeros_(forgetful.score.bias)
    return forgetful


@torch.inference_mode()
def flattening_classifier_error(network: Conv1x1Segmenter, features: tuple[int, int, int], image: Tensor) -> str:
    """Ask a classifier that flattens maps of channels, rows and columns for an image `[3, H, W]` of another size.

    Returns:
        torch's own words, or nothing where the feature maps happen to be of one size.
    """
    linear = nn.Linear(prod(features), network.score.out_channels)
    try:
        linear(feature_map(network, image).flatten(1))
    except RuntimeError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Sliding:
    """One dense pass beside the classifier on crops at the same stride.

    Attributes:
        dense: float32 `[C, h, w]`, the score map.
        crops: float32 `[C, h, w]`, the classifier's logits for the crop about each cell.
        dense_seconds: For the one pass.
        crop_seconds: For all crops.
    """

    dense: Tensor
    crops: Tensor
    dense_seconds: float
    crop_seconds: float


@torch.inference_mode()
def slide(network: Conv1x1Segmenter, image: Tensor, crop: int) -> Sliding:
    """Classify a crop about every cell, and compare with one pass of the dense classifier.

    The two maps are alike and not equal: the classifier averages over its crop, and sees padding where the crop ends.

    Args:
        network: In `eval` mode.
        image: Normalised, `[3, H, W]`, both multiples of the stride.
        crop: Side of the crops, pixels, a multiple of the stride.
    """
    start = time.perf_counter()
    dense = network.score_map(image[None])[0]
    dense_seconds = time.perf_counter() - start
    rows, columns = dense.shape[1:]
    margin = (crop - network.stride) // 2
    around = F.pad(image[None], (margin, crop - margin, margin, crop - margin), mode="replicate")[0]
    start = time.perf_counter()
    windows = around.unfold(1, crop, network.stride)[:, :rows].unfold(2, crop, network.stride)[:, :, :columns]
    crops = windows.permute(1, 2, 0, 3, 4).flatten(0, 1)
    logits = torch.cat([network.classify(part) for part in crops.split(_AT_ONCE)])
    return Sliding(dense, logits.T.view(-1, rows, columns), dense_seconds, time.perf_counter() - start)
