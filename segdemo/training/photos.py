"""The training photos in memory."""

from collections.abc import Sequence

import torch
from PIL import Image
from torchvision.transforms.v2 import functional as T

from segdemo.training.augment import Labelled
from segdemo.training.datasets import IGNORE, DataSet

_LONGEST_SIDE = 512  # pixels; crops are no larger than that


class Photos:
    """The training photos in memory, labels in the network's classes, drawn from at random by each data set's share.

    Raises:
        DataError: A photo or mask is not as it should be; the message names it.
    """

    def __init__(self, datasets: Sequence[DataSet], shares: Sequence[float]) -> None:
        self.sets = [[_in_memory(*labelled) for labelled in dataset] for dataset in datasets]
        self.shares = torch.tensor(shares)
        # By data set and by the class that fills most of a photo, background aside: the photos' places.
        self.groups = [list(_by_object(photos).values()) for photos in self.sets]

    def draw(self, count: int, balanced: bool = False) -> list[Labelled]:
        """Draw labelled photos, with replacement.

        If balanced, each object class of a data set comes equally often, however many photos show it.
        """
        drawn = []
        for chosen in torch.multinomial(self.shares, count, replacement=True).tolist():
            photos, groups = self.sets[chosen], self.groups[chosen]
            places = groups[int(torch.randint(len(groups), ()))] if balanced else range(len(photos))
            drawn.append(photos[places[int(torch.randint(len(places), ()))]])
        return drawn


def _in_memory(photo: Image.Image, labels: object) -> Labelled:
    pixels, indices = T.pil_to_tensor(photo), torch.as_tensor(labels)[None]
    if max(photo.size) > _LONGEST_SIDE:
        size = [max(1, round(side * _LONGEST_SIDE / max(photo.size))) for side in (photo.height, photo.width)]
        pixels = T.resize(pixels, size, antialias=True)
        indices = T.resize(indices, size, T.InterpolationMode.NEAREST)
    return pixels, indices[0]


def _by_object(photos: Sequence[Labelled]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for place, (_, labels) in enumerate(photos):
        counts = torch.bincount(labels.flatten().long(), minlength=IGNORE + 1)[1:IGNORE]
        groups.setdefault(int(counts.argmax()) + 1 if counts.any() else 0, []).append(place)
    return groups
