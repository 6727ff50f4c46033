"""Segmentation metrics, all from one confusion matrix over the whole dataset."""

import torch
import torch.nn.functional as F
from torch import Tensor

from segdemo.training.datasets import IGNORE

_EDGE = 0.02  # of the diagonal


def confusion_matrix(predicted: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Count pixels by true and predicted class; of two tensors of one shape those labelled 255 are left out.

    Returns:
        int64 `[C, C]`, true class by row, predicted by column. Add up those of all images before taking a ratio.
    """
    counted = labels != IGNORE
    pairs = labels[counted].long() * num_classes + predicted[counted].long()
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


def class_iou(confusion: Tensor) -> Tensor:
    """Intersection over union of each class: float64 `[C]`, NaN for a class that is neither there nor predicted."""
    hits = confusion.diagonal().double()
    return hits / (confusion.sum(0) + confusion.sum(1) - hits)


def boundary_counts(predicted: Tensor, labels: Tensor) -> Tensor:
    """Count how far two masks, of anything that is not background, agree along their edges.

    An edge is the part of a mask within 2 % of the image's diagonal of its outside. What lies beyond the image is
    outside, as by the published definition. Unlabelled pixels count as outside of both masks, so an error is what
    happens on either side of the unlabelled border that the dataset leaves around a pet.

    Source: Cheng et al., "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation", CVPR 2021.

    Args:
        predicted: Class indices `[H, W]`.
        labels: Class indices `[H, W]`, 255 where there is none.

    Returns:
        int64 `[2]`, pixels in both edges and in either. Add up those of all images before taking the ratio.
    """
    height, width = labels.shape
    distance = max(1, round(_EDGE * (height**2 + width**2) ** 0.5))
    counted = labels != IGNORE
    ours, theirs = (_edge((mask != 0) & counted, distance) for mask in (predicted, labels))
    return torch.stack(((ours & theirs).sum(), (ours | theirs).sum()))


def _edge(mask: Tensor, distance: int) -> Tensor:
    """Take the pixels of a mask within a distance, along rows and columns, of its outside or the image's edge."""
    outside = F.pad((~mask)[None, None].float(), (distance,) * 4, value=1.0)
    near = F.max_pool2d(outside, (2 * distance + 1, 1), 1)
    near = F.max_pool2d(near, (1, 2 * distance + 1), 1)
    return mask & (near[0, 0] > 0)


def summarise(confusion: Tensor, classes: tuple[str, ...], counted: tuple[str, ...] | None = None) -> dict[str, object]:
    """Take the figures that are reported from a confusion matrix.

    Args:
        confusion: int64 `[C, C]`.
        classes: C names; a first one `background` is no object.
        counted: Those that the data set labels, by default all. A pixel of one of them that is taken for any other
            class is an error.

    Returns:
        `miou` (mean over the counted classes that occur), `class_iou` of the counted classes by name (None where one
        does not occur), `pixel_accuracy`, and where there is a background `foreground_iou` (any class but the
        background against the background), all 0 to 1.
    """
    ious = dict(zip(classes, class_iou(confusion), strict=True))
    found = {name: None if ious[name].isnan() else ious[name].item() for name in counted or classes}
    occurring = [value for value in found.values() if value is not None]
    figures: dict[str, object] = {
        "miou": sum(occurring) / max(len(occurring), 1),
        "class_iou": found,
        "pixel_accuracy": confusion.diagonal().sum().item() / max(confusion.sum().item(), 1),
    }
    if classes[0] == "background":
        union = (confusion.sum() - confusion[0, 0]).item()
        figures["foreground_iou"] = confusion[1:, 1:].sum().item() / max(union, 1)
    return figures
