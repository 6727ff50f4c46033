"""The kinds of networks on offer: bundled, one's own, and torchvision's; what is known of each, and how it loads."""

import colorsys
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from torchvision.models import WeightsEnum, get_weight

from segdemo import weights
from segdemo.checkpoints import FOLDER, load, load_metadata
from segdemo.metadata import Metadata
from segdemo.models import SegmentationNetwork
from segdemo.models.pretrained import from_torchvision

CHECKPOINTS = FOLDER
OWN = Path(os.environ.get("SEGDEMO_OWN", "own"))
"""The folder of checkpoints of one's own, which are offered beside those of the table."""
_TORCHVISION_LICENCE = "BSD-3-Clause (torchvision)"
_TORCHVISION_TERMS = (
    "The weights may carry the terms of the images that they were trained on: whoever uses them finds out whether that "
    "use is allowed."
)


@dataclass(frozen=True)
class Entry(ABC):
    """A network that a person can choose.

    Attributes:
        name: As on the command line and in the API.
        title: As on the page.
        group: What it knows, one of the catalog's `GROUPS`.
        story: What it is, in one line.
        arguments: Of the builder, those in which it differs from what the metadata says, such as an FCN's `stride`.
    """

    name: str
    title: str
    group: str
    story: str
    arguments: dict[str, Any] = field(default_factory=dict, kw_only=True)
    _verified: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The title with the group behind it; no two are the same."""
        return f"{self.title} · {self.group}"

    @property
    @abstractmethod
    def path(self) -> Path:
        """The file that holds its weights, or will."""

    @property
    def file(self) -> str:
        """That file's name."""
        return self.path.name

    @property
    def is_present(self) -> bool:
        """Whether that file is on this machine."""
        try:
            return self.path.is_file()
        except OSError:  # in a folder that may not be looked into
            return False

    @property
    def metadata(self) -> Metadata:
        """What is known of it without its weights, here what its checkpoint says.

        Raises:
            CheckpointError: The checkpoint is missing or damaged.
        """
        return load_metadata(self.path)

    def fetch(self) -> None:  # noqa: B027 - of a checkpoint there is nothing to fetch
        """Make sure that the weights are on this machine.

        Raises:
            WeightsError: They would have to be downloaded and cannot be.
        """

    def load(self) -> SegmentationNetwork:
        """Build the network with its weights.

        Raises:
            CheckpointError: A checkpoint is missing, damaged, or a bundled one another than SHA256SUMS names.
            WeightsError: A file to be downloaded is neither there nor to be had, or damaged.
        """
        return load(self.path, self._verified, **self.arguments)[0]


@dataclass(frozen=True)
class Bundled(Entry):
    """A network whose checkpoint is a file in this repository's folder of them."""

    checkpoint: str
    _verified = True

    @property
    def path(self) -> Path:
        """Where the checkpoint lies."""
        return CHECKPOINTS / self.checkpoint

    @property
    def metadata(self) -> Metadata:
        """What the checkpoint says of itself."""
        return _metadata(self.path)


@dataclass(frozen=True)
class Own(Entry):
    """A network that whoever runs the program trained or taught; no table has the sum of its file.

    The file may lie elsewhere than in `OWN` under the network's name.
    """

    elsewhere: Path | None = None

    @property
    def path(self) -> Path:
        """Where the checkpoint lies."""
        return self.elsewhere or OWN / f"{self.name}.safetensors"


@dataclass(frozen=True)
class Pretrained(Entry):
    """A network that torchvision's pretrained weights make, fetched on first use.

    Attributes:
        weights_name: As `torchvision.models.get_weight` takes it.
        architecture: As `segdemo.models.pretrained.from_torchvision` takes it.
        backbone: torchvision's name of the model.
        analysis_size: The longer side, in pixels, at which the network sees a photo best.
        dataset: What it was trained on.
        has_background: Whether class 0 is the background.
    """

    weights_name: str
    architecture: str
    backbone: str
    analysis_size: int
    dataset: str
    has_background: bool

    @property
    def path(self) -> Path:
        """Where torchvision keeps the file."""
        return weights.cached_file(self.weights)

    @property
    def weights(self) -> WeightsEnum:
        """Torchvision's description of the weights."""
        return get_weight(self.weights_name)

    @property
    def metadata(self) -> Metadata:
        """What torchvision says of the weights: classes and preprocessing."""
        preprocessing = self.weights.transforms()
        classes = tuple(name.strip("_") for name in self.weights.meta["categories"])
        return Metadata(
            architecture=self.architecture,
            arguments={"backbone": self.backbone, "num_classes": len(classes)},
            classes=classes,
            colours=spread_colours(len(classes)),
            mean=tuple(preprocessing.mean),
            std=tuple(preprocessing.std),
            analysis_size=self.analysis_size,
            dataset=self.dataset,
            licence=_TORCHVISION_LICENCE,
            terms=_TORCHVISION_TERMS,
            has_background=self.has_background,
        )

    def fetch(self) -> None:
        """Download the weights unless they are there."""
        weights.fetch(self.weights)

    def load(self) -> SegmentationNetwork:
        """Build the network from torchvision's file."""
        try:
            return from_torchvision(self.architecture, self.backbone, weights.load(self.weights))
        except RuntimeError as error:
            raise weights.WeightsError(f"{self.file} holds another network's weights: delete it.") from error


_metadata = cache(load_metadata)


def spread_colours(count: int) -> tuple[str, ...]:
    """Make many colours, neighbours in the list far apart: turns of the golden angle round the circle of hues.

    That many cannot all be told apart, by colour-blind people least of all; the page names what it colours.
    """
    golden, lightness = 0.381966, (0.5, 0.65, 0.35)
    turns = (colorsys.hls_to_rgb(index * golden % 1, lightness[index % 3], 0.8) for index in range(count))
    return tuple("#" + "".join(f"{round(channel * 255):02x}" for channel in colour) for colour in turns)
