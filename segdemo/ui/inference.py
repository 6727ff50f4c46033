"""How networks run for visitors: loaded once, on the lent GPU, and in batches for those who wait for the same one."""

import os
import threading
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from typing import Any

from PIL import Image

from segdemo import catalog
from segdemo.devices import choose_device
from segdemo.microbatch import MicroBatcher
from segdemo.segmentation import Segmentation
from segdemo.segmenter import AnalysisSize, Segmenter, Watch
from segdemo.ui.wish import Overtaken

try:  # On a ZeroGPU Space a GPU is there only inside functions that ask for one.
    from spaces import GPU
except ImportError:

    def GPU(duration: int) -> Callable[[Callable], Callable]:  # noqa: N802, D103 - spaces' own name
        return lambda function: function


Runner = Callable[[str, Image.Image, AnalysisSize, bool], Segmentation]
"""Runs a network, by its name, as a `Segmenter` does."""

_loading = threading.Lock()
# A ZeroGPU Space sets this.
_ON_ZERO_GPU = bool(os.environ.get("SPACES_ZERO_GPU"))
_BATCH = 8  # photos that wait for the same network are sent through it together


@cache
def in_line() -> dict[str, Any]:
    """Give the settings of an event that needs a network: the line that it stands in, and how many are let in at once.

    Those who are let in read their photos, wait for the device and write results side by side. More of them fill a
    GPU's batches; a CPU gains little from batches, and each photo takes memory.
    """
    at_once = 2 if choose_device().type == "cpu" else _BATCH
    return {"concurrency_id": "network", "concurrency_limit": at_once}


def load_segmenter(name: str) -> Segmenter:
    """Load a network once for all visitors."""
    with _loading:  # of two who come first, the second waits for the first's
        return (_load_lent if name.startswith(catalog.LENT) else _load_segmenter)(name)


@cache
def _load_segmenter(name: str) -> Segmenter:
    return Segmenter.load(name)


@lru_cache(maxsize=3)  # of all visitors together: 60 MB each
def _load_lent(name: str) -> Segmenter:
    return Segmenter.load(name)


@GPU(duration=20)
def _run(
    key: tuple[str, AnalysisSize, bool], images: list[Image.Image], watch: Watch | None = None
) -> list[Segmentation]:
    network, size, best_quality = key
    return load_segmenter(network)(images, size, best_quality, watch)


def _run_batch(
    key: tuple[str, AnalysisSize, bool], items: list[tuple[Image.Image, Watch | None]]
) -> list[Segmentation]:
    images, watches = [image for image, _ in items], [watch for _, watch in items]
    # ZeroGPU's process, which is another one, cannot tell anything.
    return _run(key, images) if _ON_ZERO_GPU else _run(key, images, partial(_tell_all, watches))


def _tell_all(watches: Sequence[Watch | None], done: int, total: int) -> None:
    """Tell all who wait for a batch of a pass.

    Raises:
        Overtaken: None of them waits any more.
    """
    waiting = len(watches)
    for watch in watches:
        try:
            if watch:
                watch(done, total)
        except Overtaken:
            waiting -= 1
    if not waiting:
        raise Overtaken


_batcher = MicroBatcher(_run_batch, _BATCH)


def run_network(
    network: str,
    image: Image.Image,
    size: AnalysisSize = None,
    best_quality: bool = False,
    watch: Watch | None = None,
) -> Segmentation:
    """Run one network on one photo, together with those of other visitors who wait for the same.

    Raises:
        Overtaken: From `watch`, which is told of each pass, when nobody waits for the result any more.
    """
    return _batcher((network, size, best_quality), (image, watch))


@GPU(duration=60)
def run_several(names: Sequence[str], image: Image.Image) -> list[Segmentation]:
    """Run several networks on one photo; those of one checkpoint share a pass."""
    found: dict[str, Segmentation] = {}
    for name in names:
        if name not in found:
            shared = [each for each in names if each in catalog.find(name).sharing]
            found |= {each: maps[0] for each, maps in load_segmenter(name).outputs(shared, [image]).items()}
    return [found[name] for name in names]


def run_at_start(network: str, image: Image.Image, size: AnalysisSize, best_quality: bool) -> Segmentation:
    """Run a network before there is a visitor; ZeroGPU lends its GPU to visitors alone."""
    if not _ON_ZERO_GPU:
        return run_network(network, image, size, best_quality)
    for each in catalog.BUNDLED:  # moved to the GPU here, once, and not in every visitor's turn
        load_segmenter(each)
    return Segmenter.load(network, "cpu")(image, size, best_quality)
