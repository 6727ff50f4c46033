"""Measuring a network on a labelled split, as a visitor gets it: through the Segmenter, at the photo's own size."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.segmenter import Segmenter
from segdemo.training.data import CLASSES, labels_from_trimap, open_pets
from segdemo.training.metrics import confusion_matrix, summarise

_BATCH = 32


def evaluate(
    segmenter: Segmenter, root: Path, split: str, analysis_size: int | None = None, download: bool = False
) -> dict[str, object]:
    """Measure a network over a whole split.

    Args:
        segmenter: A network whose classes are those of the dataset.
        root: The folder that holds `oxford-iiit-pet/`.
        split: `test`, `held-out` or `trainval`.
        analysis_size: The longer side at which the network sees a photo; None takes its own.
        download: Fetch the dataset if it is not there.

    Returns:
        `images`, what `metrics.summarise` gives, and for a classifier's twin `image_accuracy`: the share of the photos
        of which it tells cat from dog.

    Raises:
        DataError: The dataset is not there.
    """
    pets = open_pets(root, split, download)
    confusion = torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)
    correct = 0
    with tqdm(total=len(pets), desc=segmenter.name, unit="photo", mininterval=2) as bar:
        for batch in _batches(len(pets)):
            photos, targets = zip(*(pets[i] for i in batch), strict=True)
            for segmentation, (is_dog, trimap) in zip(segmenter(photos, analysis_size), targets, strict=True):
                species = CLASSES.index("dog") if is_dog else CLASSES.index("cat")
                labels = labels_from_trimap(np.asarray(trimap), species)
                predicted = torch.from_numpy(segmentation.class_map())
                confusion += confusion_matrix(predicted, torch.from_numpy(labels), len(CLASSES))
                # The mean of the score map is the classifier's logits.
                logits = segmentation.score_map.mean((1, 2))
                correct += int(logits[1:].argmax()) + 1 == species
            bar.update(len(batch))
    figures = {"images": len(pets), **summarise(confusion, CLASSES)}
    if isinstance(segmenter.network, Conv1x1Segmenter):
        figures["image_accuracy"] = correct / len(pets)
    return figures


def _batches(count: int) -> Iterator[range]:
    return (range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH))
