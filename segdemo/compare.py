"""Several networks on one photo: where they agree, and how each fares against a true mask."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from segdemo.segmentation import Segmentation

_BYTE = 255
_WORD = 65535


def ignored_value(segmentation: Segmentation) -> int:
    """Give the value of a true mask that means "leave out": 255, or 65,535 where 255 is a class of the network."""
    return _BYTE if len(segmentation.classes) <= _BYTE else _WORD


def left_out(segmentation: Segmentation, truth: np.ndarray) -> float:
    """Give the share of a true mask that a score leaves out."""
    return float((truth == ignored_value(segmentation)).mean())


def _named(segmentation: Segmentation, names: Sequence[str], size: tuple[int, int]) -> np.ndarray:
    """Give a class map whose indices are those of a list of names that all networks share."""
    table = np.array([names.index(name) for name in segmentation.classes], np.int32)
    return table[segmentation.class_map(size)]


def _maps(segmentations: Sequence[Segmentation], size: tuple[int, int]) -> np.ndarray:
    names = sorted({name for segmentation in segmentations for name in segmentation.classes})
    return np.stack([_named(segmentation, names, size) for segmentation in segmentations])


def agreement(segmentations: Sequence[Segmentation], size: tuple[int, int] | None = None) -> float:
    """Give the share of pixels, at a size or the photo's own, to which all networks give the class of one name."""
    return float(1 - disagreement(segmentations, size).mean())


def disagreement(segmentations: Sequence[Segmentation], size: tuple[int, int] | None = None) -> np.ndarray:
    """Mark the pixels on which not all networks agree: bool `[H, W]`."""
    maps = _maps(segmentations, size or segmentations[0].image_size)
    return (maps != maps[0]).any(0)


def pairwise_agreement(segmentations: Sequence[Segmentation], size: tuple[int, int]) -> dict[tuple[str, str], float]:
    """Give the agreement of each two networks, by their names."""
    maps = dict(zip((each.network for each in segmentations), _maps(segmentations, size), strict=True))
    return {(a, b): float((maps[a] == maps[b]).mean()) for a, b in combinations(maps, 2)}


def iou_by_class(segmentation: Segmentation, truth: np.ndarray) -> dict[str, float | None]:
    """Measure a network against a true mask `[H, W]` of its classes' indices; `ignored_value` is left out.

    Returns:
        Intersection over union by class name; None for a class that is neither there nor found.

    Raises:
        ValueError: The mask has another size than the photo, or holds an index that is no class; or something is left
            out and what remains holds no class but the background, as of a mask whose values are 0 and 255.
    """
    width, height = segmentation.image_size
    if truth.shape != (height, width):
        raise ValueError(f"The mask is {truth.shape[1]}×{truth.shape[0]} pixels, the photo {width}×{height}.")
    counted = truth != ignored_value(segmentation)
    found, wanted = segmentation.class_map()[counted], truth[counted]
    if wanted.size < truth.size and not wanted[wanted >= int(segmentation.has_background)].size:
        raise ValueError(
            f"No class but the background is in the mask, since {ignored_value(segmentation)} means “leave out”. "
            f"Give each class its index, such as {len(segmentation.classes) - 1} for {segmentation.classes[-1]}."
        )
    if wanted.size and wanted.max() >= len(segmentation.classes):
        highest = len(segmentation.classes) - 1
        raise ValueError(f"The mask holds the value {wanted.max()}; {segmentation.network} knows 0 to {highest}.")
    result: dict[str, float | None] = {}
    for index, name in enumerate(segmentation.classes):
        either = ((found == index) | (wanted == index)).sum()
        result[name] = float(((found == index) & (wanted == index)).sum() / either) if either else None
    return result


def mean_iou(by_class: Mapping[str, float | None]) -> float:
    """Average over the classes that occur; NaN where none does."""
    values = [iou for iou in by_class.values() if iou is not None]
    return float(np.mean(values)) if values else float("nan")
