"""Measuring a network on a labelled split, as a visitor gets it: through the Segmenter, at the photo's own size."""

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from tqdm import tqdm

from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.refine import refine_edges
from segdemo.segmenter import Segmenter
from segdemo.training.data import CLASSES, labelled_photos
from segdemo.training.metrics import boundary_counts, confusion_matrix, summarise

_BATCH = 32


@dataclass(frozen=True)
class Look:
    """How a network is to look at the photos.

    Attributes:
        analysis_size: The longer side at which it sees them; None takes its own.
        best_quality: Average over sizes and mirroring.
        refine: Move edges to those of the photo.
    """

    analysis_size: int | None = None
    best_quality: bool = False
    refine: bool = False


PLAIN = Look()


def evaluate(
    segmenter: Segmenter, root: Path, split: str, look: Look = PLAIN, download: bool = False
) -> dict[str, object]:
    """Measure a network over a whole split.

    Args:
        segmenter: A network whose classes are those of the dataset.
        root: The folder that holds `oxford-iiit-pet/`.
        split: `test`, `held-out` or `trainval`.
        look: How it sees the photos.
        download: Fetch the dataset if it is not there.

    Returns:
        `images`, what `metrics.summarise` gives, `boundary_iou` (`metrics.boundary_counts`), `images_per_second` from
        file to figures, and for a classifier's twin `image_accuracy`: the share of the photos of which it tells cat
        from dog.

    Raises:
        DataError: The dataset is not there.
    """
    confusion = torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)
    boundary = torch.zeros(2, dtype=torch.int64)
    images = correct = 0
    start = time.perf_counter()
    photos = labelled_photos(root, split, download)
    with tqdm(desc=segmenter.name, unit="photo", mininterval=2) as bar:
        while batch := list(islice(photos, _BATCH)):
            segmentations = segmenter([photo for photo, _, _ in batch], look.analysis_size, look.best_quality)
            for segmentation, (photo, labels, species) in zip(segmentations, batch, strict=True):
                seen = refine_edges(segmentation, photo) if look.refine else segmentation
                predicted, wanted = torch.from_numpy(seen.class_map()), torch.from_numpy(labels)
                confusion += confusion_matrix(predicted, wanted, len(CLASSES))
                boundary += boundary_counts(predicted, wanted)
                # The mean of the score map is the classifier's logits.
                logits = segmentation.score_map.mean((1, 2))
                correct += int(logits[1:].argmax()) + 1 == species
            images += len(batch)
            bar.update(len(batch))
    figures = {"images": images, **summarise(confusion, CLASSES)}
    figures["boundary_iou"] = boundary[0].item() / max(boundary[1].item(), 1)
    figures["images_per_second"] = images / (time.perf_counter() - start)
    if isinstance(segmenter.network, Conv1x1Segmenter):
        figures["image_accuracy"] = correct / images
    return figures
