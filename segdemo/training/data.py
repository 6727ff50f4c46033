"""The Oxford-IIIT Pet dataset as tensors: photos, labels and species, decoded once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, Subset
from torchvision.datasets import OxfordIIITPet

CLASSES = ("background", "cat", "dog")
CAT, DOG = 1, 2
IGNORE = 255
_TRIMAP_PET, _TRIMAP_BORDER = 1, 3
# One photo in twenty, by position in the split's list, is kept out of training to choose settings by.
_HELD_OUT_EVERY = 20


class DataError(ValueError):
    """The folder does not hold the dataset; the message says what to do."""


def _held_out(count: int) -> Tensor:
    return torch.arange(count) % _HELD_OUT_EVERY == _HELD_OUT_EVERY - 1


def labels_from_trimap(trimap: np.ndarray, species: int) -> np.ndarray:
    """Turn a trimap (1 pet, 2 background, 3 border) into class indices.

    Args:
        trimap: uint8 `[H, W]`.
        species: The class index that pet pixels get.

    Returns:
        uint8 `[H, W]`: 0 background, `species` pet, 255 border, which no loss and no metric counts.
    """
    labels = np.zeros_like(trimap)
    labels[trimap == _TRIMAP_PET] = species
    labels[trimap == _TRIMAP_BORDER] = IGNORE
    return labels


def open_pets(root: Path, split: str, download: bool = False) -> Dataset:
    """Open a split of the dataset.

    Args:
        root: The folder that holds `oxford-iiit-pet/`.
        split: `trainval`, `test`, or `held-out`: the part of trainval that training leaves out.
        download: Fetch the original (about 800 MB) if it is not there.

    Returns:
        Items of (photo, (0 for cat or 1 for dog, trimap)).

    Raises:
        DataError: The dataset is not there and was not to be fetched.
    """
    listed = "trainval" if split == "held-out" else split
    try:
        pets = OxfordIIITPet(str(root), listed, ["binary-category", "segmentation"], download=download)
    except (FileNotFoundError, RuntimeError) as error:
        raise DataError(f"no oxford-iiit-pet folder in {root}: name another with --data or add --download") from error
    return Subset(pets, _held_out(len(pets)).nonzero().flatten().tolist()) if split == "held-out" else pets


def labelled_photos(root: Path, split: str, download: bool = False) -> Iterator[tuple[Image.Image, np.ndarray, int]]:
    """Go through a split at its own resolution.

    Returns:
        An iterator over the photos (RGB), each with its labels (uint8 `[H, W]`, see `labels_from_trimap`) and its
        species (1 cat, 2 dog).

    Raises:
        DataError: The dataset is not there; said at once, before the first photo is asked for.
    """
    pets = open_pets(root, split, download)

    def labelled(photo: Image.Image, is_dog: int, trimap: Image.Image) -> tuple[Image.Image, np.ndarray, int]:
        species = DOG if is_dog else CAT
        return photo, labels_from_trimap(np.asarray(trimap), species), species

    return (labelled(photo, *target) for photo, target in (pets[index] for index in range(len(pets))))


@dataclass(frozen=True)
class Pets:
    """Photos of one size as tensors.

    Attributes:
        images: uint8 `[N, 3, S, S]`.
        labels: uint8 `[N, S, S]`, class indices, 255 where there is none.
        species: int64 `[N]`, 1 cat, 2 dog.
    """

    images: Tensor
    labels: Tensor
    species: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Tensor) -> "Pets":
        return Pets(self.images[index], self.labels[index], self.species[index])

    def to(self, device: torch.device) -> "Pets":
        """Move to a device."""
        return Pets(self.images.to(device), self.labels.to(device), self.species.to(device))

    def split_held_out(self) -> tuple["Pets", "Pets"]:
        """Split into the photos to train on and the one in twenty to choose settings by."""
        held_out = _held_out(len(self))
        return self[~held_out], self[held_out]


def load_pets(root: Path, split: str, size: int = 128, download: bool = False) -> Pets:
    """Decode a split into memory, every photo squashed to a square; 128 px take about 64 KB a photo.

    Args:
        root: The folder that holds `oxford-iiit-pet/`.
        split: `trainval` or `test`.
        size: Side of the squares, pixels.
        download: Fetch the original if it is not there.

    Returns:
        The split in its list's order.

    Raises:
        DataError: The dataset is not there.
    """
    images, labels, species = [], [], []
    for photo, label, animal in labelled_photos(root, split, download):
        images.append(torch.from_numpy(np.array(photo.resize((size, size), Image.Resampling.BILINEAR))))
        small = Image.fromarray(label).resize((size, size), Image.Resampling.NEAREST)
        labels.append(torch.from_numpy(np.array(small)))
        species.append(animal)
    return Pets(torch.stack(images).permute(0, 3, 1, 2).contiguous(), torch.stack(labels), torch.tensor(species))
