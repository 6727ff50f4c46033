"""The one table of networks on offer."""

from pathlib import Path
from secrets import token_urlsafe

from segdemo import entries
from segdemo.checkpoints import load_metadata
from segdemo.entries import Bundled, Entry, Own, Pretrained
from segdemo.safe_files import quoted

PETS, STREETS, IMAGENET, VOC, YOURS = "pets and people", "streets", "ImageNet's 1,000", "VOC's 20", "your own"
GROUPS = (PETS, STREETS, IMAGENET, VOC, YOURS)
"""What networks know, in the order in which they are offered."""


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
    stems = (path.stem for path in sorted(entries.OWN.glob("*.safetensors")))
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


def sharing(entry: Entry) -> list[str]:
    """Name the networks whose outputs one pass gives: those of the same file, this one among them."""
    return [name for name, each in ENTRIES.items() if each.path == entry.path]


def find(name: str) -> Entry:
    """Look a network up, among one's own too as they are now, and among those that visitors brought.

    Raises:
        ValueError: None has this name; the message lists those that there are.
    """
    if name in _lent:
        return _lent[name]
    offered = ENTRIES | own_entries()
    if name not in offered:
        raise ValueError(f"There is no network named {quoted(name)}. Choose from {', '.join(offered)}.")
    return offered[name]


def find_or_open(name: str) -> Entry:
    """Look a network up as `find` does, or take a checkpoint by its file's path, which ends in `.safetensors`.

    Not for what a visitor of the page asks for, who has no business with the server's files.

    Raises:
        ValueError: There is no such network.
    """
    if not name.endswith(".safetensors"):
        return find(name)
    path = Path(name)
    return Own(path.stem, path.stem, YOURS, "A checkpoint of your own.", elsewhere=path)
