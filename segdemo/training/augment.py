"""Random changes to labelled photos: each is cropped and coloured, then some are laid over others of the batch."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from segdemo.training.datasets import IGNORE
from segdemo.training.recipe import Phase
from segdemo.training.structures import draw_structures

Labelled = tuple[Tensor, Tensor]
"""A photo, uint8 `[3, H, W]`, and its labels, uint8 `[H, W]`."""

_HOLE = 253  # a label: nothing is here yet
_THINNEST = 0.1  # strip of background, as a share of the photo's shorter side
_LEAST_OBJECT = 0.01  # share of the crop that an object must fill to be cut out


def single_changes(phase: Phase, side: int | None = None) -> v2.Transform:
    """Make the changes of one photo: its place and size in the crop of some pixels a side, mirroring, colours, blur.

    Some photos are data sets' small ones, enlarged, others are sharp. Blur keeps the network from telling them apart.
    """
    return v2.Compose(
        [
            v2.RandomZoomOut({tv_tensors.Image: 0, tv_tensors.Mask: _HOLE}, (1.2, phase.zoom_out), p=phase.distant),
            v2.RandomResizedCrop(side or phase.image_size, phase.area, phase.aspect, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(0.3, 0.3, 0.3, 0.03),
            v2.RandomGrayscale(0.05),
            v2.RandomApply([v2.GaussianBlur(7, (0.3, 2.5))], 0.3),
        ]
    )


def make_batch(samples: Sequence[Labelled], changes: v2.Transform, phase: Phase) -> tuple[Tensor, Tensor]:
    """Crop and change photos, fill what lies outside with other photos of the batch, and lay objects over others.

    Sources of the ideas: Yun et al., "CutMix", ICCV 2019; Ghiasi et al., "Simple Copy-Paste is a Strong Data
    Augmentation Method for Instance Segmentation", CVPR 2021.

    Returns:
        Photos float32 `[N, 3, S, S]`, 0 to 1, and labels int64 `[N, S, S]`.
    """
    samples = [beside_objects(each) if torch.rand(()) < phase.beside else each for each in samples]
    changed = [changes(tv_tensors.Image(photo), tv_tensors.Mask(labels)) for photo, labels in samples]
    images = torch.stack([photo.as_subclass(Tensor) for photo, _ in changed]).float() / 255
    labels = torch.stack([mask.as_subclass(Tensor) for _, mask in changed]).long()
    if phase.structures:
        images, labels = draw_structures(images, labels, phase.structures)
    return fill_holes(images, cut_out(labels, phase.pasted))


def beside_objects(sample: Labelled) -> Labelled:
    """Cut a photo to the largest strip beside its objects; one with thin strips alone stays whole."""
    photo, labels = sample
    (height, width), found = labels.shape, labels.nonzero()
    if not len(found):
        return sample
    (top, left), (bottom, right) = found.amin(0).tolist(), (found.amax(0) + 1).tolist()
    strips = [(0, top, 0, width), (bottom, height, 0, width), (0, height, 0, left), (0, height, right, width)]
    top, bottom, left, right = max(strips, key=lambda strip: (strip[1] - strip[0]) * (strip[3] - strip[2]))
    if min(bottom - top, right - left) < _THINNEST * min(height, width):
        return sample
    return photo[:, top:bottom, left:right], labels[top:bottom, left:right]


def cut_out(labels: Tensor, share: float) -> Tensor:
    """Turn the background of a share of the photos that show an object into holes, so that only their objects are left.

    Labels are int64 `[N, S, S]`, 0 the background.
    """
    objects = ((labels > 0) & (labels < _HOLE)).float().mean((1, 2)) > _LEAST_OBJECT
    chosen = objects & (torch.rand(len(labels)) < share)
    return labels.masked_fill(chosen[:, None, None] & (labels == 0), _HOLE)


def fill_holes(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Fill each photo's holes with what lies there in the next one of the batch; what is a hole in both has no label.

    Photos are `[N, 3, S, S]`, labels int64 `[N, S, S]`.
    """
    for _ in range(2):
        holes, below = labels == _HOLE, labels.roll(1, 0)
        images = torch.where(holes[:, None], images.roll(1, 0), images)
        labels = torch.where(holes, below, labels)
    return images, labels.masked_fill(labels == _HOLE, IGNORE)
