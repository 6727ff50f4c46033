"""Many photos one after the other: files for each, a table of all, and a bad one stops none of the others."""

import codecs
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from segdemo import render, results
from segdemo.analysis import Style
from segdemo.images import ImageError, read_image
from segdemo.results import COLUMNS, choose_stems, choose_table
from segdemo.safe_files import explain, printable, write_bytes, write_text
from segdemo.segmentation import Segmentation
from segdemo.tables import as_csv


@dataclass(frozen=True)
class Item:
    """What became of one photo.

    Attributes:
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


def expand(paths: Sequence[Path]) -> list[Path]:
    """Put the files of a folder in its place, in the order of their names, without hidden ones and folders in it.

    What this program made of photos is no photo, and is left out. A folder that cannot be opened stays in the list: who
    reads it says why.
    """
    found: list[Path] = []
    for path in paths:
        try:
            inside = sorted(path.iterdir()) if path.is_dir() else [path]
        except (OSError, ValueError):  # the latter for a path with a zero byte
            inside = [path]
        found += [each for each in inside if each == path or (results.is_file(each) and not each.name.startswith("."))]
    return [path for path in found if not results.is_result(path)]


def read_list(file: Path) -> list[Path]:
    """Read the paths that a text file lists, one a line, in UTF-8 or, as PowerShell writes it, in UTF-16.

    Bytes that are no UTF-8 are kept as they are: names on Linux may hold any.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no text.
    """
    content = file.read_bytes()
    try:
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16") if wide else content.decode("utf-8-sig", "surrogateescape")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is damaged: a list of paths in UTF-8 or UTF-16 is needed") from error
    if "\0" in text:
        raise ValueError(f"{file} is no list of paths, one a line")
    return [Path(line) for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


def segment_all(photos: Sequence[Path], segment: Callable[[Image.Image], Segmentation]) -> Iterator[Item]:
    """Read and segment photos, each when it is asked for, by what makes a segmentation of an upright RGB image."""
    for path, stem in zip(photos, choose_stems(photos), strict=True):
        yield segment_one(path, stem, segment)


def segment_one(path: Path, stem: str, segment: Callable[[Image.Image], Segmentation]) -> Item:
    """Read and segment one photo; what is wrong with it is said in the item."""
    name = printable(path.name)
    try:
        if path.is_dir():
            next(path.iterdir(), None)  # a folder that can be opened was replaced by its files before
        image = read_image(path)
        return Item(path, stem, image, segment(image))
    except ImageError as error:
        problem = str(error)
    except ValueError as error:  # such as an analysis size that is too large for this photo
        problem = f"{name}: {error}"
    except OSError as error:
        error.filename = path.name  # on a page nobody needs to know where a photo lies
        problem = explain(error)
    except (MemoryError, RuntimeError) as error:  # torch's word for too little memory is the latter
        reason = (str(error).splitlines() or ["there is too little memory"])[0]
        problem = f"{name} could not be analysed: {reason}"
    return Item(path, stem, problem=problem)


def write_item(folder: Path, item: Item, style: Style, facts: Mapping[str, object] | None = None) -> dict[str, Path]:
    """Write an item without a problem: its index mask, overlay and heatmap as PNG, its facts, with more, as JSON.

    Where the facts are, the pictures are too, as the facts say: old facts go first, new ones come last.

    Returns:
        The paths by `mask`, `overlay`, `heatmap` and `facts`.

    Raises:
        OSError: A file cannot be written; it names the file.
    """
    image, segmentation = item.image, item.segmentation
    assert image is not None and segmentation is not None
    written = folder / results.facts_name(item.stem)
    photo = str(results.identify(item.path)["photo"])
    paths = {kind: folder / name for kind, name in results.picture_names(item.stem).items()}
    written.unlink(missing_ok=True)
    made = {}
    for kind, path in paths.items():
        content = results.encode(_draw(kind, image, segmentation, style), photo)
        write_bytes(path, content)
        made[path.name] = results.vouch(content)
    heatmap_class = segmentation.classes[segmentation.class_index(style.heatmap_class)]
    signed = results.sign({**segmentation.facts(), "heatmap_class": heatmap_class, **(facts or {})}, made)
    write_text(written, json.dumps(signed, indent=2))
    return {**paths, "facts": written}


def _draw(kind: str, image: Image.Image, segmentation: Segmentation, style: Style) -> Image.Image:
    if kind == "heatmap":
        return render.heatmap(segmentation.heatmap(segmentation.class_index(style.heatmap_class)), style.colormap)
    class_map, colours = segmentation.class_map(), segmentation.colours
    if kind == "mask":
        return render.index_mask(class_map, colours)
    return render.overlay(image, class_map, colours, style.opacity, segmentation.has_background)


def table_row(item: Item) -> dict[str, object]:
    """Say of a photo its name, its size, the share of each class, and what went wrong; all that a long batch keeps."""
    if not item.segmentation:
        return problem_row(item.path, item.problem)
    return row_from_facts(item.path, item.stem, item.segmentation.facts())


def problem_row(path: Path, problem: str) -> dict[str, object]:
    """Make the row of a photo that has no results."""
    return {"photo": path.name or str(path), "results": "", "problem": problem}


def row_from_facts(path: Path, stem: str, facts: Mapping[str, Any]) -> dict[str, object]:
    """Make a photo's row of what its JSON says."""
    width, height = facts["image_size"]
    # A class may be called "photo".
    areas = {f"class {name}" if name in COLUMNS else name: f"{share:.4f}" for name, share in facts["areas"].items()}
    return {"photo": path.name, "results": stem, "problem": "", "width": width, "height": height, **areas}


def describe_areas(row: Mapping[str, object], most: int | None = None) -> str:
    """Put a row's classes that occur, or the largest of them, into words, such as `cat 62.5%, background 37.5%`."""
    shares = [(float(str(share)), name) for name, share in row.items() if name not in COLUMNS]
    return ", ".join(f"{name} {share:.1%}" for share, name in sorted(shares, reverse=True)[:most] if share)


def write_table(folder: Path, rows: Sequence[dict[str, object]], photos: Sequence[Path] = ()) -> Path:
    """Write rows of `table_row` as CSV, the classes that occur as columns, and give the table's path.

    It is `areas.csv` unless somebody else's file, or one of the photos, has that name.

    Raises:
        OSError: It cannot be written; it names the file.
    """
    classes = [name for name in dict.fromkeys(key for row in rows for key in row) if name not in COLUMNS]
    path = choose_table(folder, photos)
    write_text(path, as_csv([*COLUMNS[:-1], *classes, COLUMNS[-1]], rows))
    return path


def pack(folder: Path, archive: Path) -> None:
    """Put every file of a folder into one zip; pictures are compressed already, so they are only stored."""
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, path.name)
