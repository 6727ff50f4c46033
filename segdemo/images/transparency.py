"""The one transparent colour of a PNG (its tRNS chunk) where Pillow takes its value for another one's."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFile

SCALES = {"L;2": 85, "L;4": 17}
"""Factors by which Pillow stretches a PNG's greys of 2 and 4 bits to 0–255, but not the transparent one."""

_DEEP, _LOW_BYTES = "RGB;16B", "RGB;16L"  # the same bytes, read in the other order


def layout(image: ImageFile.ImageFile) -> str:
    """Say how an image's pixels lie in its file, as Pillow names that; known until they are decoded."""
    arguments = image.tile[0][3] if image.tile else ""
    return arguments if isinstance(arguments, str) else ""


def mend(image: Image.Image, stored: str, again: Callable[[], ImageFile.ImageFile]) -> None:
    """Let the transparent colour of a decoded PNG of some `layout` be the one that the file means.

    `again` opens the same file once more.
    """
    colour = image.info.get("transparency")
    if colour is None:
        return
    if stored in SCALES:
        image.info["transparency"] = colour * SCALES[stored]
    elif stored == _DEEP:  # Pillow keeps the high bytes alone, and other colours may share them
        lower = again()
        lower.tile = [lower.tile[0]._replace(args=_LOW_BYTES)]
        colour = np.array(colour, np.uint16)
        same = (np.asarray(image) == colour >> 8).all(-1) & (np.asarray(lower) == (colour & 255)).all(-1)
        del image.info["transparency"]
        image.putalpha(Image.fromarray(np.where(same, np.uint8(0), np.uint8(255))))
