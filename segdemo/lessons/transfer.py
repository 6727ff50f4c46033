"""Transfer learning: which ways to train there are, and what each of them changes."""

from dataclasses import dataclass

from torch import nn

from segdemo.models.unet import UNet

FROZEN, FINE_TUNED, FROM_NOTHING = "frozen", "fine-tuned", "from nothing"
TRAININGS: dict[str, tuple[str, ...]] = {FROZEN: ("stages.",), FINE_TUNED: (), FROM_NOTHING: ()}
"""Ways to train, each with the parts that it freezes, by the first words of their parameters' names."""
ARCHITECTURE = "unet_vgg"
ARGUMENTS: dict[str, object] = {"backbone": "vgg16_bn", "num_classes": 3, "widths": (160, 96, 64, 32, 16)}
"""The U-Net that the recorded runs trained."""


@dataclass(frozen=True)
class Part:
    """A part of a network, and what a way to train does with it.

    Attributes:
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
    """Bring a network, in place, into the state of one of `TRAININGS`: a frozen part learns nothing, in `eval` mode."""
    frozen = TRAININGS[training]
    network.train()
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(frozen))
    for name, module in network.named_modules():
        if f"{name}.".startswith(frozen):
            module.eval()
    return network


def parts(network: UNet, training: str) -> list[Part]:
    """Count by encoder stage and decoder block what one of `TRAININGS` changes; the network may be on `meta`."""
    prepare(network, training)
    named = [(f"encoder stage {index}", stage) for index, stage in enumerate(network.stages, 1)]
    named += [(f"decoder block {index}", block) for index, block in enumerate(network.decoder, 1)]
    return [_count(name, part) for name, part in [*named, ("score", network.score)]]


def trainable_count(module: nn.Module) -> int:
    """Count the single numbers that training would change."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def _count(name: str, part: nn.Module) -> Part:
    norms = norms_in(part)
    return Part(
        name,
        sum(parameter.numel() for parameter in part.parameters()),
        trainable_count(part),
        sum(2 * norm.num_features for norm in norms),
        any(norm.training for norm in norms),
    )


def start_of(part: str, training: str) -> str:
    """Say where the weights of a part, by its name, come from in one of `TRAININGS`."""
    copied = part.startswith("encoder") and training != FROM_NOTHING
    return "another network" if copied else "random weights (He)"


def norms_in(module: nn.Module) -> list[nn.BatchNorm2d]:
    """Give the BatchNorms of a network, from the first to the last."""
    return [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
