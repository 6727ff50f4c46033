"""What the page and the API ask of the networks, with errors as sentences for a person."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import gradio as gr
from PIL import Image

from segdemo import catalog
from segdemo.images import read_image
from segdemo.segmentation import Segmentation
from segdemo.segmenter import MIN_ANALYSIS_SIZE, Segmenter, check_analysis_size

try:  # On a ZeroGPU Space a GPU is there only inside functions that ask for one.
    from spaces import GPU
except ImportError:

    def GPU(duration: int) -> Callable[[Callable], Callable]:  # noqa: N802, D103 - spaces' own name
        return lambda function: function


Runner = Callable[[str, Image.Image, int | None], Segmentation]

# A ZeroGPU Space sets this.
_ON_ZERO_GPU = bool(os.environ.get("SPACES_ZERO_GPU"))


@cache
def load_segmenter(name: str) -> Segmenter:
    """Load a network once for all visitors."""
    return Segmenter.load(name)


@GPU(duration=20)
def run_network(name: str, image: Image.Image, analysis_size: int | None) -> Segmentation:
    """Run one network on one photo."""
    return load_segmenter(name)(image, analysis_size)


def run_at_start(name: str, image: Image.Image, analysis_size: int | None) -> Segmentation:
    """Run a network before there is a visitor; ZeroGPU lends its GPU to visitors alone."""
    if not _ON_ZERO_GPU:
        return run_network(name, image, analysis_size)
    for each in catalog.BUNDLED:  # moved to the GPU here, once, and not in every visitor's turn
        load_segmenter(each)
    return Segmenter.load(name, "cpu")(image, analysis_size)


def segment_file(
    path: str | Path, network: str, analysis_size: int | None, run: Runner = run_network
) -> tuple[Image.Image, Segmentation]:
    """Read a photo and segment it.

    Args:
        path: The uploaded file.
        network: A name of the catalog.
        analysis_size: Pixels, None for the network's own.
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
        entry = catalog.find(network)
        check_analysis_size(analysis_size or MIN_ANALYSIS_SIZE)
        image = read_image(path)
        read = (time.perf_counter() - start) * 1000
        entry.fetch()  # outside the GPU's turn as well
        segmentation = run(network, image, analysis_size)
    except ValueError as error:  # as ImageError and CheckpointError are
        raise gr.Error(str(error), print_exception=False) from error
    return image, replace(segmentation, milliseconds={"read": read, **segmentation.milliseconds})
