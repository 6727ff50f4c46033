"""Photos from anywhere, as upright RGB images: the only place that decodes.

Files are decoded by helper processes (`pool`), since one of a few bytes may ask for hours or for gigabytes.
"""

import os
import re
from pathlib import Path

import numpy as np
from PIL import Image

from segdemo.images.errors import ImageError
from segdemo.images.pool import MEGABYTES, POOL, SECONDS, Decoded

__all__ = ["MAX_PIXELS", "MEGABYTES", "SECONDS", "ImageError", "read_image", "read_mask", "read_reduced"]

MAX_PIXELS = 50_000_000
"""A phone's 48-megapixel photo passes."""

_LONGEST_NAME = 80


def read_image(source: str | Path | bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a photo and turn it upright.

    JPEG (also phones' MPO), PNG, WebP, GIF, TIFF and BMP are read; AVIF where Pillow can, from 11.3 on; HEIC where
    pillow-heif is installed. Of several frames the first counts.

    Transparent parts become white. Colours of an embedded profile become sRGB's. Greys of more than 8 bits are scaled:
    16-bit ones from 0–65535 and 12-bit ones from 0–4095; 32-bit integers from the least of 0–255 and 0–65535 that holds
    them, floats from the least of 0–1 and 0–255 that does, and either from their own least to their own greatest value
    where none does. NaN becomes black; infinities become black and white.

    Args:
        source: A path, or the file's content.
        max_pixels: Width times height, as the file's header has it; a larger photo is refused before it is decoded.

    Returns:
        RGB, without metadata.

    Raises:
        ImageError: The file is missing, empty, damaged, too large, or no image in one of these formats, or decoding it
            takes more than `SECONDS` or `MEGABYTES`.
    """
    return _decoded("photo", source, max_pixels).image


def read_reduced(source: str | Path | bytes, longer_side: int) -> tuple[Image.Image, tuple[int, int]]:
    """Decode no more of a photo than is needed: `read_image` for those who make a smaller picture of it anyway.

    A JPEG is decoded at a half, a quarter or an eighth of its size where `longer_side` pixels are enough, which saves
    most of the time and of the memory that a photo of many megapixels takes. Other formats have no such way. A smaller
    photo is not enlarged.

    Returns:
        RGB, and the photo's own width and height, upright.

    Raises:
        ImageError: As `read_image` does.
    """
    return _decoded("photo", source, MAX_PIXELS, longer_side)


def read_mask(source: str | Path | bytes) -> np.ndarray:
    """Decode an index mask: the values as they are stored, a palette's colours aside, turned as its photo is.

    Returns:
        uint8 `[H, W]`, or uint16 where the file has 16 bits a pixel.

    Raises:
        ImageError: The file is missing, empty, damaged or too large, or it is no image of one whole number a pixel.
    """
    return np.array(_decoded("mask", source, MAX_PIXELS).image)


def _decoded(kind: str, source: str | Path | bytes, max_pixels: int, longer_side: int | None = None) -> Decoded:
    request = {"kind": kind, "max_pixels": max_pixels, "longer_side": longer_side}
    if isinstance(source, bytes):
        return POOL.decode({**request, "name": "The mask" if kind == "mask" else "The image"}, source)
    name = _printable_name(Path(source))
    is_address = re.match(r"[a-z]{3,}:/", str(source), re.IGNORECASE)  # longer than the letter of a drive
    if is_address and not os.path.isfile(source):  # noqa: PTH113 - never raises; a folder may end in a colon too
        raise ImageError(f"{name} is a web address: save the photo as a file first.")
    try:
        path = os.path.abspath(source)  # noqa: PTH100 - as it is, links and all; a helper may be in another folder
    except (OSError, ValueError) as error:
        raise ImageError(f"{name} cannot be opened.") from error
    return POOL.decode({**request, "name": name, "path": path})


def _printable_name(path: Path) -> str:
    name = "".join(letter if letter.isprintable() else "?" for letter in path.name)
    return name[:_LONGEST_NAME] or "The file"
