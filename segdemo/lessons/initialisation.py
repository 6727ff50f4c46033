"""How weights start, and what that does to the activations, layer by layer.

Sources: Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010;
He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", ICCV 2015.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HE_FAN_IN, HE_FAN_OUT, XAVIER = "He, fan in", "He, fan out", "Xavier"
SMALL, LARGE, TORCH = "normal, std 0.01", "normal, std 1", "torch's default"
_IMAGES, _SIDE, _COLOURS = 2, 16, 3
_KERNEL = 3
_BINS = 41

# Midway, as factors go, between 1 and what a missing factor of two in the variance does to the std.
_STEADY = 2**0.25
_STAYS = 2.0


@dataclass(frozen=True)
class _Kind:
    draw: Callable[..., Tensor]
    std: Callable[[int, int], float]


_KINDS = {
    HE_FAN_IN: _Kind(
        lambda w, g: nn.init.kaiming_normal_(w, mode="fan_in", nonlinearity="relu", generator=g),
        lambda fan_in, _: (2 / fan_in) ** 0.5,
    ),
    HE_FAN_OUT: _Kind(
        lambda w, g: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu", generator=g),
        lambda _, fan_out: (2 / fan_out) ** 0.5,
    ),
    XAVIER: _Kind(
        lambda w, g: nn.init.xavier_normal_(w, generator=g),
        lambda fan_in, fan_out: (2 / (fan_in + fan_out)) ** 0.5,
    ),
    SMALL: _Kind(lambda w, g: nn.init.normal_(w, std=0.01, generator=g), lambda *_: 0.01),
    LARGE: _Kind(lambda w, g: nn.init.normal_(w, std=1.0, generator=g), lambda *_: 1.0),
    # What `nn.Conv2d` calls when it is made.
    TORCH: _Kind(
        lambda w, g: nn.init.kaiming_uniform_(w, a=5**0.5, generator=g),
        lambda fan_in, _: (3 * fan_in) ** -0.5,
    ),
}
KINDS = tuple(_KINDS)
"""Names of the ways to draw weights."""


@dataclass(frozen=True)
class Histogram:
    """Counts over bins of equal width, from `low` to `high`.

    Attributes:
        std: Standard deviation of the values.
        zero_share: Share of the values that are exactly zero and in no bin.
    """

    counts: tuple[int, ...]
    low: float
    high: float
    std: float
    zero_share: float


@dataclass(frozen=True)
class Stack:
    """A stack of 3×3 convs with fresh weights, and what one pass through it showed.

    Attributes:
        weights: Of the middle layer.
        activations: Of the first, the middle and the last layer, by the layer's number, counted from 1.
        stds: Standard deviation of each layer's activations.
        predicted: The same by the formula of He et al., section 2.2, for infinitely many channels.
    """

    weights: Histogram
    activations: dict[int, Histogram]
    stds: tuple[float, ...]
    predicted: tuple[float, ...]

    @property
    def factor(self) -> float:
        """What a layer multiplies the standard deviation by, in the geometric mean from the first layer on."""
        return _mean_factor(self.stds)

    @property
    def predicted_factor(self) -> float:
        """The same by the formula."""
        return _mean_factor(self.predicted)

    @property
    def verdict(self) -> str:
        """`vanishes`, `stays` or `explodes`."""
        ratio = self.stds[-1] / self.stds[0]
        if self.factor < 1 / _STEADY and ratio < 1 / _STAYS:
            return "vanishes"
        return "explodes" if self.factor > _STEADY and ratio > _STAYS else "stays"


def draw_weights(kind: str, channels: int, width: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw the weights of a 3×3 conv by one of `KINDS`: `[width, channels, 3, 3]`."""
    return _KINDS[kind].draw(torch.empty(width, channels, _KERNEL, _KERNEL), generator)


def weight_std(kind: str, channels: int, width: int) -> float:
    """Give the standard deviation that the kind's formula has for a 3×3 conv."""
    return _KINDS[kind].std(channels * _KERNEL**2, width * _KERNEL**2)


def predicted_stds(kind: str, depth: int, width: int, relu: bool) -> tuple[float, ...]:
    """Predict the standard deviation of each layer's activations from that of the weights.

    A conv multiplies the mean square by fan_in · Var(w). Of a symmetric distribution ReLU keeps half of the mean
    square; its own mean, of a normal one, takes 1/π of that half off the variance.
    """
    mean_square, stds, channels = 1.0, [], _COLOURS
    for _ in range(depth):
        mean_square *= channels * _KERNEL**2 * weight_std(kind, channels, width) ** 2
        mean_square /= 2 if relu else 1
        stds.append((mean_square * (1 - 1 / pi if relu else 1)) ** 0.5)
        channels = width
    return tuple(stds)


@torch.inference_mode()
def run_stack(kind: str, depth: int, width: int, relu: bool, seed: int = 0) -> Stack:
    """Draw a stack of 3×3 convs, without biases or BatchNorm, and send standard normal noise of 3 channels through it.

    The maps wrap round at their borders, so that padding with zeros does not weaken the activations too.

    There are at least two layers.
    """
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(_IMAGES, _COLOURS, _SIDE, _SIDE, generator=generator)
    middle, kernels, kept, stds = (depth + 1) // 2, [], {}, []
    for layer in range(1, depth + 1):
        kernels.append(draw_weights(kind, values.shape[1], width, generator))
        values = F.conv2d(F.pad(values, (1, 1, 1, 1), mode="circular"), kernels[-1])
        values = values.relu_() if relu else values
        stds.append(float(values.double().std()))  # squares of large values overflow float32
        if layer in (1, middle, depth):
            kept[layer] = histogram(values)
    return Stack(histogram(kernels[middle - 1]), kept, tuple(stds), predicted_stds(kind, depth, width, relu))


def histogram(values: Tensor) -> Histogram:
    """Count finite values over bins that reach as far left as right; exact zeros are left out and told."""
    flat = values.flatten().double()
    kept = flat[flat != 0]
    limit = float(kept.abs().max()) if kept.numel() else 1.0
    low = -limit if bool((kept < 0).any()) else 0.0
    counts = torch.histc(kept, _BINS, low, limit).int().tolist()
    return Histogram(tuple(counts), low, limit, float(flat.std()), 1 - kept.numel() / flat.numel())


def _mean_factor(stds: tuple[float, ...]) -> float:
    return (stds[-1] / stds[0]) ** (1 / (len(stds) - 1))
