"""What the page and the API do, on one path: files in, results out, with errors as sentences for a person."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from segdemo import catalog, render
from segdemo.analysis import Analysis, Style, analyse
from segdemo.batch import pack, segment_all, table_row, write_item, write_table
from segdemo.checkpoints import load
from segdemo.compare import disagreement
from segdemo.devices import device_lock
from segdemo.entries import Entry
from segdemo.images import read_image, read_reduced
from segdemo.lessons import fc_as_conv
from segdemo.lessons.size_trace import Row, shell, size_trace
from segdemo.models import SegmentationNetwork
from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.models.taught import TaughtVGG
from segdemo.results import choose_stems
from segdemo.seeing import MIN_ANALYSIS_SIZE, check_analysis_size
from segdemo.segmentation import Segmentation
from segdemo.ui import files
from segdemo.ui.inference import Runner, load_segmenter, run_network, run_several
from segdemo.ui.lesson_parts import as_seen, lesson_network, read_photo
from segdemo.ui.request_log import logged

MOST_PHOTOS = 60
"""That `segment_files` takes at a time."""
LARGEST = 8192
"""Pixels a side of the image that `trace_sizes` follows."""
DENSE_CLASSIFIER = "conv1x1_vgg11"
"""The network of `linear_and_conv`."""
_COMPARED, _IN_GALLERY = 640, 512  # pixels, the longer sides of pictures of a comparison and in a batch's gallery
_DISAGREE = ("#000000", "#d55e00")  # Okabe and Ito's vermilion: no class has it
# A photo is analysed at up to 1.5 times the analysis size, and no sharper for being decoded at more than twice.
_SPARE = 2


def segment_file(
    path: str | Path, analysis: Analysis, run: Runner = run_network, longer_side: int | None = None
) -> tuple[Image.Image, Segmentation]:
    """Read an uploaded photo and segment it.

    Returns:
        The upright photo, no smaller than the `longer_side` in pixels that the caller needs (None needs all), and its
        segmentation with the time for reading it added.

    Raises:
        gr.Error: The file is no photo that can be read, there is no such network or size, or its weights cannot be
            fetched.
    """
    start = time.perf_counter()
    with logged([analysis.network]) as facts:
        # Refused here, since of an error inside the GPU's turn ZeroGPU shows no more than its type.
        entry = catalog.find(analysis.network)
        assert not isinstance(analysis.size, str), "a visitor's size is a number of pixels"
        check_analysis_size(analysis.size or MIN_ANALYSIS_SIZE)
        if longer_side is None:
            image = read_image(path)
            size = image.size
        else:
            analysed = analysis.size or entry.metadata.analysis_size
            image, size = read_reduced(path, max(longer_side, analysed * _SPARE))
        read = (time.perf_counter() - start) * 1000
        entry.fetch()  # outside the GPU's turn as well
        facts.append(f"photo {size[0]}x{size[1]}")
        segmentation = analyse(image, analysis, partial(run, analysis.network))
    milliseconds = {"read": read, **segmentation.milliseconds}
    return image, replace(segmentation, image_size=size, milliseconds=milliseconds)


def open_taught(path: str) -> Entry:
    """Take a file that a visitor saved in the lesson *Teach it*, for that visitor alone.

    Raises:
        ValueError: It is damaged, or no such file.
    """
    network, _ = load(Path(path))
    if not isinstance(network, TaughtVGG):
        raise ValueError("This file holds another kind of network than those that are taught here.")
    return catalog.lend(Path(path))


@dataclass(frozen=True)
class Comparison:
    """What each of several networks made of a photo, and the photo with the pixels marked on which not all agree."""

    segmentations: list[Segmentation]
    overlays: list[Image.Image]
    disagreement: Image.Image


def compare_file(path: str | Path, names: Sequence[str]) -> Comparison:
    """Read an uploaded photo, segment it by two networks of the catalog or more and draw what they found.

    Raises:
        gr.Error: The file is no photo that can be read, there are fewer than two networks or an unknown one, or
            weights cannot be fetched.
    """
    names = list(dict.fromkeys(names))
    with logged(names) as facts:
        if len(names) < 2:  # noqa: PLR2004
            raise ValueError("Choose two networks or more.")
        entries = [catalog.find(name) for name in names]
        analysed = max(entry.metadata.analysis_size for entry in entries)
        image, size = read_reduced(path, max(_COMPARED, analysed * _SPARE))
        for entry in entries:
            entry.fetch()
        facts.append(f"photo {size[0]}x{size[1]}")
        return _draw(image, [replace(each, image_size=size) for each in run_several(names, image)])


def _draw(photo: Image.Image, segmentations: list[Segmentation]) -> Comparison:
    size = render.display_size(segmentations[0].image_size, _COMPARED)
    small = photo.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    overlays = [
        render.overlay(small, each.class_map(size), each.colours, Style.opacity, each.has_background)
        for each in segmentations
    ]
    apart = disagreement(segmentations, size).astype(np.uint8)
    return Comparison(segmentations, overlays, render.overlay(small, apart, _DISAGREE, 0.8))


def segment_files(
    paths: Sequence[str], network: str, go_on: Callable[[int, str], bool] = lambda _number, _name: True
) -> tuple[list[tuple[str, str]], list[dict[str, object]], str]:
    """Segment photos and pack their masks, overlays, heatmaps, facts and a table.

    `go_on` is told of each photo before it, by its number and name; false leaves out that one and the rest.

    Returns:
        Overlays for a gallery with the photos' names, the table's rows, and the path of the zip.

    Raises:
        gr.Error: There is no such network, its weights cannot be fetched, or there are no photos or too many.
    """
    with logged([network]) as facts:
        if not paths:
            raise ValueError("Choose some photos first.")
        if len(paths) > MOST_PHOTOS:
            raise ValueError(f"These are {len(paths)} photos; at most {MOST_PHOTOS} go at a time.")
        catalog.find(network).fetch()
        load_segmenter(network)  # a damaged file is said here, before the first photo
        whole, shown = files.new_folder(), files.new_folder()
        folder = whole / "results"
        folder.mkdir()
        gallery, rows = [], []
        photos = [Path(path) for path in paths]
        items = segment_all(photos, partial(run_network, network))
        for number, (photo, stem) in enumerate(zip(photos, choose_stems(photos), strict=True), 1):
            name = f"{stem}{photo.suffix}"  # two photos of one name are told apart
            if not go_on(number, name):
                break
            item = next(items)
            rows.append(table_row(item))
            if not item.problem:
                overlay = Image.open(write_item(folder, item, Style())["overlay"])
                overlay.thumbnail(render.display_size(overlay.size, _IN_GALLERY))
                gallery.append((files.write_picture(shown, f"{item.stem}.jpg", overlay), name))
        facts.append(f"{len(rows)} photos, {len(rows) - len(gallery)} of them refused")
        write_table(folder, rows)
        archive = whole / "segdemo.zip"
        pack(folder, archive)
        return gallery, rows, str(archive)


def linear_and_conv(path: str | Path, longer_side: int | None = None) -> tuple[Tensor, Tensor, fc_as_conv.Comparison]:
    """Send a photo through a classifier and through the dense classifier that it becomes.

    Returns:
        What the network sees (`[3, H, W]`, normalised, the longer side in pixels as asked or its own analysis size),
        the feature map (`[1, channels, h, w]`), and what both said.

    Raises:
        gr.Error: The file is no photo that can be read.
    """
    network = lesson_network(DENSE_CLASSIFIER, Conv1x1Segmenter)
    size = longer_side or catalog.find(DENSE_CLASSIFIER).metadata.analysis_size
    seen = as_seen(read_photo(path), DENSE_CLASSIFIER, size)
    with device_lock("cpu"):
        features = fc_as_conv.feature_map(network, seen)
    return seen, features, fc_as_conv.compare(network, features)


def trace_sizes(network: str, height: float | None, width: float | None) -> list[Row]:
    """Trace a network of the catalog, on an image of so many pixels.

    Raises:
        ValueError: There is no such network, or no such image; the message says why.
    """
    catalog.find(network)
    if not height or not width or not 1 <= min(height, width) <= max(height, width) <= LARGEST:
        raise ValueError(f"Height and width must lie between 1 and {LARGEST:,} pixels.")
    return size_trace(_shell(network), int(height), int(width))


@cache
def _shell(name: str) -> SegmentationNetwork:
    entry = catalog.find(name)
    return shell(entry.metadata.architecture, {**entry.metadata.arguments, **entry.arguments})
