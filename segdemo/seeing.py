"""How a network sees a photo: at which size, and with which colours."""

from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from segdemo.metadata import Metadata
from segdemo.safe_files import quoted

MIN_ANALYSIS_SIZE, MAX_ANALYSIS_SIZE = 32, 1024
FULL = "full"
"""Stands for the photo's own longer side as the analysis size."""
AnalysisSize = int | Literal["full"] | None


def check_analysis_size(longer_side: int, photo_side: int = 0) -> None:
    """Accept an analysis size, in pixels, that a network can work at.

    Beyond the usual bound, up to the photo's own longer side, there is more to see.

    Raises:
        ValueError: It is too small or too large; the message names the bounds.
    """
    most = max(MAX_ANALYSIS_SIZE, photo_side)
    if not MIN_ANALYSIS_SIZE <= longer_side <= most:
        own = ", the photo's own longer side" if most > MAX_ANALYSIS_SIZE else ""
        raise ValueError(
            f"The analysis size is {quoted(longer_side)} pixels; it must lie between {MIN_ANALYSIS_SIZE} and "
            f"{most}{own}."
        )


def longer_side(analysis_size: AnalysisSize, usual: int, photo_side: int = 0) -> int:
    """Give the pixels of a photo's longer side as a network sees it: usual ones, those asked for, or its own.

    `photo_side` is the photo's own longer side; 0 where none has more to see.

    Raises:
        ValueError: It is out of range.
    """
    if analysis_size == FULL:
        return max(MIN_ANALYSIS_SIZE, photo_side)
    pixels = usual if analysis_size is None else analysis_size
    check_analysis_size(pixels, photo_side)
    return pixels


def fit(size: tuple[int, int], longer_side: int) -> tuple[int, int]:
    """Scale a width and height so that the longer one is `longer_side`; neither falls below 1."""
    scale = longer_side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def normalised(image: Image.Image, size: tuple[int, int], metadata: Metadata) -> Tensor:
    """Resize an upright RGB photo and bring its colours to the range that a network takes: float32 `[3, H, W]`."""
    pixels = torch.from_numpy(np.array(image.resize(size, Image.Resampling.BILINEAR))).permute(2, 0, 1)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (metadata.mean, metadata.std))
    return (pixels.float() / 255 - mean) / std
