"""What a checkpoint says of itself."""

import re
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

_CHANNELS = 3  # red, green, blue


class CheckpointError(ValueError):
    """A file is no checkpoint that can be used; the message says why in one sentence."""


@dataclass(frozen=True)
class Metadata:
    """What a checkpoint says of itself.

    Attributes:
        architecture: A key of `segdemo.models.ARCHITECTURES`.
        arguments: What its builder takes.
        classes: Class names, by index.
        colours: `#rrggbb`, by index.
        mean: Of each channel, photos scaled to 0–1.
        std: Of each channel.
        analysis_size: The longer side, in pixels, at which the network sees a photo best.
        dataset: What it was trained on.
        recipe: The recipe's name and settings.
        epochs: Passes over the data so far.
        metrics: Measured on the held-out part of the training data.
        has_background: Whether class 0 is the background.
        trunk: Name of the file that holds the network's stages, where its own does not.
        trunk_sha256: Of that file.
        terms: What else whoever uses the weights must know, in a sentence.

    Raises:
        ValueError: A value that the program computes with is missing or out of range.
    """

    architecture: str
    arguments: dict[str, Any]
    classes: tuple[str, ...]
    colours: tuple[str, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    analysis_size: int
    dataset: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    epochs: int = 0
    minutes: float = 0.0
    metrics: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    has_background: bool = True
    trunk: str = ""
    trunk_sha256: str = ""
    licence: str = ""
    terms: str = ""

    def __post_init__(self) -> None:
        checks = {
            "there are 2 to 65,535 classes, each a name": 1 < len(self.classes) < 1 << 16  # as uint16 holds
            and all(isinstance(name, str) for name in self.classes),
            "each class has a colour #rrggbb": len(self.colours) == len(self.classes)
            and all(re.fullmatch("#[0-9a-fA-F]{6}", colour) for colour in self.colours),
            "mean and std are three numbers, std above 0": len(self.mean) == len(self.std) == _CHANNELS
            and all(isfinite(value) for value in self.mean)
            and all(value > 0 for value in self.std),
            "analysis_size is at least 1": self.analysis_size >= 1,
            "the arguments' num_classes is the number of classes": isinstance(self.arguments, dict)
            and self.arguments.get("num_classes", len(self.classes)) == len(self.classes),
            "trunk is the name of a file": re.fullmatch(r"(\w[\w.-]*\.safetensors)?", self.trunk) is not None,
        }
        broken = [rule for rule, holds in checks.items() if not holds]
        if broken:
            raise ValueError(f"not so: {'; '.join(broken)}")
