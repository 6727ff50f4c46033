"""The inference module: photos in, segmentations out, on the best device there is."""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from itertools import groupby
from math import ceil, lcm
from typing import cast, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from segdemo import catalog, tiles
from segdemo.best_quality import segment_best
from segdemo.devices import AUTO, channels_last, choose_device, choose_precision, device_lock
from segdemo.metadata import Metadata
from segdemo.models import SegmentationNetwork
from segdemo.models.inference import fold_batch_norm
from segdemo.models.network import Outputs
from segdemo.models.receptive_field import receptive_radius
from segdemo.seeing import AnalysisSize, fit, longer_side
from segdemo.segmentation import Segmentation

_BATCH = 32
_PIXELS_AT_ONCE = {"cpu": 1024 * 1024, "mps": 2048 * 2048, "cuda": 4096 * 4096}
_PIXELS_IN_BLOCKS = 4096 * 4096  # of one photo, on a CPU, where an FCN's stages run in blocks


Watch = Callable[[int, int], None]
"""Is told how many passes are done, and of how many; what it raises ends the work."""


class Segmenter:
    """A network ready to look at photos.

    Safe to share between threads: on a device there is one pass at a time, whichever the network; the others wait.
    It can be pickled and copied. In a forked child a CPU's pass runs in one thread and CUDA refuses, which are torch's
    limits: processes that are started by `spawn` have neither.

    Args:
        network: In `eval` mode; changed in place (BatchNorm folded, moved to the device, stages run in blocks).
        metadata: Its classes, normalisation and analysis size.
        precision: The number format of the pass: `float32`, `bfloat16`, `float16`, or `auto` (on CUDA bfloat16 where
            the card has it, else float16; float32 elsewhere).

    Attributes:
        pixels_at_once: That the network sees in one pass; more go in several batches, or one photo in tiles. It falls
            where memory does not hold them.
    """

    def __init__(
        self,
        name: str,
        network: SegmentationNetwork,
        metadata: Metadata,
        device: torch.device,
        precision: str = AUTO,
    ) -> None:
        self.name = name
        self.metadata = metadata
        self.device = device
        # Chosen when a pass runs: on ZeroGPU there is no card to ask before.
        self._precision = precision if precision == AUTO else choose_precision(device, precision)
        self.network = channels_last(fold_batch_norm(network), device)
        self._mean, self._std = (torch.tensor(v, device=device).view(3, 1, 1) for v in (metadata.mean, metadata.std))
        self.pixels_at_once = _PIXELS_AT_ONCE.get(device.type, _PIXELS_AT_ONCE["cpu"])
        if device.type == "cpu" and network.run_in_blocks():
            self.pixels_at_once = _PIXELS_IN_BLOCKS
        self._radii: dict[tuple[int, ...], int] = {}

    @classmethod
    def load(cls, name: str, device: str = "auto", precision: str = AUTO) -> "Segmenter":
        """Load a network of the catalog, such as `fcn8s_vgg16`, or from the path of a checkpoint.

        The device is `auto`, `cpu`, `cuda` or `mps`, the precision what `choose_precision` takes.

        Raises:
            ValueError: There is no such network, device or precision.
            CheckpointError: Its checkpoint is missing or damaged.
        """
        entry = catalog.find_or_open(name)
        return cls(entry.name, entry.load(), entry.metadata, choose_device(device), precision)

    @property
    def _lock(self) -> threading.Lock:
        """Looked up, not kept: a lock can be neither pickled nor copied."""
        return device_lock(self.device.type)

    @property
    def precision(self) -> str:
        """The number format of the pass."""
        return choose_precision(self.device, self._precision)

    @overload
    def __call__(
        self,
        images: Image.Image,
        analysis_size: AnalysisSize = ...,
        best_quality: bool = ...,
        watch: Watch | None = ...,
    ) -> Segmentation: ...

    @overload
    def __call__(
        self,
        images: Sequence[Image.Image],
        analysis_size: AnalysisSize = ...,
        best_quality: bool = ...,
        watch: Watch | None = ...,
    ) -> list[Segmentation]: ...

    def __call__(
        self,
        images: Image.Image | Sequence[Image.Image],
        analysis_size: AnalysisSize = None,
        best_quality: bool = False,
        watch: Watch | None = None,
    ) -> Segmentation | list[Segmentation]:
        """Segment one photo, or several of any sizes.

        A photo that is seen at more pixels than the device takes at once is seen in tiles, with the same result.

        Args:
            images: Upright RGB.
            analysis_size: The longer side, in pixels, at which the network sees them; None takes its own, `full` the
                photo's.
            best_quality: Average the probabilities over three sizes and the mirrored photos, in six passes.
            watch: Is told of each pass before it begins.

        Returns:
            A segmentation, or a list in the same order.

        Raises:
            ValueError: The analysis size is out of range.
        """
        several = [images] if isinstance(images, Image.Image) else list(images)
        watch = watch or (lambda _done, _total: None)
        if best_quality:
            found = segment_best(several, analysis_size, self.metadata.analysis_size, self._segment, watch)
        else:
            watch(0, 1)
            found = self._segment(several, analysis_size)
        return found[0] if isinstance(images, Image.Image) else found

    def outputs(
        self, names: Sequence[str], images: Sequence[Image.Image], analysis_size: AnalysisSize = None
    ) -> dict[str, list[Segmentation]]:
        """Segment photos by several networks of this one's checkpoint, in one pass through what they share.

        Args:
            names: Of `catalog.sharing`, this network's own among them or not.
            images: Upright RGB.
            analysis_size: As `__call__` takes it.

        Returns:
            By network name a segmentation for each photo. The time of the pass is in each: it was needed for each.

        Raises:
            ValueError: The analysis size is out of range.
        """
        strides = {name: cast(int, catalog.find(name).arguments.get("stride", self.network.stride)) for name in names}
        found = self._segment_all(list(images), analysis_size, tuple(strides.values()))
        return {name: [replace(each[stride], network=name) for each in found] for name, stride in strides.items()}

    def _segment(self, images: list[Image.Image], analysis_size: AnalysisSize) -> list[Segmentation]:
        stride = self.network.stride
        return [each[stride] for each in self._segment_all(images, analysis_size, (stride,))]

    def _segment_all(
        self, images: list[Image.Image], analysis_size: AnalysisSize, strides: tuple[int, ...]
    ) -> list[dict[int, Segmentation]]:
        """Segment by the outputs of some strides."""
        results: dict[int, dict[int, Segmentation]] = {}
        usual = self.metadata.analysis_size
        sizes = [fit(image.size, longer_side(analysis_size, usual, max(image.size))) for image in images]
        for size, group in groupby(sorted(range(len(images)), key=sizes.__getitem__), key=sizes.__getitem__):
            waiting = list(group)
            while waiting:
                batch = waiting[: self._batch_size(size)]
                try:
                    segmentations = self._pass([images[i] for i in batch], size, strides)
                except torch.OutOfMemoryError:
                    if not self._see_less(min(self.pixels_at_once, len(batch) * size[0] * size[1])):
                        raise
                    continue
                results.update(zip(batch, segmentations, strict=True))
                del waiting[: len(batch)]
        return [results[i] for i in range(len(images))]

    def _batch_size(self, size: tuple[int, int]) -> int:
        pixels = min(self.pixels_at_once, _PIXELS_AT_ONCE.get(self.device.type, _PIXELS_AT_ONCE["cpu"]))
        return min(_BATCH, max(1, pixels // (size[0] * size[1])))

    def _see_less(self, seen: int) -> bool:
        """Halve what is seen at once, from now on, since memory did not hold `seen` pixels; say whether that can be."""
        least = self._cut((self.network.stride,)).least
        if seen <= least:
            return False
        self.pixels_at_once = max(seen // 2, least)
        return True

    def _cut(self, strides: tuple[int, ...]) -> tiles.Cut:
        """Say how photos are cut into tiles for the outputs of some strides."""
        multiple = lcm(self.network.size_multiple, self.network.stride)
        if strides not in self._radii:
            with self._lock:
                self._radii[strides] = receptive_radius(
                    self.network, lambda x: self.network.outputs(x, strides), multiple
                )
        return tiles.Cut(self.pixels_at_once, ceil(self._radii[strides] / multiple) * multiple, multiple)

    def _pass(
        self, images: list[Image.Image], size: tuple[int, int], strides: tuple[int, ...]
    ) -> list[dict[int, Segmentation]]:
        """Look once at photos that are seen at the same size; at one photo in tiles if it is too large."""
        times: dict[str, float] = {}
        with _timed(times, "resize"):
            seen = [each if each.size == size else each.resize(size, Image.Resampling.BILINEAR) for each in images]
        if size[0] * size[1] > self.pixels_at_once:
            outputs = tiles.score(seen[0], self._cut(strides), lambda tile: self._forward(tile, strides, times))
        else:
            outputs = self._forward(torch.from_numpy(np.stack([np.asarray(each) for each in seen])), strides, times)
        milliseconds = {step: value / len(images) for step, value in times.items()}
        return [
            {
                stride: Segmentation(
                    network=self.name,
                    classes=self.metadata.classes,
                    colours=self.metadata.colours,
                    image_size=image.size,
                    analysis_size=size,
                    score_map=score_maps[index],
                    scores=scores[index],
                    extent=(size[0] / cell, size[1] / cell),
                    stride=stride,
                    device=self.device.type,
                    precision=self.precision,
                    milliseconds=dict(milliseconds),
                    has_background=self.metadata.has_background,
                )
                for stride, (score_maps, scores) in outputs.items()
                for cell in (stride if scores is score_maps else 1,)
            }
            for index, image in enumerate(images)
        ]

    def _forward(self, pixels: Tensor, strides: tuple[int, ...], times: dict[str, float]) -> Outputs:
        """Normalise and run: uint8 `[N, H, W, 3]` → for each stride float32 score maps and scores on the CPU."""
        on_cuda = self.device.type == "cuda"
        with self._lock, _timed(times, "network"), torch.inference_mode():
            # From pinned memory a card fetches them by itself.
            sent = pixels.pin_memory().to(self.device, non_blocking=True) if on_cuda else pixels.to(self.device)
            # The permuted view of [N, H, W, 3] already is channels-last, so nothing is copied to get there.
            images = sent.permute(0, 3, 1, 2).float().div_(255).sub_(self._mean).div_(self._std)
            with self.autocast():
                outputs = self.network.outputs(images, strides)
            copies = {stride: _to_cpu(*output) for stride, output in outputs.items()}
            if on_cuda:  # once, for upload, pass and copies: what is measured is all of them
                torch.cuda.current_stream(self.device).synchronize()
            return copies

    def autocast(self) -> AbstractContextManager[object]:
        """Give the context in which layers compute in the segmenter's precision."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, getattr(torch, self.precision))


def _to_cpu(score_map: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Copy to the CPU as float32; from CUDA without waiting, so what is there may be read only after its stream is."""

    def copy(tensor: Tensor) -> Tensor:
        return tensor.float().contiguous().to("cpu", non_blocking=tensor.is_cuda)

    copied = copy(score_map)
    return copied, copied if scores is score_map else copy(scores)


@contextmanager
def _timed(times: dict[str, float], step: str) -> Generator[None]:
    start = time.perf_counter()
    yield
    times[step] = times.get(step, 0.0) + (time.perf_counter() - start) * 1000
