"""What one visitor's page holds of the last photo, and the drawing of it."""

import filecmp
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from segdemo import render
from segdemo.segmentation import AUTO, Segmentation
from segdemo.ui import files, views
from segdemo.ui.inference import Request, Runner, run_network, segment_file

_LONGEST_STEM = 60  # a path on Windows may be short of room
_BROWSER_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif"}


@dataclass(frozen=True)
class Look:
    """How a result is shown; none of it needs the network.

    Attributes:
        heat_class: The heatmap's class, or `auto` for the one that covers most, background aside.
        opacity: Of the overlay, 0 to 1.
        colormap: Of the heatmap.
    """

    heat_class: str = AUTO
    opacity: float = 0.6
    colormap: str = render.HEAT_COLORMAPS[0]


@dataclass(frozen=True)
class Drawing:
    """The pictures and texts that a look decides.

    Attributes:
        overlay: Path of the class map over the photo.
        heatmap: Path of the heatmap.
        grid: Path of the coarse scores.
        legend: HTML below the overlay.
        heat_bar: HTML below the heatmap.
        grid_bar: HTML below the scores.
        facts: HTML, one line.
    """

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
        segmentation: What the network made of it.
        mask: Path of the index mask.
        scores: Path of the scores.
        rle: Path of the COCO run lengths.
    """

    source: str
    shown: str
    stem: str
    photo: Image.Image
    segmentation: Segmentation
    mask: str
    scores: str
    rle: str

    @property
    def key(self) -> str:
        """A name that no other result has, for the page to say which one it shows."""
        return Path(self.mask).parent.name

    @classmethod
    def make(cls, path: str, request: Request, run: Runner = run_network) -> "Result":
        """Segment a file and write what can be downloaded; `inference.segment_file` says what may go wrong."""
        image, segmentation = segment_file(path, request, run, render.SCREEN)
        start = time.perf_counter()
        folder, stem = files.new_folder(), Path(path).stem[:_LONGEST_STEM]
        photo = image.resize(render.display_size(segmentation.image_size), Image.Resampling.BILINEAR, reducing_gap=2.0)
        shown = path
        if Path(path).suffix.lower() not in _BROWSER_SUFFIXES:
            shown = files.write_picture(folder, f"{stem}.jpg", photo)
        paths = files.write_results(folder, stem, segmentation)
        segmentation.milliseconds["files"] = (time.perf_counter() - start) * 1000
        return cls(path, shown, stem, photo, segmentation, *paths)

    def draw(self, look: Look) -> Drawing:
        """Draw everything that a look decides."""
        start = time.perf_counter()
        # A folder of its own for each drawing: at the same address a browser would go on showing the old picture.
        folder = files.new_folder()
        segmentation, size = self.segmentation, self.photo.size
        index = segmentation.class_index(look.heat_class)
        name = segmentation.classes[index]
        limit = float(segmentation.score_map.abs().max())
        pictures = {
            "overlay.jpg": render.overlay(
                self.photo,
                segmentation.class_map(size),
                segmentation.colours,
                look.opacity,
                segmentation.has_background,
            ),
            f"heatmap_{files.plain(name)}.png": render.heatmap(segmentation.heatmap(index, size), look.colormap),
            f"scores_{files.plain(name)}.png": render.score_grid(segmentation.score_map[index].numpy(), limit),
        }
        paths = [files.write_picture(folder, f"{self.stem}_{n}", picture) for n, picture in pictures.items()]
        milliseconds = {**segmentation.milliseconds, "pictures": (time.perf_counter() - start) * 1000}
        return Drawing(
            *paths,
            legend=views.legend(segmentation),
            heat_bar=views.heat_bar(name, look.colormap),
            grid_bar=views.score_bar(name, limit, segmentation.score_size),
            facts=views.facts(segmentation, milliseconds),
        )

    def shows(self, path: str) -> bool:
        """Say whether a picture is this photo; Gradio may have copied it to another place."""
        return path in (self.source, self.shown) or filecmp.cmp(path, self.shown, shallow=False)

    def probe(self, shown: str, x: int, y: int) -> str:
        """Describe one pixel of the photo.

        Args:
            shown: Path of the picture that was clicked: the photo or the overlay, which may be smaller.
            x: Column in that picture.
            y: Row in that picture.

        Returns:
            HTML.
        """
        width, height = self.segmentation.image_size
        with Image.open(shown) as picture:
            # A browser shows a photo upright whatever its file says, so only the longer sides can be compared.
            scale = max(width, height) / max(picture.size)
        return views.pixel(self.segmentation, min(int(x * scale), width - 1), min(int(y * scale), height - 1))
