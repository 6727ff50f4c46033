"""The one table of networks on offer."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from segdemo.checkpoints import Metadata, load, load_metadata
from segdemo.models import SegmentationNetwork

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"


@dataclass(frozen=True)
class Entry:
    """A network that a person can choose.

    Attributes:
        name: As on the command line and in the API.
        title: As on the page.
        story: What it is, in one line.
        checkpoint: File in the folder of checkpoints.
        overrides: Builder arguments in which it differs from what the file names.
    """

    name: str
    title: str
    story: str
    checkpoint: str
    overrides: dict[str, object] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where the checkpoint lies."""
        return CHECKPOINTS / self.checkpoint

    @property
    def metadata(self) -> Metadata:
        """What the checkpoint says of itself.

        Raises:
            CheckpointError: The file is missing or damaged.
        """
        return _metadata(self.path)

    def load(self) -> SegmentationNetwork:
        """Rebuild the network from its checkpoint.

        Raises:
            CheckpointError: The file is missing or damaged.
        """
        return load(self.path, **self.overrides)[0]


@cache
def _metadata(path: Path) -> Metadata:
    return load_metadata(path)


_FCN = "fcn_vgg16.safetensors"

ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(
            "fcn8s_vgg16",
            "VGG-FCN-8s",
            "VGG16 turned fully convolutional; skips from pool4 and pool3 refine it to one cell per 8×8 pixels.",
            _FCN,
            {"stride": 8},
        ),
        Entry(
            "fcn16s_vgg16",
            "VGG-FCN-16s",
            "The same weights with one skip, from pool4: one cell per 16×16 pixels.",
            _FCN,
            {"stride": 16},
        ),
        Entry(
            "fcn32s_vgg16",
            "VGG-FCN-32s",
            "The same weights with no skip: one cell per 32×32 pixels, then one learned transposed conv.",
            _FCN,
            {"stride": 32},
        ),
        Entry(
            "conv1x1_vgg11",
            "Classifier, 1×1 conv",
            "A VGG11 that learned one label per image: its Linear layer became a 1×1 conv, upsampled ×16.",
            "conv1x1_vgg11.safetensors",
        ),
    )
}


def find(name: str) -> Entry:
    """Look a network up.

    Raises:
        ValueError: None has this name; the message lists those that there are.
    """
    if name not in ENTRIES:
        raise ValueError(f"There is no network named {name!r}. Choose from {', '.join(ENTRIES)}.")
    return ENTRIES[name]
