"""What one visitor's page holds of the last photo, and the drawing of it."""

import filecmp
import time
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from segdemo import catalog, render
from segdemo.analysis import Analysis, Style
from segdemo.segmentation import Segmentation
from segdemo.ui import files, views
from segdemo.ui.inference import Runner, run_network
from segdemo.ui.request_log import logged
from segdemo.ui.service import segment_file

_BROWSER_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif"}


@dataclass(frozen=True)
class Drawing:
    """What a style decides: the paths of three pictures, HTML below each, and one line of HTML with the facts."""

    overlay: str
    heatmap: str
    grid: str
    legend: str
    heat_bar: str
    grid_bar: str
    facts: str


@dataclass(frozen=True)
class Result:
    """A segmented photo, enough to draw everything again without the network.

    Attributes:
        source: Path of the file that was segmented.
        shown: Path of what the photo field shows: the same, or a copy where no browser shows the file (TIFF, HEIC).
        stem: The photo's name without its ending.
        photo: Upright RGB, no larger than a screen needs.
        mask: Path, as those of the scores and of the COCO run lengths.
    """

    source: str
    shown: str
    stem: str
    photo: Image.Image
    segmentation: Segmentation
    mask: str
    scores: str
    rle: str
    analysis: Analysis

    @property
    def key(self) -> str:
        """A name that no other result has, for the page to say which one it shows."""
        return Path(self.mask).parent.name

    @classmethod
    def make(cls, path: str, analysis: Analysis, run: Runner = run_network) -> "Result":
        """Segment a file and write what can be downloaded; `service.segment_file` says what may go wrong."""
        with logged([analysis.network]):
            image, segmentation = segment_file(path, analysis, run, render.SCREEN)
            start = time.perf_counter()
            folder, stem = files.new_folder(), files.plain_stem(path)
            size = render.display_size(segmentation.image_size)
            photo = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
            shown = path
            if Path(path).suffix.lower() not in _BROWSER_SUFFIXES:
                shown = files.write_picture(folder, f"{stem}.jpg", photo)
            paths = files.write_results(folder, stem, segmentation)
            segmentation.milliseconds["files"] = (time.perf_counter() - start) * 1000
            return cls(path, shown, stem, photo, segmentation, *paths, analysis)

    def draw(self, style: Style) -> Drawing:
        """Draw everything that a style decides."""
        start = time.perf_counter()
        # A folder of its own for each drawing: at the same address a browser would go on showing the old picture.
        folder = files.new_folder()
        segmentation, size = self.segmentation, self.photo.size
        index = segmentation.class_index(style.heatmap_class)
        name = segmentation.classes[index]
        limit = float(segmentation.score_map.abs().max())
        pictures = {
            "overlay.jpg": render.overlay(
                self.photo,
                segmentation.class_map(size),
                segmentation.colours,
                style.opacity,
                segmentation.has_background,
            ),
            f"heatmap_{files.plain(name)}.png": render.heatmap(segmentation.heatmap(index, size), style.colormap),
            f"scores_{files.plain(name)}.png": render.score_grid(segmentation.score_map[index].numpy(), limit),
        }
        paths = [files.write_picture(folder, f"{self.stem}_{n}", picture) for n, picture in pictures.items()]
        milliseconds = {**segmentation.milliseconds, "pictures": (time.perf_counter() - start) * 1000}
        return Drawing(
            *paths,
            legend=views.legend(segmentation),
            heat_bar=views.heat_bar(name, style.colormap),
            grid_bar=views.score_bar(name, limit, segmentation.score_size),
            facts=views.facts(segmentation, milliseconds),
        )

    def answers(self, analysis: Analysis) -> bool:
        """Say whether this is what an analysis of the same photo would give."""
        size = analysis.size or catalog.find(analysis.network).metadata.analysis_size
        same = replace(analysis, size=None) == replace(self.analysis, size=None)
        return same and size == max(self.segmentation.analysis_size)

    def shows(self, path: str) -> bool:
        """Say whether a picture is this photo; Gradio may have copied it to another place."""
        return path in (self.source, self.shown) or filecmp.cmp(path, self.shown, shallow=False)

    def probe(self, x: float, y: float) -> str:
        """Describe one pixel as HTML; x and y are shares of the photo's width and height, 0 to 1."""
        (width, height), shares = self.segmentation.image_size, (min(max(share, 0.0), 1.0) for share in (x, y))
        column, row = (min(int(share * side), side - 1) for share, side in zip(shares, (width, height), strict=True))
        return views.pixel(self.segmentation, column, row)
