"""Best quality: a photo seen at three sizes and mirrored, and the probabilities of the six passes averaged."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

import torch
from PIL import Image

from segdemo.seeing import FULL, MAX_ANALYSIS_SIZE, MIN_ANALYSIS_SIZE, AnalysisSize, longer_side
from segdemo.segmentation import Segmentation

SCALES = (1.0, 0.75, 1.5)
"""Of the analysis size; the plain one first, the largest last."""


def segment_best(
    images: list[Image.Image],
    analysis_size: AnalysisSize,
    usual: int,
    segment: Callable[[list[Image.Image], int], list[Segmentation]],
    watch: Callable[[int, int], None],
) -> list[Segmentation]:
    """Average over sizes and mirroring; the coarse scores shown stay those of the plain pass.

    Args:
        images: Upright RGB.
        analysis_size: The longer side, in pixels, round which the sizes lie; None takes the usual one.
        usual: The network's own analysis size.
        segment: Segments photos in one pass at an analysis size.
        watch: Is told before each pass how many are done, and of how many.

    Raises:
        ValueError: The analysis size is out of range.
    """
    if analysis_size == FULL:
        raise ValueError(f"Best quality is six passes: name an analysis size for it, up to {MAX_ANALYSIS_SIZE}.")
    middle = longer_side(analysis_size, usual)
    sizes = [min(max(round(middle * scale), MIN_ANALYSIS_SIZE), MAX_ANALYSIS_SIZE) for scale in SCALES]
    mirrored = [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for image in images]
    views = [(seen, size) for seen in (images, mirrored) for size in sizes]
    passes = []
    for number, (seen, size) in enumerate(views):
        watch(number, len(views))
        passes.append(segment(seen, size))
    groups = zip(*passes, strict=True)
    return [_average(group[: len(SCALES)], group[len(SCALES) :]) for group in groups]


def _average(plain: Sequence[Segmentation], mirrored: Sequence[Segmentation]) -> Segmentation:
    """Average the probabilities of several passes over one photo, on the grid of the last, which is the finest."""
    finest = plain[-1]
    # Cells may reach beyond the photo's right edge, in the mirrored one its left: a grid over just the photo fits both.
    size = ceil(finest.extent[0]), ceil(finest.extent[1])
    found = [each.probabilities(size) for each in plain] + [each.probabilities(size).flip(2) for each in mirrored]
    every = [*plain, *mirrored]
    milliseconds = {step: sum(each.milliseconds[step] for each in every) for step in plain[0].milliseconds}
    scores = torch.stack(found).mean(0).clamp_min(1e-8).log()
    return replace(plain[0], scores=scores, extent=size, milliseconds=milliseconds)
