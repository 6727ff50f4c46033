"""Measuring a network in training on photos in memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models import SegmentationNetwork
from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.models.fcn import FCN, STRIDES
from segdemo.training.data import CLASSES, Pets
from segdemo.training.metrics import confusion_matrix, summarise
from segdemo.training.tasks import normalise


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network in `eval` mode without gradients, and back in the mode it was in."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def score(
    network: SegmentationNetwork, pets: Pets, size: int, batch_size: int = 32
) -> Iterator[tuple[Pets, Tensor, Tensor]]:
    """Run a network over photos in memory.

    Args:
        network: Any segmentation network, in the mode that it is to run in.
        pets: The photos.
        size: Side at which the network sees them, pixels.
        batch_size: Photos at a time.

    Returns:
        An iterator over batches: the photos, what the network saw of them, and its scores at their labels' resolution.
    """
    device = next(network.parameters()).device
    for rows in torch.arange(len(pets)).split(batch_size):
        batch = pets[rows]
        images = F.interpolate(batch.images.float() / 255, (size, size), mode="bilinear", antialias=True)
        images = normalise(images).to(device)
        yield batch, images, F.interpolate(network(images), batch.labels.shape[-2:], mode="bilinear")


def validate(network: SegmentationNetwork, pets: Pets, size: int, batch_size: int = 32) -> dict[str, object]:
    """Measure a network on photos in memory, at their labels' resolution.

    Args:
        network: Any segmentation network.
        pets: The photos.
        size: Side at which the network sees them, pixels.
        batch_size: Photos at a time.

    Returns:
        What `metrics.summarise` gives; for a classifier's twin also `image_accuracy`, cat against dog.
    """
    confusion = torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)
    correct = 0
    with evaluating(network):
        for batch, images, scores in score(network, pets, size, batch_size):
            confusion += confusion_matrix(scores.argmax(1).cpu(), batch.labels, len(CLASSES))
            if isinstance(network, Conv1x1Segmenter):
                animal = network.classify(images)[:, 1:].argmax(1).cpu() + 1
                correct += (animal == batch.species).sum().item()
    figures = summarise(confusion, CLASSES)
    return (
        {**figures, "image_accuracy": correct / max(len(pets), 1)} if isinstance(network, Conv1x1Segmenter) else figures
    )


def validate_outputs(network: SegmentationNetwork, name: str, pets: Pets, size: int) -> dict[str, dict[str, object]]:
    """Measure every output that a network was trained with.

    Args:
        network: An FCN is measured at each of its strides, any other network once.
        name: Under which a network of one output appears.
        pets: The photos.
        size: Side at which the network sees them, pixels.

    Returns:
        What `validate` gives, by `fcn32s`, `fcn16s`, `fcn8s` or the name.
    """
    if not isinstance(network, FCN):
        return {name: validate(network, pets, size)}
    chosen, figures = network.stride, {}
    for stride in STRIDES:
        network.stride = stride
        figures[f"fcn{stride}s"] = validate(network, pets, size)
    network.stride = chosen
    return figures
