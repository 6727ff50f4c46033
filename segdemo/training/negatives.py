"""Pictures of anything but cats and dogs, against which a segmenter learns that not all that stands out is a pet."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from segdemo.training.data import DataError

_OPAQUE = 128  # alpha from which a pixel belongs to the thing
_LEAST = 0.04  # share of its square that a cut-out covers at least


@dataclass(frozen=True)
class Negatives:
    """Pictures without a pet as tensors.

    Attributes:
        photos: uint8 `[P, 3, S, S]`, whole pictures.
        cutouts: uint8 `[K, 4, S, S]`, single things: RGB and alpha, 255 where the thing is.
    """

    photos: Tensor
    cutouts: Tensor

    def to(self, device: torch.device) -> "Negatives":
        """Move to a device."""
        return Negatives(self.photos.to(device), self.cutouts.to(device))

    def describe(self) -> str:
        """Say what they are, for the log and the card."""
        return f"{len(self.photos)} pictures and {len(self.cutouts)} cut-outs without a pet"


def load_negatives(folder: Path, size: int = 128) -> Negatives:
    """Decode all pictures below a folder into memory; 128 px take about 64 KB a picture.

    A picture with transparent parts is a cut-out: its thing is fitted into a square. Any other is a photo, squashed to
    a square as the pets' photos are. Files that are no pictures are passed over.

    Args:
        folder: Searched to any depth, in the order of the paths.
        size: Side of the squares, pixels.

    Returns:
        All of them.

    Raises:
        DataError: There is not one picture of each kind.
    """
    photos, cutouts = [], []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        try:
            with Image.open(path) as image:
                picture = image.convert("RGBA")
        except (UnidentifiedImageError, OSError, ValueError):
            continue
        if picture.getextrema()[3][0] < _OPAQUE:
            cutout = _fit(picture, size)
            if (cutout[..., 3] >= _OPAQUE).mean() >= _LEAST:
                cutouts.append(cutout)
        else:
            photos.append(np.array(picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)))
    if not photos or not cutouts:
        raise DataError(f"{folder} needs pictures, some of them with transparent parts")
    return Negatives(_stack(photos), _stack(cutouts))


def _fit(picture: Image.Image, size: int) -> np.ndarray:
    """Put what is not transparent into the middle of a square, `[size, size, 4]`."""
    box = picture.getchannel("A").point(lambda alpha: 255 * (alpha >= _OPAQUE)).getbbox()
    square = Image.new("RGBA", (size, size))
    if box is not None:
        width, height = box[2] - box[0], box[3] - box[1]
        scale = size / max(width, height)
        fitted = max(1, round(width * scale)), max(1, round(height * scale))
        thing = picture.crop(box).resize(fitted, Image.Resampling.BICUBIC)
        square.paste(thing, ((size - fitted[0]) // 2, (size - fitted[1]) // 2))
    return np.array(square)


def _stack(pictures: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
