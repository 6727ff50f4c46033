"""Measuring a network on a labelled split, as a visitor gets it: through the Segmenter, at the photo's own size."""

from itertools import islice
from pathlib import Path

import torch
from tqdm import tqdm

from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.segmenter import Segmenter
from segdemo.training.data import CLASSES, labelled_photos
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
    confusion = torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)
    images = correct = 0
    photos = labelled_photos(root, split, download)
    with tqdm(desc=segmenter.name, unit="photo", mininterval=2) as bar:
        while batch := list(islice(photos, _BATCH)):
            segmentations = segmenter([photo for photo, _, _ in batch], analysis_size)
            for segmentation, (_, labels, species) in zip(segmentations, batch, strict=True):
                predicted = torch.from_numpy(segmentation.class_map())
                confusion += confusion_matrix(predicted, torch.from_numpy(labels), len(CLASSES))
                # The mean of the score map is the classifier's logits.
                logits = segmentation.score_map.mean((1, 2))
                correct += int(logits[1:].argmax()) + 1 == species
            images += len(batch)
            bar.update(len(batch))
    figures = {"images": images, **summarise(confusion, CLASSES)}
    if isinstance(segmenter.network, Conv1x1Segmenter):
        figures["image_accuracy"] = correct / images
    return figures
