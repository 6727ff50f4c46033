"""What the page and the API ask of the networks, with errors as sentences for a person."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import gradio as gr
from PIL import Image

from segdemo import catalog
from segdemo.devices import choose_device
from segdemo.images import read_image, read_reduced
from segdemo.refine import refine_edges
from segdemo.segmentation import Segmentation
from segdemo.segmenter import MIN_ANALYSIS_SIZE, Segmenter, check_analysis_size
from segdemo.turns import Turns

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

_log = logging.getLogger(__name__)
_loading = threading.Lock()
# A ZeroGPU Space sets this.
_ON_ZERO_GPU = bool(os.environ.get("SPACES_ZERO_GPU"))
# A photo is analysed at up to 1.5 times the analysis size, and no sharper for being decoded at more than twice.
_SPARE = 2
_BATCH = 8  # photos that wait for the same network are sent through it together


@cache
def in_line() -> dict[str, object]:
    """Give the settings of an event that needs a network: the line that it stands in, and how many are let in at once.

    Those who are let in read their photos, wait for the device and write results side by side. More of them fill a
    GPU's batches; a CPU gains little from batches, and each photo takes memory.
    """
    at_once = 2 if choose_device().type == "cpu" else _BATCH
    return {"concurrency_id": "network", "concurrency_limit": at_once}


def load_segmenter(name: str) -> Segmenter:
    """Load a network once for all visitors."""
    with _loading:  # of two who come first, the second waits for the first's
        return _load_segmenter(name)


@cache
def _load_segmenter(name: str) -> Segmenter:
    return Segmenter.load(name)


@GPU(duration=20)
def _run_batch(request: Request, images: list[Image.Image]) -> list[Segmentation]:
    return load_segmenter(request.network)(images, request.analysis_size, request.best_quality)


_turns = Turns(_run_batch, _BATCH)


def run_network(request: Request, image: Image.Image) -> Segmentation:
    """Run one network on one photo, together with those of other visitors who wait for the same."""
    return _turns(replace(request, refine=False), image)


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


def segment_file(
    path: str | Path, request: Request, run: Runner = run_network, longer_side: int | None = None
) -> tuple[Image.Image, Segmentation]:
    """Read a photo and segment it.

    Args:
        path: The uploaded file.
        request: What to do with it.
        run: What runs the network.
        longer_side: Pixels of the photo that the caller needs; None needs all.

    Returns:
        The upright photo, no smaller than needed, and its segmentation with the time for reading it added.

    Raises:
        gr.Error: The file is no photo that can be read, there is no such network or size, or its weights cannot be
            fetched.
    """
    start = time.perf_counter()
    with _said(request.network) as said:
        # Refused here, since of an error inside the GPU's turn ZeroGPU shows no more than its type.
        entry = catalog.find(request.network)
        check_analysis_size(request.analysis_size or MIN_ANALYSIS_SIZE)
        if longer_side is None:
            image = read_image(path)
            size = image.size
        else:
            analysed = request.analysis_size or entry.metadata.analysis_size
            image, size = read_reduced(path, max(longer_side, analysed * _SPARE))
        read = (time.perf_counter() - start) * 1000
        entry.fetch()  # outside the GPU's turn as well
        said.append(f"photo {size[0]}x{size[1]}")
        segmentation = run(request, image)
        if request.refine:
            segmentation = refine_edges(segmentation, image)
    milliseconds = {"read": read, **segmentation.milliseconds}
    return image, replace(segmentation, image_size=size, milliseconds=milliseconds)


def compare_file(path: str | Path, names: Sequence[str], longer_side: int) -> tuple[Image.Image, list[Segmentation]]:
    """Read a photo and segment it by several networks.

    Args:
        path: The uploaded file.
        names: Of the catalog, two or more.
        longer_side: Pixels of the photo that the caller needs.

    Returns:
        The upright photo, no smaller than needed, and a segmentation for each name.

    Raises:
        gr.Error: The file is no photo that can be read, there are fewer than two networks or an unknown one, or
            weights cannot be fetched.
    """
    names = list(dict.fromkeys(names))
    with _said("+".join(names)) as said:
        if len(names) < 2:  # noqa: PLR2004
            raise ValueError("Choose two networks or more.")
        entries = [catalog.find(name) for name in names]
        analysed = max(entry.metadata.analysis_size for entry in entries)
        image, size = read_reduced(path, max(longer_side, analysed * _SPARE))
        for entry in entries:
            entry.fetch()
        said.append(f"photo {size[0]}x{size[1]}")
        return image, [replace(each, image_size=size) for each in run_several(names, image)]


@contextmanager
def _said(what: str) -> Iterator[list[str]]:
    """Log a request in one line, without anything of its photo but the size, and put errors into words for a person.

    Args:
        what: The networks asked for.

    Yields:
        A list to which more facts may be added.

    Raises:
        gr.Error: In place of a ValueError.
    """
    start, facts, outcome = time.perf_counter(), [], "failed"
    try:
        yield facts
        outcome = "done"
    except ValueError as error:  # as ImageError and CheckpointError are
        outcome = "refused"
        raise gr.Error(str(error), print_exception=False) from error
    finally:
        milliseconds = (time.perf_counter() - start) * 1000
        # A name that a program sent may hold anything, line breaks too.
        names = "+".join(name if name in catalog.ENTRIES else "unknown" for name in what.split("+"))
        _log.info("%s", ", ".join((names, *facts, f"{milliseconds:.0f} ms", outcome)))
