"""The one table of networks on offer."""

import colorsys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from torchvision.models import WeightsEnum, get_weight

from segdemo import weights
from segdemo.checkpoints import Metadata, load, load_metadata, verify
from segdemo.models import SegmentationNetwork
from segdemo.models.pretrained import from_torchvision

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"


@dataclass(frozen=True)
class Entry(ABC):
    """A network that a person can choose.

    Attributes:
        name: As on the command line and in the API.
        title: As on the page.
        story: What it is, in one line.
    """

    name: str
    title: str
    story: str

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
        return self.path.is_file()

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
        overrides: Builder arguments in which it differs from what the file names.
    """

    checkpoint: str
    overrides: dict[str, object] = field(default_factory=dict)

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
        verify(self.path)
        return load(self.path, **self.overrides)[0]


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
    return load_metadata(path)


def spread_colours(count: int) -> tuple[str, ...]:
    """Make many colours, neighbours in the list far apart: turns of the golden angle round the circle of hues.

    That many cannot all be told apart, by colour-blind people least of all; the page names what it colours.
    """
    golden, lightness = 0.381966, (0.5, 0.65, 0.35)
    turns = (colorsys.hls_to_rgb(index * golden % 1, lightness[index % 3], 0.8) for index in range(count))
    return tuple("#" + "".join(f"{round(channel * 255):02x}" for channel in colour) for colour in turns)


_FCN = "fcn_vgg16.safetensors"

ENTRIES = {
    entry.name: entry
    for entry in (
        Bundled(
            "fcn8s_vgg16",
            "VGG-FCN-8s",
            "VGG16 turned fully convolutional; skips from pool4 and pool3 refine it to one cell per 8×8 pixels.",
            _FCN,
            {"stride": 8},
        ),
        Bundled(
            "fcn16s_vgg16",
            "VGG-FCN-16s",
            "The same weights with one skip, from pool4: one cell per 16×16 pixels.",
            _FCN,
            {"stride": 16},
        ),
        Bundled(
            "fcn32s_vgg16",
            "VGG-FCN-32s",
            "The same weights with no skip: one cell per 32×32 pixels, then one learned transposed conv.",
            _FCN,
            {"stride": 32},
        ),
        Bundled(
            "conv1x1_vgg11",
            "Classifier, 1×1 conv",
            "A VGG11 that learned one label per image: its Linear layer became a 1×1 conv, upsampled ×16.",
            "conv1x1_vgg11.safetensors",
        ),
        Bundled(
            "unet_vgg16_bn",
            "U-Net",
            "The FCN's VGG16 encoder, frozen at first and then fine-tuned, and a decoder with a skip at every stage: "
            "a score for each pixel.",
            "unet_vgg16_bn.safetensors",
        ),
        Bundled(
            "conv1x1_resnet18",
            "ResNet18, 1×1 conv",
            "A ResNet18 that learned one label per image of any size, by adaptive pooling: its Linear layer became a "
            "1×1 conv, upsampled ×32.",
            "conv1x1_resnet18.safetensors",
        ),
        Pretrained(
            "dense_vgg16_imagenet",
            "VGG16, dense (ImageNet)",
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
            "ResNet18, 1×1 conv (ImageNet)",
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
            "ResNet50-FCN (VOC)",
            "torchvision's own FCN on a dilated ResNet50: the reference to compare with. 20 classes and background.",
            "FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1",
            "fcn_resnet",
            "fcn_resnet50",
            512,
            "the part of COCO with Pascal VOC's classes",
            has_background=True,
        ),
    )
}


BUNDLED = {name: entry for name, entry in ENTRIES.items() if isinstance(entry, Bundled)}


def find(name: str) -> Entry:
    """Look a network up.

    Raises:
        ValueError: None has this name; the message lists those that there are.
    """
    if name not in ENTRIES:
        raise ValueError(f"There is no network named {name!r}. Choose from {', '.join(ENTRIES)}.")
    return ENTRIES[name]


def siblings(name: str) -> dict[str, int]:
    """Give the networks that are outputs of one checkpoint with this one, itself included, and the stride of each.

    Nothing for a network that has one output, or that is not of the catalog.
    """
    entry = BUNDLED.get(name)
    if entry is None or "stride" not in entry.overrides:
        return {}
    return {e.name: e.overrides["stride"] for e in BUNDLED.values() if e.checkpoint == entry.checkpoint}
