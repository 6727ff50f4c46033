"""An FCN's learned upsampling beside others on the same scores, and where the plaid pattern comes from.

Source: Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.
"""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from segdemo.models.fcn import FCN, Upscore
from segdemo.models.initialisation import he_
from segdemo.models.network import pad_to_multiple

WAYS = ("learned", "bilinear", "nearest", "random")
STRIDE = 8


@dataclass(frozen=True)
class Upsampled:
    """FCN-8s's score map, brought to the image's size in one way.

    Attributes:
        scores: float32 `[C, H, W]`.
        plaid: Share of the scores' variance within cells that is the same in every cell, 0 to 1.
        changed: Share of pixels to which it gives another class than the learned way.
    """

    scores: Tensor
    plaid: float
    changed: float


@torch.inference_mode()
def compare(network: FCN, image: Tensor) -> dict[str, Upsampled]:
    """Upsample the score map of an FCN-8s in `eval` mode for a normalised image `[3, H, W]`, in each of `WAYS`."""
    height, width = image.shape[1:]
    score_map = network.score_maps(pad_to_multiple(image[None], network.size_multiple))[STRIDE]
    ways = {way: upsample(network.upscore8, score_map, way)[0, :, :height, :width] for way in WAYS}
    learned = ways["learned"].argmax(0)
    return {
        way: Upsampled(scores, plaid_share(scores, STRIDE), float((scores.argmax(0) != learned).float().mean()))
        for way, scores in ways.items()
    }


def upsample(learned: Upscore, score_map: Tensor, way: str) -> Tensor:
    """Upsample scores by 8 in one of `WAYS`: `[N, C, h, w]` → `[N, C, 8·h, 8·w]`.

    `random` is a layer like the learned one that nobody trained.
    """
    if way in ("bilinear", "nearest"):
        return F.interpolate(score_map, scale_factor=STRIDE, mode=way)
    if way == "learned":
        return learned(score_map)
    layer = copy.deepcopy(learned)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        he_(layer)
    return layer(score_map)


def plaid_share(scores: Tensor, stride: int) -> float:
    """Measure the pattern of scores `[C, H, W]` that repeats with every cell of `stride` pixels: 0 to 1.

    From each cell's pixels their mean is taken away. What is left, averaged over all cells for each of the stride²
    places in a cell, is the pattern; its share is its mean square over that of all that was left, 0 where nothing
    varies within cells.
    """
    channels, height, width = scores.shape
    rows, columns = height // stride, width // stride
    if not rows or not columns:
        return 0.0
    cells = scores[:, : rows * stride, : columns * stride].reshape(channels, rows, stride, columns, stride)
    inside = cells - cells.mean((2, 4), keepdim=True)
    total = float(inside.square().mean())
    return float(inside.mean((1, 3)).square().mean()) / total if total > 1e-12 else 0.0  # noqa: PLR2004
