"""The network passes alone: against the machine's matrix products, crops, and the padding of the first FCNs."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from segdemo import catalog
from segdemo.bench.timing import Timing, measure, measure_in_turn
from segdemo.models import SegmentationNetwork
from segdemo.models.blocks import InBlocks
from segdemo.segmenter import Segmenter

SIDE = 512  # pixels
_MATRIX = {"cuda": 8192}  # rows and columns of the product that gives the machine's rate
_USUAL_MATRIX = 2048
_WIDTH = 32  # pixels of the image that stands for a matrix; divides the above
_BATCH = {"cuda": 32}  # photos in a pass; a CPU has enough to do with one
_CROP = 128  # pixels, of the sliding crops
_CROPS_AT_ONCE = 32
_PADDING = 100  # of the first conv in Long, Shelhamer, Darrell, 2015
_FCN, _CLASSIFIER = "fcn8s_vgg16", "conv1x1_vgg11"


def forward_vs_matmul(segmenters: dict[str, Segmenter], runs: int) -> dict[str, dict[str, float | str]]:
    """Compare each network's rate in a forward pass with the machine's in a large matrix product of its precision.

    The product is made twice: as such, and as a 1×1 conv, which is the same one. The libraries behind them differ, and
    on some processors one knows instructions that the other does not; the quicker is the machine's rate.

    Returns:
        By network: `batch` (32 photos on CUDA, else one), `precision`, `gflops` of the pass at 512×512, seconds,
        `gflops_per_s`, `matmul_gflops_per_s`, `conv1x1_gflops_per_s`, and `ratio`, to the higher of the two.
    """
    found: dict[str, dict[str, float | str]] = {}
    for name, segmenter in segmenters.items():
        kind, precision = segmenter.device.type, segmenter.precision
        images = _images(segmenter, SIDE, _BATCH.get(kind, 1))
        flops = count_flops(segmenter.network, images)
        side = _MATRIX.get(kind, _USUAL_MATRIX)
        timed = measure_in_turn(_pass(segmenter, images), *_products(side, kind, getattr(torch, precision)), runs=runs)
        counts = (flops, 2 * side**3, 2 * side**3)
        rates = [count / each.median / 1e9 for count, each in zip(counts, timed, strict=True)]
        found[name] = {
            "batch": len(images),
            "precision": precision,
            "gflops": flops / 1e9,
            **_named("seconds", timed[0]),
            "gflops_per_s": rates[0],
            "matmul_gflops_per_s": rates[1],
            "conv1x1_gflops_per_s": rates[2],
            "ratio": rates[0] / max(rates[1:]),
        }
    return found


def _products(side: int, device: str, dtype: torch.dtype) -> tuple[Callable[[], None], Callable[[], None]]:
    """Make the product of two square matrices, as such and as a 1×1 conv on an image of `side` pixels and channels."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    image = a.view(1, side // _WIDTH, _WIDTH, side).permute(0, 3, 1, 2)  # a pixel for a row, a channel for a column
    kernels = b.t().reshape(side, side, 1, 1).contiguous(memory_format=torch.channels_last)
    return lambda: _done(a @ b), lambda: _done(F.conv2d(image, kernels))


def count_flops(network: SegmentationNetwork, images: Tensor) -> int:
    """Count the floating-point operations of a forward pass: two for each multiply-add.

    What blocks of an image compute twice counts once: it is no work that was asked for.
    """
    blocks = [layer for layer in network.modules() if isinstance(layer, InBlocks)]
    usual = [layer.pixels for layer in blocks]
    try:
        for layer in blocks:
            layer.pixels = images.numel()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(images)
    finally:
        for layer, pixels in zip(blocks, usual, strict=True):
            layer.pixels = pixels
    return counter.get_total_flops()


def dense_vs_crops(segmenters: dict[str, Segmenter], runs: int) -> dict[str, float]:
    """Compare one dense pass with the same network on a crop about each cell, in batches.

    Returns:
        Seconds of both, the number of `crops`, and `ratio`, crops to dense.
    """
    segmenter = segmenters[_CLASSIFIER]
    images = _images(segmenter, SIDE // 2)
    stride, margin = segmenter.network.stride, (_CROP - segmenter.network.stride) // 2
    padded = F.pad(images, (margin,) * 4)
    crops = padded.unfold(2, _CROP, stride).unfold(3, _CROP, stride)
    crops = crops.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, _CROP, _CROP)

    @torch.inference_mode()
    def slide() -> None:
        with segmenter.autocast():
            for batch in crops.split(_CROPS_AT_ONCE):
                _done(segmenter.network.score_map(batch))

    sliding = measure(slide, max(runs // 5, 1))
    dense = measure(_pass(segmenter, images), runs)
    times = {**_named("dense_seconds", dense), **_named("crops_seconds", sliding)}
    return {**times, "crops": len(crops), "ratio": sliding.median / dense.median}


def vs_padding100(segmenters: dict[str, Segmenter], runs: int) -> dict[str, float]:
    """Compare FCN-8s with the same weights and a first conv that pads by 100, the rest cropped at the end.

    Returns:
        Seconds of both, and `ratio`, padded to ours.
    """
    segmenter = segmenters[_FCN]
    images = _images(segmenter, SIDE)
    wide = F.pad(images, (_PADDING - 1,) * 4)  # the conv itself pads by the hundredth pixel
    ours, theirs = measure_in_turn(_pass(segmenter, images), _pass(segmenter, wide), runs=runs)
    return {
        **_named("seconds", ours),
        **_named("padded_seconds", theirs),
        "ratio": theirs.median / ours.median,
    }


def load_all(device: str) -> dict[str, Segmenter]:
    """Load the bundled networks."""
    return {name: Segmenter.load(name, device) for name in catalog.BUNDLED}


def _images(segmenter: Segmenter, side: int, count: int = 1) -> Tensor:
    images = torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(0))
    return images.to(segmenter.device, memory_format=torch.channels_last)


def _pass(segmenter: Segmenter, images: Tensor) -> Callable[[], None]:
    @torch.inference_mode()
    def run() -> None:
        with segmenter.autocast():
            _done(segmenter.network(images))

    return run


def _done(result: Tensor) -> None:
    """Wait for a device that works in the background."""
    if result.device.type == "cuda":
        torch.cuda.synchronize(result.device)
    elif result.device.type == "mps":
        torch.mps.synchronize()


def _named(name: str, timing: Timing) -> dict[str, float]:
    return {name: timing.median, f"{name}_low": timing.low, f"{name}_high": timing.high}
