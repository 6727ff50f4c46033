"""Many photos one after the other: files for each, a table of all, and a bad one stops none of the others."""

import csv
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from segdemo import render
from segdemo.images import ImageError, read_image
from segdemo.segmentation import AUTO, Segmentation

TABLE = "areas.csv"
_COLUMNS = ("photo", "width", "height", "problem")


@dataclass(frozen=True)
class Item:
    """What became of one photo.

    Attributes:
        path: The photo's.
        stem: Under which its results are written; no two are equal.
        image: The upright photo, or None where it could not be read.
        segmentation: What the network made of it, or None.
        problem: Why not, in a sentence; empty where all went well.
    """

    path: Path
    stem: str
    image: Image.Image | None = None
    segmentation: Segmentation | None = None
    problem: str = ""


@dataclass(frozen=True)
class Style:
    """How results are drawn.

    Attributes:
        heat_class: The heatmap's class, or `auto`.
        opacity: Of the overlay, 0 to 1.
        colormap: Of the heatmap.
    """

    heat_class: str = AUTO
    opacity: float = 0.6
    colormap: str = render.HEAT_COLORMAPS[0]


def expand(paths: Sequence[Path]) -> list[Path]:
    """Put the files of a folder in its place, in the order of their names, without hidden ones and folders in it."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
        found += [each for each in inside if each == path or not each.name.startswith(".")]
    return found


def read_list(file: Path) -> list[Path]:
    """Read the paths that a text file lists, one a line.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no text.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no list of paths in UTF-8") from error
    return [Path(line) for line in lines if line.strip()]


def unique_stems(photos: Sequence[Path]) -> list[str]:
    """Name results after their photos; photos of the same name in different folders get a number."""
    stems: dict[str, str] = {}
    for photo in photos:
        stem, number = photo.stem, 1
        # Compared without case, since macOS and Windows take A and a for the same file.
        while stem.casefold() in stems:
            number += 1
            stem = f"{photo.stem}-{number}"
        stems[stem.casefold()] = stem
    return list(stems.values())


def segment_all(photos: Sequence[Path], segment: Callable[[Image.Image], Segmentation]) -> Iterator[Item]:
    """Read and segment photos, each when it is asked for.

    Args:
        photos: Their paths.
        segment: What makes a segmentation of an upright RGB photo.
    """
    for path, stem in zip(photos, unique_stems(photos), strict=True):
        yield segment_one(path, stem, segment)


def segment_one(path: Path, stem: str, segment: Callable[[Image.Image], Segmentation]) -> Item:
    """Read and segment one photo; what is wrong with it is said in the item."""
    try:
        image = read_image(path)
    except ImageError as error:
        return Item(path, stem, problem=str(error))
    try:
        return Item(path, stem, image, segment(image))
    except ValueError as error:  # such as an analysis size that is too large for this photo
        return Item(path, stem, problem=f"{path.name}: {error}")


def write_item(folder: Path, item: Item, style: Style, facts: Mapping[str, object] | None = None) -> dict[str, Path]:
    """Write a photo's index mask, overlay and heatmap as PNG and its facts as JSON.

    The facts come last and whole, so that where they are, the pictures are.

    Args:
        folder: Where to; it is there.
        item: Without a problem.
        style: How.
        facts: More to write into the JSON.

    Returns:
        The paths by `mask`, `overlay`, `heatmap` and `facts`.
    """
    segmentation = item.segmentation
    class_map, index = segmentation.class_map(), segmentation.class_index(style.heat_class)
    colours, has_background = segmentation.colours, segmentation.has_background
    pictures = {
        "mask": render.index_mask(class_map, colours),
        "overlay": render.overlay(item.image, class_map, colours, style.opacity, has_background),
        "heatmap": render.heatmap(segmentation.heatmap(index), style.colormap),
    }
    paths = {kind: folder / f"{item.stem}_{kind}.png" for kind in pictures}
    for kind, picture in pictures.items():
        picture.save(paths[kind])
    written = {**segmentation.facts(), "heatmap_class": segmentation.classes[index], **(facts or {})}
    paths["facts"] = folder / f"{item.stem}.json"
    partial = folder / f".{item.stem}.json.partial"
    partial.write_text(json.dumps(written, indent=2), encoding="utf-8")
    partial.replace(paths["facts"])
    return paths


def table_row(item: Item) -> dict[str, object]:
    """Say of a photo its name, its size, the share of each class, and what went wrong; all that a long batch keeps."""
    if not item.segmentation:
        return {"photo": item.path.name, "problem": item.problem}
    return row_from_facts(item.path, item.segmentation.facts())


def row_from_facts(path: Path, facts: Mapping[str, object]) -> dict[str, object]:
    """Make a photo's row of what its JSON says."""
    width, height = facts["image_size"]
    areas = {name: f"{share:.4f}" for name, share in facts["areas"].items()}
    return {"photo": path.name, "problem": "", "width": width, "height": height, **areas}


def describe_areas(row: Mapping[str, object], most: int | None = None) -> str:
    """Put a row's classes that occur into words, the largest first, such as `cat 62.5%, background 37.5%`.

    Args:
        row: Of `table_row`.
        most: Classes that are named; None names all.
    """
    shares = [(float(share), name) for name, share in row.items() if name not in _COLUMNS]
    return ", ".join(f"{name} {share:.1%}" for share, name in sorted(shares, reverse=True)[:most] if share)


def write_table(folder: Path, rows: Sequence[dict[str, object]]) -> Path:
    """Write rows of `table_row` as CSV, the classes that occur as columns."""
    classes = [name for name in dict.fromkeys(key for row in rows for key in row) if name not in _COLUMNS]
    path = folder / TABLE
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*_COLUMNS[:3], *classes, *_COLUMNS[3:]])
        writer.writeheader()
        writer.writerows(rows)
    return path


def pack(folder: Path, archive: Path) -> None:
    """Put every file of a folder into one zip; pictures are compressed already, so they are only stored."""
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, path.name)
