"""Sharper edges: probabilities upsampled with the photo as guide."""

import time
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from segdemo.segmentation import MANY_CLASSES, Segmentation

LONGER_SIDE = 768  # pixels at which the edges are sought; a larger photo's are interpolated from there
_REACH = 5.0  # analysed pixels from which the guide's edges draw the probabilities' edges to themselves
_SMOOTHNESS = 1e-4  # variance of the photo, 0–1, below which a window counts as flat


def refine_edges(segmentation: Segmentation, image: Image.Image) -> Segmentation:
    """Move the edges of the probabilities to those of the photo.

    Source: He, Sun, Tang, "Guided Image Filtering", PAMI 2013.

    Args:
        segmentation: Of this photo; left as it is. One of very many classes is given back unchanged.
        image: The photo, upright RGB.

    Returns:
        A segmentation whose `scores` are the logarithms of the refined probabilities.
    """
    if len(segmentation.classes) > MANY_CLASSES:
        return segmentation
    from kornia.filters import guided_blur  # noqa: PLC0415 - half a second that most visitors need not wait for

    start = time.perf_counter()
    scale = min(1.0, LONGER_SIDE / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    guide = _as_tensor(image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))
    probabilities = segmentation.probabilities((width, height))
    reach = max(1, round(_REACH * max(width, height) / max(segmentation.analysis_size)))
    # Class by class: the filter needs a dozen maps for each.
    refined = [
        guided_blur(guide, each[None, None], 2 * reach + 1, _SMOOTHNESS, border_type="replicate", separable=True)[0, 0]
        for each in probabilities
    ]
    scores = torch.stack(refined).clamp(1e-6, 1).log()
    milliseconds = {**segmentation.milliseconds, "refine": (time.perf_counter() - start) * 1000}
    return replace(segmentation, scores=scores, extent=(width, height), milliseconds=milliseconds)


def _as_tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div_(255)[None]
