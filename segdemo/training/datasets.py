"""Data sets: folders of photos and index masks with their class names. Three are known by name, others by layout."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.datasets import OxfordIIITPet

from segdemo.entries import spread_colours
from segdemo.images.decode import decode_mask, decode_photo
from segdemo.metadata import Metadata
from segdemo.training.dataset_files import DataError, by_stem, decode_file, lines_of

IGNORE = 255
"""The label of a pixel that no loss and no metric counts."""
IGNORED = "ignore"
"""Stands for `IGNORE` in a list of classes, and in a translation."""
SPLITS = ("train", "held-out", "test")

_HELD_OUT_EVERY = 20  # one photo in twenty is kept out of training, to choose settings by
_TEST_EVERY = 5  # of a folder without lists
_PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_NO_CLASS = 254  # in a look-up: a mask must not have this value
_PERSON_COLOUR, _CAT_COLOUR, _DOG_COLOUR = "#cc79a7", "#e69f00", "#56b4e9"  # Okabe and Ito's


@dataclass(frozen=True)
class Item:
    """One labelled photo.

    Attributes:
        photo: Its file.
        mask: An image of indices, as large as the photo.
        values: The class that each of the mask's values stands for; `IGNORE` for what is not labelled.
    """

    photo: Path
    mask: Path
    values: Mapping[int, int]

    def read(self) -> tuple[Image.Image, np.ndarray]:
        """Decode photo and mask.

        Returns:
            The photo (RGB) and its labels, uint8 `[H, W]`.

        Raises:
            DataError: A file is missing or damaged, the sizes differ, or the mask has a value that is no class.
        """
        photo, _ = decode_file(self.photo, decode_photo)
        mask = decode_file(self.mask, decode_mask)
        if mask.shape != (photo.height, photo.width):
            raise DataError(
                f"{self.mask} is {mask.shape[1]}×{mask.shape[0]} pixels, its photo {photo.width}×{photo.height}"
            )
        table = np.full(int(max(mask.max(), 255)) + 1, _NO_CLASS, np.uint8)
        for value, label in self.values.items():
            table[value] = label
        labels = table[mask]
        if (labels == _NO_CLASS).any():
            value = int(mask[labels == _NO_CLASS][0])
            raise DataError(f"{self.mask} has the value {value}, which is none of the data set's classes")
        return photo, labels


@dataclass(frozen=True)
class DataSet:
    """Labelled photos of one split and what their labels mean.

    Attributes:
        name: As on the command line.
        title: For a card.
        terms: What its makers say about its use.
        classes: Names, by index.
        colours: `#rrggbb`, by index.
        items: The photos.
    """

    name: str
    title: str
    terms: str
    classes: tuple[str, ...]
    colours: tuple[str, ...]
    items: tuple[Item, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[tuple[Image.Image, np.ndarray]]:
        return (item.read() for item in self.items)

    def translated(self, classes: tuple[str, ...], words: Mapping[str, str]) -> "DataSet":
        """Express the labels as indices of a network's classes; `words` names those that are called otherwise there.

        A class whose word is `ignore` is left out.

        Raises:
            DataError: The network has no class of a name.
        """
        new = {IGNORE: IGNORE}
        for index, name in enumerate(self.classes):
            wanted = words.get(name, name)
            if wanted not in (*classes, IGNORED):
                raise DataError(f"{self.name} has the class {name!r}, which is none of {', '.join(classes)}")
            new[index] = IGNORE if wanted == IGNORED else classes.index(wanted)
        items = tuple(replace(i, values={v: new[label] for v, label in i.values.items()}) for i in self.items)
        return replace(self, classes=classes, items=items)


def pets(root: Path, split: str, download: bool = False) -> DataSet:
    """Open the Oxford-IIIT Pet data set, in the layout that torchvision reads and fetches.

    Source: Parkhi, Vedaldi, Zisserman, Jawahar, "Cats and Dogs", CVPR 2012.
    """
    folder = root / "oxford-iiit-pet"
    if download:
        OxfordIIITPet(str(root), "test", "segmentation", download=True)
    listed = folder / "annotations" / ("test.txt" if split == "test" else "trainval.txt")
    items = []
    for line in lines_of(listed):
        name, _, species, *_ = [*line.split(), "", "", ""]
        if species not in ("1", "2"):
            raise DataError(f"{listed} has a line that is none of name, class, species and breed: {line!r}")
        paths = folder / "images" / f"{name}.jpg", folder / "annotations" / "trimaps" / f"{name}.png"
        items.append(Item(*paths, {1: int(species), 2: 0, 3: IGNORE}))  # a trimap: pet, background, border
    colours = ("#000000", _CAT_COLOUR, _DOG_COLOUR)
    classes = ("background", "cat", "dog")
    return DataSet("pets", "Oxford-IIIT Pet", "CC BY-SA 4.0", classes, colours, _part(items, split))


def people(root: Path, split: str) -> DataSet:
    """Open photos of people: Clothing Co-Parsing and the Human Segmentation Dataset, one mask each.

    Source of the first: Yang, Luo, Lin, "Clothing Co-Parsing by Joint Image Segmentation and Labeling", CVPR 2014.
    """
    folder = root / "people"
    names = lines_of(folder / ("test.txt" if split == "test" else "train.txt"))
    items = [
        Item(folder / "images" / f"{stem}.jpg", folder / "masks" / f"{stem}.png", {0: 0, 1: 1})
        for stem in (Path(name).stem for name in names)
    ]
    title = "Clothing Co-Parsing and Human Segmentation Dataset"
    terms = "no licence is named; published for research"
    return DataSet("people", title, terms, ("background", "person"), ("#000000", _PERSON_COLOUR), _part(items, split))


CAMVID = {
    "sky": "#56b4e9",
    "building": "#8c564b",
    "pole": "#bdbdbd",
    "road": "#6a51a3",
    "pavement": "#f0a3c8",
    "tree": "#009e73",
    "sign": "#f0e442",
    "fence": "#d55e00",
    "car": "#0072b2",
    "pedestrian": "#cc3311",
    "bicyclist": "#00e5c0",
}


def camvid(root: Path, split: str) -> DataSet:
    """Open CamVid with eleven classes, as the tutorial of SegNet arranges it; training takes its validation part too.

    Source: Brostow, Fauqueur, Cipolla, "Semantic Object Classes in Video", Pattern Recognition Letters 2009.
    """
    folder = root / "camvid"
    values = {**{index: index for index in range(len(CAMVID))}, len(CAMVID): IGNORE}
    items = []
    for part in ("test",) if split == "test" else ("train", "val"):
        if not (folder / part).is_dir():
            raise DataError(f"there is no folder {folder / part}: name another with --data")
        for mask in sorted((folder / f"{part}annot").glob("*.png")):
            items.append(Item(folder / part / f"{mask.stem}.jpg", mask, values))
    terms = "research and teaching, non-commercial"
    return DataSet("camvid", "CamVid", terms, tuple(CAMVID), tuple(CAMVID.values()), _part(items, split))


def own(root: Path, split: str) -> DataSet:
    """Open a folder of `images/`, `masks/` and `classes.txt`, optionally with `train.txt` and `test.txt`.

    `classes.txt` has a name a line, by index, and behind it optionally a colour as `#rrggbb`; a line `ignore` says that
    its index is not labelled. Without lists one photo in five is for the test.

    Raises:
        DataError: A file is missing, or a photo has no mask.
    """
    names, colours, values = _read_classes(root / "classes.txt")
    photos = by_stem(p for p in (root / "images").iterdir() if p.suffix.lower() in _PHOTO_ENDINGS)
    masks = by_stem((root / "masks").glob("*.png"))
    for stem, path in photos.items():
        if stem not in masks:
            raise DataError(f"{path} has no mask {stem}.png in {root / 'masks'}")
    for stem, path in masks.items():
        if stem not in photos:
            raise DataError(f"{path} has no photo of its name in {root / 'images'}")
    stems = _own_split(root, split, tuple(photos))
    for stem in stems:
        if stem not in photos:
            raise DataError(f"a list in {root} names {stem}, of which there is no photo")
    items = [Item(photos[stem], masks[stem], values) for stem in stems]
    chosen = tuple(items) if split == "test" else _part(items, split)
    if split == "train" and not chosen:
        raise DataError(f"{root} has no photo to train on")
    return DataSet(root.resolve().name, root.resolve().name, "the maker's own", names, colours, chosen)


def _own_split(root: Path, split: str, stems: tuple[str, ...]) -> list[str]:
    listed = root / ("test.txt" if split == "test" else "train.txt")
    if listed.is_file():
        return [Path(line).stem for line in lines_of(listed)]
    return [s for i, s in enumerate(stems) if (i % _TEST_EVERY == _TEST_EVERY - 1) == (split == "test")]


def _read_classes(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], dict[int, int]]:
    """Read names and colours, and the class that each mask value stands for."""
    rows = [line.rsplit(maxsplit=1) if "#" in line else [line] for line in lines_of(path)]
    values, names, colours = {IGNORE: IGNORE}, [], []
    spread = spread_colours(len(rows))
    for value, (name, *colour) in enumerate(rows):
        values[value] = IGNORE if name == IGNORED else len(names)
        if name != IGNORED:
            colours.append(colour[0] if colour else "#000000" if name == "background" else spread[value])
            names.append(name)
    if len(names) < 2:  # noqa: PLR2004
        raise DataError(f"{path} names fewer than two classes")
    return tuple(names), tuple(colours), values


KNOWN = {"pets": pets, "people": people, "camvid": camvid}


def open_dataset(root: Path, name: str | None, split: str, download: bool = False) -> DataSet:
    """Open a split of a data set under a folder, or a folder of one's own: `train`, `held-out`, or `test`.

    Held-out photos are those of the training part that training leaves out. The name is `pets`, which can be
    downloaded, `people` or `camvid`; None or any other means a folder of one's own.

    Raises:
        DataError: It is not there; the message names what is missing.
    """
    try:
        if name == "pets":
            return pets(root, split, download)
        return KNOWN[name](root, split) if name in KNOWN else own(root, split)
    except FileNotFoundError as error:
        raise DataError(f"there is no {error.filename}: name another folder with --data") from error


def learned_from(metadata: Metadata) -> list[str]:
    """Name the known data sets whose classes a checkpoint learned, the first one first."""
    known = [s["name"] for s in metadata.recipe.get("sources", ()) if s["name"] in KNOWN and not s["words"]]
    # Checkpoints from before there were several data sets name none.
    return known or (["pets"] if {"cat", "dog"} <= set(metadata.classes) else [])


def is_own(root: Path) -> bool:
    """Say whether a folder is laid out as one's own data set."""
    return (root / "classes.txt").is_file()


def _part(items: list[Item], split: str) -> tuple[Item, ...]:
    if split == "test":
        return tuple(items)
    return tuple(
        item for i, item in enumerate(items) if (i % _HELD_OUT_EVERY == _HELD_OUT_EVERY - 1) == (split == "held-out")
    )
