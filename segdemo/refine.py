"""Sharper edges: probabilities upsampled with the photo as guide."""

import time
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from segdemo.segmentation import MANY_CLASSES, Segmentation

LONGER_SIDE = 768  # pixels at which the edges are sought; a larger photo's are interpolated from there
_REACH = 5.0  # analysed pixels from which the guide's edges draw the probabilities' edges to themselves
_SMOOTHNESS = 1e-4  # variance of the photo, 0–1, below which a window counts as flat


def refine_edges(segmentation: Segmentation, image: Image.Image) -> Segmentation:
    """Move the edges of a segmentation's probabilities to those of its photo, upright RGB.

    Source: He, Sun, Tang, "Guided Image Filtering", PAMI 2013.

    Returns:
        A segmentation whose `scores` are the logarithms of the refined probabilities; one of very many classes
        unchanged.
    """
    if len(segmentation.classes) > MANY_CLASSES:
        return segmentation
    start = time.perf_counter()
    scale = min(1.0, LONGER_SIDE / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    guide = _as_tensor(image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))
    probabilities = segmentation.probabilities((width, height))
    reach = max(1, round(_REACH * max(width, height) / max(segmentation.analysis_size)))
    scores = guided_filter(guide, probabilities, reach, _SMOOTHNESS).clamp(1e-6, 1).log()
    milliseconds = {**segmentation.milliseconds, "refine": (time.perf_counter() - start) * 1000}
    return replace(segmentation, scores=scores, extent=(width, height), milliseconds=milliseconds)


def guided_filter(guide: Tensor, maps: Tensor, reach: int, smoothness: float) -> Tensor:
    """Fit each map, in every window, by a linear function of the guide's colours, and take the mean of the fits.

    Source: He, Sun, Tang, "Guided Image Filtering", ECCV 2010, section 3.4. Written here, since it is all that would be
    needed of a library of hundreds of filters.

    Args:
        guide: Colours, `[3, H, W]`.
        maps: What is filtered, `[C, H, W]`.
        reach: Pixels of a window to each side of its middle.
        smoothness: Variance of the guide below which a window counts as flat.

    Returns:
        float32 `[C, H, W]`.
    """
    guide = guide.double()  # variances are small differences of large numbers
    mean = _window_means(guide, reach)
    products = _window_means((guide[:, None] * guide).flatten(0, 1), reach).view(3, *guide.shape)
    variance = (products - mean[:, None] * mean).permute(2, 3, 0, 1)
    inverse = torch.linalg.inv(variance + smoothness * torch.eye(3))
    filtered = []
    for each in maps.double():  # one by one: a dozen maps are needed for each
        average = _window_means(each[None], reach)
        covariance = _window_means(guide * each, reach) - mean * average
        slope = torch.einsum("hwij,jhw->ihw", inverse, covariance)
        offset = average - (slope * mean).sum(0)
        filtered.append((_window_means(slope, reach) * guide).sum(0) + _window_means(offset, reach)[0])
    return torch.stack(filtered).float()


def _window_means(maps: Tensor, reach: int) -> Tensor:
    """Average over the window round each pixel, border pixels repeated, by running sums: `[C, H, W]`."""
    size = 2 * reach + 1
    for _ in range(2):  # along rows, then along columns
        sums = F.pad(maps, (reach + 1, reach, 0, 0), mode="replicate").cumsum(2)
        maps = ((sums[..., size:] - sums[..., :-size]) / size).mT
    return maps


def _as_tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div_(255)
