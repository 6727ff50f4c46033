"""Photos to measure with, made from random numbers."""

from pathlib import Path

import numpy as np
from PIL import Image

_COARSE = 24  # cells along the longer side: blurred enough to compress like a photo


def write_photo(path: Path, width: int, height: int, seed: int = 0) -> Path:
    """Write a JPEG of coloured clouds, other ones by seed, with some grain, and give its path."""
    cells = np.random.default_rng(seed).integers(0, 256, (_COARSE, _COARSE, 3), dtype=np.uint8)
    clouds = Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.effect_noise(clouds.size, 50).convert("RGB")
    Image.blend(clouds, grain, 0.1).save(path, quality=90)
    return path
