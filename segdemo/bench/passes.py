"""The network passes alone: against the machine's matrix products, crops, and the padding of the first FCNs."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from segdemo import catalog
from segdemo.bench.timing import Timing, measure, measure_in_turn
from segdemo.models import SegmentationNetwork
from segdemo.segmenter import Segmenter

SIDE = 512  # pixels
_MATRIX = {"cuda": 8192}  # rows and columns of the product that gives the machine's rate
_USUAL_MATRIX = 2048
_BATCH = {"cuda": 32}  # photos in a pass; a CPU has enough to do with one
_CROP = 128  # pixels, of the sliding crops
_CROPS_AT_ONCE = 32
_PADDING = 100  # of the first conv in Long, Shelhamer, Darrell, 2015
_FCN, _CLASSIFIER = "fcn8s_vgg16", "conv1x1_vgg11"


def forward_vs_matmul(segmenters: dict[str, Segmenter], runs: int) -> dict[str, dict[str, float]]:
    """Compare each network's rate in a forward pass with the machine's in a large matrix product of its precision.

    Returns:
        By network: `batch` (32 photos on CUDA, else one), `precision`, `gflops` of the pass at 512×512, seconds,
        `gflops_per_s`, `matmul_gflops_per_s`, and `ratio`.
    """
    found = {}
    for name, segmenter in segmenters.items():
        kind, precision = segmenter.device.type, segmenter.precision
        images = _images(segmenter, SIDE, _BATCH.get(kind, 1))
        flops = count_flops(segmenter.network, images)
        side = _MATRIX.get(kind, _USUAL_MATRIX)
        a, b = (torch.randn(side, side, device=kind).to(getattr(torch, precision)) for _ in range(2))
        passes, products = measure_in_turn(_pass(segmenter, images), lambda a=a, b=b: _done(a @ b), runs)
        rates = flops / passes.median / 1e9, 2 * side**3 / products.median / 1e9
        found[name] = {
            "batch": len(images),
            "precision": precision,
            "gflops": flops / 1e9,
            **_named("seconds", passes),
            "gflops_per_s": rates[0],
            "matmul_gflops_per_s": rates[1],
            "ratio": rates[0] / rates[1],
        }
    return found


def count_flops(network: SegmentationNetwork, images: Tensor) -> int:
    """Count the floating-point operations of a forward pass: two for each multiply-add."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(images)
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
    ours, theirs = measure_in_turn(_pass(segmenter, images), _pass(segmenter, wide), runs)
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
