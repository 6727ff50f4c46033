"""How an image is analysed and how the result is drawn; the page, the API and the commands share these settings."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from segdemo.refine import refine_edges
from segdemo.render import HEAT_COLORMAPS
from segdemo.seeing import AnalysisSize
from segdemo.segmentation import AUTO, Segmentation
from segdemo.segmenter import Segmenter


@dataclass(frozen=True)
class Analysis:
    """What the networks do with an image.

    Attributes:
        network: A name of the catalog.
        size: The longer side, in pixels, at which the network sees the image; None for its own, `full` for the image's.
        best_quality: Average over sizes and mirroring.
        refine: Move edges to those of the image.
    """

    network: str
    size: AnalysisSize = None
    best_quality: bool = False
    refine: bool = False


@dataclass(frozen=True)
class Style:
    """How a segmentation is drawn; none of it needs the network.

    Attributes:
        heatmap_class: The heatmap's class, or `auto` for the one that covers most, background aside.
        opacity: Of the overlay, 0 to 1.
        colormap: Of the heatmap.
    """

    heatmap_class: str = AUTO
    opacity: float = 0.6
    colormap: str = HEAT_COLORMAPS[0]


Segment = Callable[[Image.Image, AnalysisSize, bool], Segmentation]
"""What segments one image at an analysis size, in best quality or not, as a `Segmenter` does."""


def analyse(image: Image.Image, analysis: Analysis, segment: Segment | None = None) -> Segmentation:
    """Segment an upright RGB image and refine the edges if that is wanted.

    `segment` is the network that the analysis names, in whatever form; None loads it.

    Raises:
        ValueError: There is no such network, its weights are missing or damaged, or the analysis size is out of range.
    """
    segment = segment or Segmenter.load(analysis.network)
    segmentation = segment(image, analysis.size, analysis.best_quality)
    return refine_edges(segmentation, image) if analysis.refine else segmentation
