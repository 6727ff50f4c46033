"""Transfer learning: recorded runs, what is trainable, BatchNorm's statistics, and how freezing fails silently."""

import copy
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor, nn

from segdemo.models import SegmentationNetwork

FROZEN, FINE_TUNED, FROM_NOTHING = "frozen", "fine-tuned", "from nothing"
TRAININGS: dict[str, tuple[str, ...]] = {FROZEN: ("stages.",), FINE_TUNED: (), FROM_NOTHING: ()}
"""Ways to train, each with the parts that it freezes, by the first words of their parameters' names."""
ARCHITECTURE = "unet_vgg"
ARGUMENTS = {"backbone": "vgg16_bn", "num_classes": 3, "widths": (160, 96, 64, 32, 16)}
"""The U-Net that the recorded runs trained."""
RUNS = "transfer.csv"
"""The table of the recorded runs, in the folder of checkpoints."""
FIGURES = {
    "miou": "mIoU",
    "foreground_iou": "foreground IoU",
    "pixel_accuracy": "pixel accuracy",
    "loss": "training loss",
}
ALL_PHOTOS, FEW_PHOTOS, RATES = "all photos", "100 photos", "the encoder's rate"
COMPARISONS = (ALL_PHOTOS, FEW_PHOTOS, RATES)
_FEW, _USUAL_RATE = 100, 0.1


@dataclass(frozen=True)
class Point:
    """A row of a run's log.

    Attributes:
        step: Batches so far.
        minutes: Of training so far.
        figures: By the keys of `FIGURES`; NaN where there is none.
    """

    step: int
    minutes: float
    figures: dict[str, float]


@dataclass(frozen=True)
class Curve:
    """One recorded run.

    Attributes:
        training: A key of `TRAININGS`.
        photos: That it learned from.
        encoder_rate: The encoder's learning rate as a share of the decoder's.
        points: One or more.
    """

    training: str
    photos: int
    encoder_rate: float
    points: tuple[Point, ...]


def read_runs(path: Path) -> list[Curve]:
    """Read the recorded runs.

    Args:
        path: A CSV with the columns training, photos, encoder_rate, step, minutes and those of `FIGURES`.

    Raises:
        ValueError: The file is missing, empty or damaged; the message says so in a sentence.
    """
    if not path.is_file():
        raise ValueError(f"There are no recorded runs: {path.name} is missing.")
    points: dict[tuple[str, int, float], list[Point]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                run = row["training"], int(row["photos"]), float(row["encoder_rate"])
                figures = {key: float(row[key] or "nan") for key in FIGURES}
                points.setdefault(run, []).append(Point(int(row["step"]), float(row["minutes"]), figures))
    except (OSError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"The recorded runs in {path.name} are damaged.") from error
    if not points or any(training not in TRAININGS for training, *_ in points):
        raise ValueError(f"The recorded runs in {path.name} are damaged.")
    return [Curve(*run, tuple(found)) for run, found in points.items()]


def compared(curves: Sequence[Curve], comparison: str) -> dict[str, Curve]:
    """Choose the runs that one picture compares, and name them.

    Args:
        curves: From `read_runs`.
        comparison: One of `COMPARISONS`.

    Returns:
        The runs by the names that they have in the picture.
    """
    if comparison == RATES:
        chosen = [c for c in curves if c.training == FINE_TUNED and c.photos > _FEW]
        return {f"×{c.encoder_rate:g}": c for c in sorted(chosen, key=lambda curve: curve.encoder_rate)}
    usual = [c for c in curves if c.encoder_rate == _USUAL_RATE and (c.photos > _FEW) == (comparison == ALL_PHOTOS)]
    return {c.training: c for c in usual}


def figure_text(value: float) -> str:
    """Write a figure with three decimals, or say that there is none."""
    return f"{value:.3f}" if isfinite(value) else "not recorded"


@dataclass(frozen=True)
class Part:
    """A part of a network, and what a way to train does with it.

    Attributes:
        name: Of the part.
        parameters: Single numbers.
        trainable: Of them.
        statistics: BatchNorm's running means and variances, single numbers; they are no parameters.
        statistics_move: Whether training changes those.
    """

    name: str
    parameters: int
    trainable: int
    statistics: int
    statistics_move: bool


def prepare(network: nn.Module, training: str) -> nn.Module:
    """Bring a network into the state in which it is trained: a frozen part learns nothing and is in `eval` mode.

    Args:
        network: Changed in place.
        training: A key of `TRAININGS`.

    Returns:
        The same network.

    Raises:
        ValueError: There is no such way to train.
    """
    if training not in TRAININGS:
        raise ValueError(f"There is no training {training!r}. Choose from {', '.join(TRAININGS)}.")
    frozen = TRAININGS[training]
    network.train()
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(frozen))
    for name, module in network.named_modules():
        if f"{name}.".startswith(frozen):
            module.eval()
    return network


def parts(network: SegmentationNetwork, training: str) -> list[Part]:
    """Count by encoder stage and decoder block what a way to train changes.

    Args:
        network: A U-Net, also on the meta device; its state is changed.
        training: A key of `TRAININGS`.

    Raises:
        ValueError: There is no such way to train.
    """
    prepare(network, training)
    named = [(f"encoder stage {index}", stage) for index, stage in enumerate(network.stages, 1)]
    named += [(f"decoder block {index}", block) for index, block in enumerate(network.decoder, 1)]
    return [_count(name, part) for name, part in [*named, ("score", network.score)]]


def trainable_count(module: nn.Module) -> int:
    """Count the single numbers that training would change."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def _count(name: str, part: nn.Module) -> Part:
    norms = _norms(part)
    return Part(
        name,
        sum(parameter.numel() for parameter in part.parameters()),
        trainable_count(part),
        sum(norm.running_mean.numel() + norm.running_var.numel() for norm in norms),
        any(norm.training for norm in norms),
    )


def start_of(part: str, training: str) -> str:
    """Say where the weights of a part come from.

    Args:
        part: A `Part`'s name.
        training: A key of `TRAININGS`.
    """
    copied = part.startswith("encoder") and training != FROM_NOTHING
    return "another network" if copied else "random weights (He)"


def _norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]


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
    """Show batches to a stage whose parameters are all frozen by `requires_grad_(False)`.

    In `train` mode BatchNorm normalises by the batch and moves its running statistics towards it, whether or not its
    parameters are frozen: Ioffe, Szegedy, "Batch Normalization", ICML 2015. In `eval` mode it does neither.

    Args:
        stage: Convs and BatchNorms; left as it is.
        probe: `[N, C, H, W]`, what the outputs before and after are compared on.
        batches: Each `[N, C, H, W]`.
        train_mode: Whether the stage is in `train` or in `eval` mode while it sees the batches.
    """
    before, shown = (copy.deepcopy(stage).requires_grad_(False).eval() for _ in range(2))
    shown.train(train_mode)
    for batch in batches:
        shown(batch)
    shown.eval()
    layers = tuple(
        Statistics(old.running_mean, new.running_mean, old.running_var, new.running_var)
        for old, new in zip(_norms(before), _norms(shown), strict=True)
    )
    return Exposure(layers, _largest_change(before, shown), float((shown(probe) - before(probe)).abs().max()))


def random_crops(images: Sequence[Tensor], count: int, size: int, seed: int = 0) -> Tensor:
    """Cut squares out of images in turn: `[count, 3, size, size]`.

    Args:
        images: Each `[3, H, W]`, no side below `size`.
        count: Squares.
        size: Pixels a side.
        seed: Of the places.
    """
    generator = torch.Generator().manual_seed(seed)
    crops = []
    for index in range(count):
        image = images[index % len(images)]
        row, column = (int(torch.randint(side - size + 1, (), generator=generator)) for side in image.shape[1:])
        crops.append(image[:, row : row + size, column : column + size])
    return torch.stack(crops)


def darken(images: Tensor, brightness: float, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Multiply the brightness of normalised images, as if the photos had been taken in less light.

    Args:
        images: `[N, 3, H, W]`, normalised.
        brightness: 0 (black) to 1 (as they are).
        mean: That they were normalised by, a channel each.
        std: That they were normalised by, a channel each.
    """
    black = -torch.tensor(mean).view(3, 1, 1) / torch.tensor(std).view(3, 1, 1)
    return black + brightness * (images - black)


def _largest_change(before: nn.Module, after: nn.Module) -> float:
    pairs = zip(before.parameters(), after.parameters(), strict=True)
    return max(float((new.detach() - old.detach()).abs().max()) for old, new in pairs)


def _assign_to_the_parameters_method(encoder: nn.Module) -> None:
    for parameter in encoder.parameters():
        parameter.requires_grad_ = False


def _assign_to_the_parameters(encoder: nn.Module) -> None:
    for parameter in encoder.parameters():
        parameter.requires_grad = False


def _call_the_parameters_method(encoder: nn.Module) -> None:
    for parameter in encoder.parameters():
        parameter.requires_grad_(False)


WAYS_TO_FREEZE: dict[str, Callable[[nn.Module], object]] = {
    "parameter.requires_grad_ = False": _assign_to_the_parameters_method,
    "parameter.requires_grad_(False)": _call_the_parameters_method,
    "parameter.requires_grad = False": _assign_to_the_parameters,
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
    """Run a line of code on a copy of an encoder, train it for one step, and see what came of it.

    Args:
        encoder: Takes `[N, 3, H, W]`; left as it is.
        line: A key of `WAYS_TO_FREEZE`.

    Raises:
        ValueError: There is no such line.
    """
    if line not in WAYS_TO_FREEZE:
        raise ValueError(f"There is no line {line!r}. Choose from {', '.join(WAYS_TO_FREEZE)}.")
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
