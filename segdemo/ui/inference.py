"""What the page and the API ask of the networks, with errors as sentences for a person."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import gradio as gr
from PIL import Image

from segdemo import catalog
from segdemo.images import read_image
from segdemo.refine import refine_edges
from segdemo.segmentation import Segmentation
from segdemo.segmenter import MIN_ANALYSIS_SIZE, Segmenter, check_analysis_size

try:  # On a ZeroGPU Space a GPU is there only inside functions that ask for one.
    from spaces import GPU
except ImportError:

    def GPU(duration: int) -> Callable[[Callable], Callable]:  # noqa: N802, D103 - spaces' own name
        return lambda function: function


@dataclass(frozen=True)
class Request:
    """What to do with a photo.

    Attributes:
        network: A name of the catalog.
        analysis_size: Pixels, None for the network's own.
        best_quality: Average over sizes and mirroring.
        refine: Move edges to those of the photo.
    """

    network: str
    analysis_size: int | None = None
    best_quality: bool = False
    refine: bool = False


Runner = Callable[[Request, Image.Image], Segmentation]

# A ZeroGPU Space sets this.
_ON_ZERO_GPU = bool(os.environ.get("SPACES_ZERO_GPU"))


@cache
def load_segmenter(name: str) -> Segmenter:
    """Load a network once for all visitors."""
    return Segmenter.load(name)


@GPU(duration=20)
def run_network(request: Request, image: Image.Image) -> Segmentation:
    """Run one network on one photo."""
    return load_segmenter(request.network)(image, request.analysis_size, request.best_quality)


@GPU(duration=60)
def run_several(names: Sequence[str], image: Image.Image) -> list[Segmentation]:
    """Run several networks on one photo; those of one checkpoint share a pass."""
    found: dict[str, Segmentation] = {}
    for name in names:
        shared = [each for each in names if each in catalog.siblings(name)]
        if name in found:
            continue
        if len(shared) > 1:
            found |= {each: maps[0] for each, maps in load_segmenter(name).family([image]).items()}
        else:
            found[name] = load_segmenter(name)(image)
    return [found[name] for name in names]


def run_at_start(request: Request, image: Image.Image) -> Segmentation:
    """Run a network before there is a visitor; ZeroGPU lends its GPU to visitors alone."""
    if not _ON_ZERO_GPU:
        return run_network(request, image)
    for each in catalog.BUNDLED:  # moved to the GPU here, once, and not in every visitor's turn
        load_segmenter(each)
    return Segmenter.load(request.network, "cpu")(image, request.analysis_size, request.best_quality)


def segment_file(path: str | Path, request: Request, run: Runner = run_network) -> tuple[Image.Image, Segmentation]:
    """Read a photo and segment it.

    Args:
        path: The uploaded file.
        request: What to do with it.
        run: What runs the network.

    Returns:
        The upright photo, and its segmentation with the time for reading it added.

    Raises:
        gr.Error: The file is no photo that can be read, there is no such network or size, or its weights cannot be
            fetched.
    """
    start = time.perf_counter()
    try:
        # Refused here, since of an error inside the GPU's turn ZeroGPU shows no more than its type.
        entry = catalog.find(request.network)
        check_analysis_size(request.analysis_size or MIN_ANALYSIS_SIZE)
        image = read_image(path)
        read = (time.perf_counter() - start) * 1000
        entry.fetch()  # outside the GPU's turn as well
        segmentation = run(request, image)
        if request.refine:
            segmentation = refine_edges(segmentation, image)
    except ValueError as error:  # as ImageError and CheckpointError are
        raise gr.Error(str(error), print_exception=False) from error
    return image, replace(segmentation, milliseconds={"read": read, **segmentation.milliseconds})


def compare_file(path: str | Path, names: Sequence[str]) -> tuple[Image.Image, list[Segmentation]]:
    """Read a photo and segment it by several networks.

    Args:
        path: The uploaded file.
        names: Of the catalog, two or more.

    Returns:
        The upright photo, and a segmentation for each name.

    Raises:
        gr.Error: The file is no photo that can be read, there are fewer than two networks or an unknown one, or
            weights cannot be fetched.
    """
    names = list(dict.fromkeys(names))
    try:
        if len(names) < 2:  # noqa: PLR2004
            raise ValueError("Choose two networks or more.")
        entries = [catalog.find(name) for name in names]
        image = read_image(path)
        for entry in entries:
            entry.fetch()
        return image, run_several(names, image)
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error
