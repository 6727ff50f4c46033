"""What frozen layers still do: BatchNorm's statistics move, and freezing itself fails silently."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segdemo.lessons.transfer import norms_in, trainable_count


@dataclass(frozen=True)
class Statistics:
    """A BatchNorm's running statistics before and after it saw some batches, each float32 `[channels]`."""

    mean_before: Tensor
    mean_after: Tensor
    var_before: Tensor
    var_after: Tensor

    @property
    def mean_change(self) -> float:
        """The largest absolute change of a channel's mean."""
        return float((self.mean_after - self.mean_before).abs().max())

    @property
    def most_moved(self) -> int:
        """The channel whose mean changed most."""
        return int((self.mean_after - self.mean_before).abs().argmax())

    @property
    def var_change(self) -> float:
        """The largest absolute change of a channel's variance."""
        return float((self.var_after - self.var_before).abs().max())


@dataclass(frozen=True)
class Exposure:
    """What showing batches to frozen layers did.

    Attributes:
        layers: One for each BatchNorm, from the first to the last.
        weight_change: Largest absolute change of a parameter.
        output_change: Largest absolute change of what comes out for the first batch, in `eval` mode.
    """

    layers: tuple[Statistics, ...]
    weight_change: float
    output_change: float


@torch.no_grad()
def show_batches(stage: nn.Module, probe: Tensor, batches: Sequence[Tensor], train_mode: bool) -> Exposure:
    """Show batches to a stage whose parameters are all frozen by `requires_grad_(False)`, in `train` or `eval` mode.

    In `train` mode BatchNorm normalises by the batch and moves its running statistics towards it, whether or not its
    parameters are frozen: Ioffe, Szegedy, "Batch Normalization", ICML 2015. In `eval` mode it does neither.

    The stage, convs and BatchNorms, is left as it is. Outputs before and after are compared on the probe. Probe and
    batches are `[N, C, H, W]`.
    """
    before, shown = (copy.deepcopy(stage).requires_grad_(False).eval() for _ in range(2))
    shown.train(train_mode)
    for batch in batches:
        shown(batch)
    shown.eval()
    pairs = zip(norms_in(before), norms_in(shown), strict=True)
    layers = tuple(
        Statistics(*(norm.get_buffer(name) for name in ("running_mean", "running_var") for norm in pair))
        for pair in pairs
    )
    return Exposure(layers, _largest_change(before, shown), float((shown(probe) - before(probe)).abs().max()))


def random_crops(images: Sequence[Tensor], count: int, size: int) -> Tensor:
    """Cut squares of `size` pixels a side out of images `[3, H, W]` in turn: `[count, 3, size, size]`."""
    generator = torch.Generator().manual_seed(0)
    crops = []
    for index in range(count):
        image = images[index % len(images)]
        row, column = (int(torch.randint(side - size + 1, (), generator=generator)) for side in image.shape[1:])
        crops.append(image[:, row : row + size, column : column + size])
    return torch.stack(crops)


def darken(images: Tensor, brightness: float, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Multiply the brightness, 0 (black) to 1, of `[N, 3, H, W]`, as if the photos had been taken in less light.

    They were normalised by mean and std, a channel each.
    """
    black = -torch.tensor(mean).view(3, 1, 1) / torch.tensor(std).view(3, 1, 1)
    return black + brightness * (images - black)


def _largest_change(before: nn.Module, after: nn.Module) -> float:
    pairs = zip(before.parameters(), after.parameters(), strict=True)
    return max(float((new.detach() - old.detach()).abs().max()) for old, new in pairs)


def _each(change: Callable[[nn.Parameter], object]) -> Callable[[nn.Module], object]:
    return lambda encoder: [change(parameter) for parameter in encoder.parameters()]


WAYS_TO_FREEZE: dict[str, Callable[[nn.Module], object]] = {
    "parameter.requires_grad_ = False": _each(lambda parameter: setattr(parameter, "requires_grad_", False)),
    "parameter.requires_grad_(False)": _each(lambda parameter: parameter.requires_grad_(False)),
    "parameter.requires_grad = False": _each(lambda parameter: setattr(parameter, "requires_grad", False)),
    "encoder.requires_grad_ = False": lambda encoder: setattr(encoder, "requires_grad_", False),
    "encoder.requires_grad = False": lambda encoder: setattr(encoder, "requires_grad", False),
    "encoder.requires_grad_(False)": lambda encoder: encoder.requires_grad_(False),
}
"""Lines of code that people write to freeze, with what they do; those on `parameter` run for every parameter."""


@dataclass(frozen=True)
class Freezing:
    """What a line of code that was to freeze an encoder did.

    Attributes:
        before: Trainable single numbers before it.
        after: Trainable single numbers after it.
        step_change: Largest absolute change of a parameter in one step of SGD that followed.
        error: torch's words when the true method is called afterwards; empty where it still works.
    """

    before: int
    after: int
    step_change: float
    error: str


def try_to_freeze(encoder: nn.Module, line: str) -> Freezing:
    """Run a line of `WAYS_TO_FREEZE` on a copy of an encoder, train it for one step, and see what came of it."""
    tried = copy.deepcopy(encoder).eval().requires_grad_(True)
    before = trainable_count(tried)
    WAYS_TO_FREEZE[line](tried)
    after = trainable_count(tried)
    _step(tried)
    return Freezing(before, after, _largest_change(encoder, tried), _error_of_the_method(tried))


def _step(network: nn.Module) -> None:
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    loss = network(images).square().mean()
    if loss.requires_grad:  # else there is nothing to learn
        loss.backward()
        torch.optim.SGD(network.parameters(), lr=0.1).step()


def _error_of_the_method(encoder: nn.Module) -> str:
    try:
        next(encoder.parameters()).requires_grad_(False)
        encoder.requires_grad_(False)
    except TypeError as error:
        return str(error)
    return ""
