"""How networks run for visitors: loaded once, on the lent GPU, and in batches for those who wait for the same one."""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache, partial
from typing import Any

import gradio as gr
from PIL import Image

from segdemo import catalog
from segdemo.devices import choose_device, is_zero_gpu
from segdemo.microbatch import MicroBatcher
from segdemo.seeing import AnalysisSize
from segdemo.segmentation import Segmentation
from segdemo.segmenter import Segmenter, Watch
from segdemo.ui.wish import Overtaken

try:  # On a ZeroGPU Space a GPU is there only inside functions that ask for one.
    from spaces import GPU  # ty: ignore[import-not-found] - it is there only
except ImportError:

    def GPU(duration: int) -> Callable[[Callable], Callable]:  # noqa: N802, D103 - spaces' own name
        return lambda function: function


Runner = Callable[[str, Image.Image, AnalysisSize, bool], Segmentation]
"""Runs a network, by its name, as a `Segmenter` does."""

_Key = tuple[str, AnalysisSize, bool]
_loading = threading.Lock()
# Titles of the errors of `spaces` where a visitor gets no GPU.
_NO_GPU = frozenset(
    f"ZeroGPU {reason}"
    for reason in ("quota exceeded", "pending credits exceeded", "illegal duration", "queue timeout", "client error")
)
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


_load_segmenter = cache(Segmenter.load)
_load_lent = lru_cache(maxsize=3)(Segmenter.load)  # of all visitors together: 60 MB each
_load_on_cpu = lru_cache(maxsize=8)(partial(Segmenter.load, device="cpu"))  # lent ones are among them


def _is_without_gpu(error: gr.Error) -> bool:
    return is_zero_gpu() and getattr(error, "title", "") in _NO_GPU


@GPU(duration=20)
def _run(key: _Key, images: list[Image.Image], watch: Watch | None = None) -> list[Segmentation]:
    network, size, best_quality = key
    return load_segmenter(network)(images, size, best_quality, watch)


def _run_batch(key: _Key, items: list[tuple[Image.Image, Watch | None]]) -> list[Segmentation]:
    images, watch = [image for image, _ in items], partial(_tell_all, [watch for _, watch in items])
    if not is_zero_gpu():
        return _run(key, images, watch)
    try:
        return _run(key, images)  # in another process, which cannot tell anything
    except gr.Error as error:
        if not _is_without_gpu(error):
            raise
    network, size, best_quality = key
    return _load_on_cpu(network)(images, size, best_quality, watch)


def _tell_all(watches: Sequence[Watch | None], done: int, total: int) -> None:
    """Tell all who wait for a batch of a pass; `Overtaken` where none of them waits any more."""
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


def run_several(names: Sequence[str], image: Image.Image) -> list[Segmentation]:
    """Run several networks on one photo; those of one checkpoint share a pass."""
    try:
        return _run_several(names, image)
    except gr.Error as error:
        if not _is_without_gpu(error):
            raise
    return _run_each(names, image, _load_on_cpu)


@GPU(duration=60)
def _run_several(names: Sequence[str], image: Image.Image) -> list[Segmentation]:
    return _run_each(names, image, load_segmenter)


def _run_each(names: Sequence[str], image: Image.Image, load: Callable[[str], Segmenter]) -> list[Segmentation]:
    found: dict[str, Segmentation] = {}
    for name in names:
        if name not in found:
            shared = [each for each in names if each in catalog.sharing(catalog.find(name))]
            found |= {each: maps[0] for each, maps in load(name).outputs(shared, [image]).items()}
    return [found[name] for name in names]


def were_without_gpu(segmentations: Iterable[Segmentation]) -> bool:
    """Say whether a Space whose GPU is lent made something of it on its CPU."""
    return is_zero_gpu() and any(each.device == "cpu" for each in segmentations)


def run_at_start(network: str, image: Image.Image, size: AnalysisSize, best_quality: bool) -> Segmentation:
    """Run a network before there is a visitor; ZeroGPU lends its GPU to visitors alone."""
    if not is_zero_gpu():
        return run_network(network, image, size, best_quality)
    for each in catalog.BUNDLED:  # moved to the GPU here, once, and not in every visitor's turn
        load_segmenter(each)
    return _load_on_cpu(network)(image, size, best_quality)
