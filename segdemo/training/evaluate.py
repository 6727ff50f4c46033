"""Measuring a network on a labelled split, as a visitor gets it: through the Segmenter, at the photo's own size."""

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from segdemo.catalog import siblings
from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.refine import refine_edges
from segdemo.segmentation import Segmentation
from segdemo.segmenter import AnalysisSize, Segmenter
from segdemo.training.data import CLASSES, labelled_photos
from segdemo.training.metrics import boundary_counts, confusion_matrix, summarise

_BATCH = 32


@dataclass(frozen=True)
class Look:
    """How a network is to look at the photos.

    Attributes:
        analysis_size: The longer side at which it sees them; None takes its own, `full` the photo's.
        best_quality: Average over sizes and mirroring.
        refine: Move edges to those of the photo.
    """

    analysis_size: AnalysisSize = None
    best_quality: bool = False
    refine: bool = False


PLAIN = Look()


class _Tally:
    """Adds up what one network found on photo after photo."""

    def __init__(self, classifies: bool) -> None:
        self.classifies = classifies
        self.confusion = torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)
        self.boundary = torch.zeros(2, dtype=torch.int64)
        self.images = self.correct = 0

    def add(self, segmentation: Segmentation, labelled: tuple[Image.Image, np.ndarray, int], look: Look) -> None:
        photo, labels, species = labelled
        seen = refine_edges(segmentation, photo) if look.refine else segmentation
        predicted, wanted = torch.from_numpy(seen.class_map()), torch.from_numpy(labels)
        self.confusion += confusion_matrix(predicted, wanted, len(CLASSES))
        self.boundary += boundary_counts(predicted, wanted)
        # The mean of the score map is the classifier's logits.
        logits = segmentation.score_map.mean((1, 2))
        self.correct += int(logits[1:].argmax()) + 1 == species
        self.images += 1

    def figures(self, seconds: float) -> dict[str, object]:
        figures = {"images": self.images, **summarise(self.confusion, CLASSES)}
        figures["boundary_iou"] = self.boundary[0].item() / max(self.boundary[1].item(), 1)
        figures["images_per_second"] = self.images / seconds
        return {**figures, "image_accuracy": self.correct / self.images} if self.classifies else figures


def evaluate(
    segmenter: Segmenter, root: Path, split: str, look: Look = PLAIN, download: bool = False
) -> dict[str, dict[str, object]]:
    """Measure a network, and with it those that are other outputs of the same pass, over a whole split.

    Args:
        segmenter: A network whose classes are those of the dataset.
        root: The folder that holds `oxford-iiit-pet/`.
        split: `test`, `held-out` or `trainval`.
        look: How it sees the photos; best quality takes passes of its own, so it measures this network alone.
        download: Fetch the dataset if it is not there.

    Returns:
        By network name `images`, what `metrics.summarise` gives, `boundary_iou` (`metrics.boundary_counts`),
        `images_per_second` from file to figures (of all that share a pass), and for a classifier's twin
        `image_accuracy`: the share of the photos of which it tells cat from dog.

    Raises:
        DataError: The dataset is not there.
    """
    names = list(siblings(segmenter.name)) if not look.best_quality else []
    tallies = {name: _Tally(isinstance(segmenter.network, Conv1x1Segmenter)) for name in names or [segmenter.name]}
    start = time.perf_counter()
    photos = labelled_photos(root, split, download)
    with tqdm(desc=", ".join(tallies), unit="photo", mininterval=2) as bar:
        while batch := list(islice(photos, _BATCH)):
            images = [photo for photo, _, _ in batch]
            if names:
                found = segmenter.family(images, look.analysis_size)
            else:
                found = {segmenter.name: segmenter(images, look.analysis_size, look.best_quality)}
            for name, segmentations in found.items():
                for segmentation, labelled in zip(segmentations, batch, strict=True):
                    tallies[name].add(segmentation, labelled, look)
            bar.update(len(batch))
    seconds = time.perf_counter() - start
    return {name: tally.figures(seconds) for name, tally in tallies.items()}
