"""The one table of networks on offer."""

import colorsys
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from torchvision.models import WeightsEnum, get_weight

from segdemo import weights
from segdemo.checkpoints import FOLDER, Metadata, load, load_metadata
from segdemo.models import SegmentationNetwork
from segdemo.models.pretrained import from_torchvision

PETS, STREETS, IMAGENET, VOC, YOURS = "pets and people", "streets", "ImageNet's 1,000", "VOC's 20", "your own"
GROUPS = (PETS, STREETS, IMAGENET, VOC, YOURS)
"""What networks know, in the order in which they are offered."""
_TORCHVISION_LICENCE = "BSD-3-Clause (torchvision)"
_TORCHVISION_TERMS = (
    "The weights may carry the terms of the images that they were trained on: whoever uses them finds out whether that "
    "use is allowed."
)
CHECKPOINTS = FOLDER
OWN = Path(os.environ.get("SEGDEMO_OWN", "own"))
"""The folder of checkpoints of one's own, which are offered beside those of the table."""


@dataclass(frozen=True)
class Entry(ABC):
    """A network that a person can choose.

    Attributes:
        name: As on the command line and in the API.
        title: As on the page.
        group: What it knows, one of `GROUPS`.
        story: What it is, in one line.
        arguments: Of the builder, those in which it differs from what the metadata says, such as an FCN's `stride`.
    """

    name: str
    title: str
    group: str
    story: str
    arguments: dict[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def label(self) -> str:
        """The title with the group behind it; no two are the same."""
        return f"{self.title} · {self.group}"

    @property
    def sharing(self) -> list[str]:
        """The names of the networks whose outputs one pass gives: those of the same file, this one among them."""
        return [name for name, each in ENTRIES.items() if each.path == self.path]

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
    @abstractmethod
    def metadata(self) -> Metadata:
        """What is known of it without its weights.

        Raises:
            CheckpointError: A bundled file is missing or damaged.
        """

    @abstractmethod
    def fetch(self) -> None:
        """Make sure that the weights are on this machine.

        Raises:
            WeightsError: They would have to be downloaded and cannot be.
        """

    @abstractmethod
    def load(self) -> SegmentationNetwork:
        """Build the network with its weights.

        Raises:
            CheckpointError: A bundled file is missing, damaged, or another than SHA256SUMS names.
            WeightsError: A file to be downloaded is neither there nor to be had, or damaged.
        """


@dataclass(frozen=True)
class Bundled(Entry):
    """A network whose checkpoint lies in this repository.

    Attributes:
        checkpoint: File in the folder of checkpoints.
    """

    checkpoint: str

    @property
    def path(self) -> Path:
        """Where the checkpoint lies."""
        return CHECKPOINTS / self.checkpoint

    @property
    def metadata(self) -> Metadata:
        """What the checkpoint says of itself."""
        return _metadata(self.path)

    def fetch(self) -> None:
        """There is nothing to fetch."""

    def load(self) -> SegmentationNetwork:
        """Rebuild the network from its checkpoint, if that is the one whose sum the table has."""
        return load(self.path, verified=True, **self.arguments)[0]


@dataclass(frozen=True)
class Own(Entry):
    """A network that whoever runs the program trained or taught; no table has the sum of its file.

    Attributes:
        elsewhere: The file, where it is not in `OWN` under the network's name.
    """

    elsewhere: Path | None = None

    @property
    def path(self) -> Path:
        """Where the checkpoint lies."""
        return self.elsewhere or OWN / f"{self.name}.safetensors"

    @property
    def metadata(self) -> Metadata:
        """What the checkpoint says of itself."""
        return load_metadata(self.path)

    def fetch(self) -> None:
        """There is nothing to fetch."""

    def load(self) -> SegmentationNetwork:
        """Rebuild the network from its checkpoint."""
        return load(self.path)[0]


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


@cache
def _metadata(path: Path) -> Metadata:
    found = load_metadata(path)
    return found if found.terms else replace(found, licence="Apache-2.0", terms="Oxford-IIIT Pet: CC BY-SA 4.0")


def spread_colours(count: int) -> tuple[str, ...]:
    """Make many colours, neighbours in the list far apart: turns of the golden angle round the circle of hues.

    That many cannot all be told apart, by colour-blind people least of all; the page names what it colours.
    """
    golden, lightness = 0.381966, (0.5, 0.65, 0.35)
    turns = (colorsys.hls_to_rgb(index * golden % 1, lightness[index % 3], 0.8) for index in range(count))
    return tuple("#" + "".join(f"{round(channel * 255):02x}" for channel in colour) for colour in turns)


def _fcns(checkpoint: str, group: str, suffix: str = "") -> tuple[Bundled, ...]:
    """Offer the three outputs of an FCN, whose names end in `suffix`."""
    stories = {
        8: "VGG16 turned fully convolutional; skips from pool4 and pool3 refine it to one cell per 8×8 pixels.",
        16: "The same weights with one skip, from pool4: one cell per 16×16 pixels.",
        32: "The same weights with no skip: one cell per 32×32 pixels, then one learned transposed conv.",
    }
    return tuple(
        Bundled(f"fcn{s}s_vgg16{suffix}", f"VGG-FCN-{s}s", group, story, checkpoint, arguments={"stride": s})
        for s, story in stories.items()
    )


_ENTRIES = (
    *_fcns("fcn_vgg16.safetensors", PETS),
    *_fcns("fcn_vgg16_camvid.safetensors", STREETS, "_camvid"),
    Bundled(
        "conv1x1_vgg11",
        "Classifier, 1×1 conv",
        PETS,
        "A VGG11 that learned one label per image: its Linear layer became a 1×1 conv, upsampled ×16.",
        "conv1x1_vgg11.safetensors",
    ),
    Bundled(
        "unet_vgg16_bn",
        "U-Net",
        PETS,
        "The FCN's VGG16 encoder, frozen at first and then fine-tuned, and a decoder with a skip at every stage: "
        "a score for each pixel.",
        "unet_vgg16_bn.safetensors",
    ),
    Bundled(
        "conv1x1_resnet18",
        "ResNet18, 1×1 conv",
        PETS,
        "A ResNet18 that learned one label per image of any size, by adaptive pooling: its Linear layer became a "
        "1×1 conv, upsampled ×32.",
        "conv1x1_resnet18.safetensors",
    ),
    Pretrained(
        "dense_vgg16_imagenet",
        "VGG16, dense",
        IMAGENET,
        "torchvision's VGG16, its three Linear layers as 7×7, 1×1 and 1×1 convs: heatmaps of 1,000 classes.",
        "VGG16_Weights.IMAGENET1K_V1",
        "dense_vgg",
        "vgg16",
        448,
        "ImageNet-1K",
        has_background=False,
    ),
    Pretrained(
        "conv1x1_resnet18_imagenet",
        "ResNet18, 1×1 conv",
        IMAGENET,
        "torchvision's ResNet18: adaptive pooling takes any size; its Linear layer as a 1×1 conv. 1,000 classes.",
        "ResNet18_Weights.IMAGENET1K_V1",
        "conv1x1_resnet",
        "resnet18",
        448,
        "ImageNet-1K",
        has_background=False,
    ),
    Pretrained(
        "fcn_resnet50_voc",
        "ResNet50-FCN",
        VOC,
        "torchvision's own FCN on a dilated ResNet50: the reference to compare with. 20 classes and background.",
        "FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1",
        "fcn_resnet",
        "fcn_resnet50",
        512,
        "the part of COCO with Pascal VOC's classes",
        has_background=True,
    ),
)


def own_entries() -> dict[str, Entry]:
    """Find the checkpoints of one's own that are there now, but for those whose name the table has."""
    taken = {entry.name for entry in _ENTRIES}
    stems = (path.stem for path in sorted(OWN.glob("*.safetensors")))
    return {stem: Own(stem, stem, YOURS, "Trained on your own photos.") for stem in stems if stem not in taken}


ENTRIES = {entry.name: entry for entry in sorted(_ENTRIES, key=lambda entry: GROUPS.index(entry.group))} | own_entries()
"""The networks on offer; checkpoints of one's own as they were when the program started."""

BUNDLED = {name: entry for name, entry in ENTRIES.items() if isinstance(entry, Bundled)}


LENT = "taught-"
"""How the names of networks begin that a visitor brought."""
_lent: dict[str, Own] = {}
_MOST_LENT = 1000


def lend(path: Path) -> Entry:
    """Offer a visitor's file, under a name that no list has and nobody can guess, to whoever knows that name."""
    title = ", ".join(load_metadata(path).classes[1:])
    entry = Own(LENT + token_urlsafe(16), title, YOURS, "Trained on your own photos.", elsewhere=path)
    _lent[entry.name] = entry
    while len(_lent) > _MOST_LENT:
        del _lent[next(iter(_lent))]
    return entry


def find(name: str) -> Entry:
    """Look a network up, among one's own too as they are now, and among those that visitors brought.

    Raises:
        ValueError: None has this name; the message lists those that there are.
    """
    if name in _lent:
        return _lent[name]
    offered = ENTRIES | own_entries()
    if name not in offered:
        raise ValueError(f"There is no network named {name!r}. Choose from {', '.join(offered)}.")
    return offered[name]


def find_or_open(name: str) -> Entry:
    """Look a network up, or take a checkpoint by its file's path.

    Not for what a visitor of the page asks for, who has no business with the server's files.

    Args:
        name: As `find` takes it, or a path that ends in `.safetensors`.

    Raises:
        ValueError: There is no such network.
    """
    if not name.endswith(".safetensors"):
        return find(name)
    path = Path(name)
    return Own(path.stem, path.stem, YOURS, "A checkpoint of your own.", elsewhere=path)
