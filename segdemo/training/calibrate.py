"""Setting how readily a trained network says "background"."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from segdemo.checkpoints import load, save
from segdemo.models import SegmentationNetwork
from segdemo.training.data import CLASSES, Pets
from segdemo.training.metrics import confusion_matrix, summarise
from segdemo.training.validate import evaluating, score, validate_outputs

SHIFTS = tuple(step / 5 for step in range(-5, 26))
"""Of the background's score, natural logarithm of the odds."""


def best_shift(scores: Tensor, labels: Tensor, shifts: tuple[float, ...] = SHIFTS) -> float:
    """Find the shift of the background's score that gives the highest mIoU.

    A loss that weighs the classes against each other, and photos that all show a pet, leave a network too ready to see
    one.

    Args:
        scores: `[N, C, H, W]`, class 0 the background.
        labels: uint8 `[N, H, W]`.
        shifts: Those to try; of equally good ones the smallest is taken.
    """

    def miou(shift: float) -> float:
        moved = torch.cat((scores[:, :1] + shift, scores[:, 1:]), 1)
        return summarise(confusion_matrix(moved.argmax(1), labels, len(CLASSES)), CLASSES)["miou"]

    return max(sorted(shifts, key=abs), key=miou)


def shift_background(network: SegmentationNetwork, shift: float) -> None:
    """Add to the background's score everywhere, by the bias of the layer `score`, in place."""
    with torch.no_grad():
        network.score.bias[0] += shift


def calibrate(path: Path, held_out: Pets) -> float:
    """Shift the background's score of a checkpoint to what is best on held-out photos, and write it back.

    Args:
        path: The checkpoint; its metadata gets `background_shift` in the recipe and the new held-out figures.
        held_out: Photos that the network was not trained on, and will not be reported on.

    Returns:
        The shift that was added.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    network, metadata = load(path)
    with evaluating(network):
        scores = torch.cat([found for _, _, found in score(network, held_out, metadata.analysis_size)])
    shift = best_shift(scores, held_out.labels)
    shift_background(network, shift)
    figures = validate_outputs(network, metadata.recipe["name"], held_out, metadata.analysis_size)
    total = round(metadata.recipe.get("background_shift", 0.0) + shift, 2)
    save(path, network, replace(metadata, metrics=figures, recipe={**metadata.recipe, "background_shift": total}))
    return shift
