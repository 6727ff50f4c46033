"""Photos to measure with, made from random numbers."""

from pathlib import Path

import numpy as np
from PIL import Image

_COARSE = 24  # cells along the longer side: blurred enough to compress like a photo


def write_photo(path: Path, width: int, height: int, seed: int = 0) -> Path:
    """Write a JPEG of coloured clouds with some grain.

    Args:
        path: Where.
        width: Pixels.
        height: Pixels.
        seed: Other seeds make other photos.

    Returns:
        The path.
    """
    random = np.random.default_rng(seed)
    clouds = random.integers(0, 256, (_COARSE, _COARSE, 3), dtype=np.uint8)
    grain = random.integers(-8, 9, (64, 64, 1), dtype=np.int16)
    image = Image.fromarray(clouds).resize((width, height), Image.Resampling.BICUBIC)
    for top in range(0, height, 1024):  # in bands, to stay small in memory
        band = image.crop((0, top, width, min(top + 1024, height)))
        pixels = np.asarray(band, np.int16)
        tiled = np.tile(grain, (-(-pixels.shape[0] // 64), -(-width // 64), 1))[: pixels.shape[0], :width]
        image.paste(Image.fromarray((pixels + tiled).clip(0, 255).astype(np.uint8)), (0, top))
    image.save(path, quality=90)
    return path
