"""Measuring a network on a labelled data set, as a visitor gets it: through the Segmenter, at the photo's own size."""

import sys
import time
from itertools import islice
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from segdemo import catalog
from segdemo.refine import refine_edges
from segdemo.seeing import AnalysisSize
from segdemo.segmentation import Segmentation
from segdemo.segmenter import Segmenter
from segdemo.training.datasets import IGNORE, DataSet
from segdemo.training.metrics import boundary_counts, confusion_matrix, summarise

_BATCH = 16


class _Tally:
    """Adds up what one network found on photo after photo."""

    def __init__(self, classes: tuple[str, ...], dataset: DataSet, classifies: bool) -> None:
        self.classes, self.own, self.classifies = classes, dataset.classes, classifies
        # The network's index of each of the data set's classes.
        self.index = np.full(256, IGNORE, np.uint8)
        self.index[: len(self.own)] = [classes.index(name) for name in self.own]
        self.confusion = torch.zeros(len(classes), len(classes), dtype=torch.int64)
        self.boundary = torch.zeros(2, dtype=torch.int64)
        self.images = self.correct = 0

    def add(self, segmentation: Segmentation, photo: Image.Image, labels: np.ndarray, refine: bool) -> None:
        seen = refine_edges(segmentation, photo) if refine else segmentation
        predicted, wanted = torch.from_numpy(seen.class_map()), torch.from_numpy(self.index[labels])
        self.confusion += confusion_matrix(predicted, wanted, len(self.classes))
        if self.own[0] == "background":
            self.boundary += boundary_counts(predicted, wanted)
        if self.classifies:
            self.correct += self._names(segmentation, wanted)
        self.images += 1

    def _names(self, segmentation: Segmentation, wanted: torch.Tensor) -> bool:
        """Say whether the classifier, asked for one of the data set's classes but background, names the photo's."""
        logits = segmentation.score_map.mean((1, 2))  # the mean of the score map is the classifier's logits
        objects = [self.classes.index(name) for name in self.own if name != "background"]
        asked = objects if len(objects) > 1 else range(len(self.classes))  # of one class: found, not told apart
        counts = torch.bincount(wanted[(wanted != IGNORE) & (wanted != 0)].long(), minlength=len(self.classes))
        return max(asked, key=lambda i: logits[i].item()) == int(counts.argmax())

    def figures(self, seconds: float) -> dict[str, object]:
        figures = {"images": self.images, **summarise(self.confusion, self.classes, self.own)}
        if self.own[0] == "background":
            figures["boundary_iou"] = self.boundary[0].item() / max(self.boundary[1].item(), 1)
        figures["images_per_second"] = self.images / seconds
        return {**figures, "image_accuracy": self.correct / max(self.images, 1)} if self.classifies else figures


def evaluate(
    segmenter: Segmenter,
    dataset: DataSet,
    analysis_size: AnalysisSize = None,
    best_quality: bool = False,
    refine: bool = False,
) -> dict[str, dict[str, Any]]:
    """Measure a network on a data set, and with it those that are other outputs of the same pass.

    Args:
        segmenter: A network that knows the data set's classes, and perhaps others.
        dataset: One split, labels in the data set's own classes.
        analysis_size: The longer side at which the network sees the photos; None takes its own.
        best_quality: Average over sizes and mirroring, in passes of its own: this network is measured alone.
        refine: Move edges to those of the photo.

    Returns:
        By network name `images`, what `metrics.summarise` gives, `boundary_iou` (`metrics.boundary_counts`) where there
        is a background, `images_per_second` from file to figures, and for a classifier `image_accuracy`: the share of
        the photos whose class it names.

    Raises:
        ValueError: The network lacks a class of the data set.
        DataError: A file is not as it should be.
    """
    classes = segmenter.metadata.classes
    missing = [name for name in dataset.classes if name not in classes]
    if missing:
        raise ValueError(f"{segmenter.name} does not know {', '.join(missing)} of {dataset.name}")
    entry = catalog.ENTRIES.get(segmenter.name)
    names = catalog.sharing(entry) if entry and not best_quality else [segmenter.name]
    tallies = {name: _Tally(classes, dataset, segmenter.network.classifies) for name in names}
    start = time.perf_counter()
    photos = iter(dataset)
    with tqdm(total=len(dataset), desc=f"{segmenter.name}, {dataset.name}", file=sys.stderr, mininterval=2) as bar:
        while batch := list(islice(photos, _BATCH)):
            images = [photo for photo, _ in batch]
            if len(names) > 1:
                found = segmenter.outputs(names, images, analysis_size)
            else:
                found = {segmenter.name: segmenter(images, analysis_size, best_quality)}
            for name, segmentations in found.items():
                for segmentation, (photo, labels) in zip(segmentations, batch, strict=True):
                    tallies[name].add(segmentation, photo, labels, refine)
            bar.update(len(batch))
    seconds = time.perf_counter() - start
    return {name: tally.figures(seconds) for name, tally in tallies.items()}
