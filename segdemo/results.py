"""The files that are made of a photo: their names, the mark by which they are known again, and whose they are."""

import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from io import BytesIO
from itertools import count
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

PICTURES = ("mask", "overlay", "heatmap")
TABLE = "areas.csv"
COLUMNS = ("photo", "results", "width", "height", "problem")
"""Of the table, the classes aside; `results` is how the names of a photo's files begin."""

_MAKER = "segdemo"
_MADE_BY, _REQUEST = "made_by", "request"
_TABLE_HEAD = ",".join(COLUMNS[:-1]).encode()
# Pillow writes texts behind the first chunk, so that they are found without decoding.
_PNG, _PNG_HEAD = b"\x89PNG\r\n\x1a\n", 128
_PNG_MARK = re.compile(rb"tEXt" + _MAKER.encode() + rb"\0([0-9a-f]{16})")
_LONGEST_FACTS = 1 << 24  # bytes
# A name may have 255 bytes on most disks; a number, an ending and a copy's "(1)" want room.
_LONGEST_STEM = 200
_FORBIDDEN = '<>:"/\\|?*'  # in names on Windows, where a zip may be unpacked


def picture_names(stem: str) -> dict[str, str]:
    """Give the names of a photo's pictures, by kind."""
    return {kind: f"{stem}_{kind}.png" for kind in PICTURES}


def facts_name(stem: str) -> str:
    """Give the name of a photo's facts, which stand for all of its files."""
    return f"{stem}.json"


def identify(photo: Path) -> dict[str, object]:
    """Say which photo a path leads to, and in which state it is; what cannot be read is found out by who decodes it."""
    try:
        status = photo.stat()
        return {"photo": str(photo.resolve()), "bytes": status.st_size, "changed_ns": status.st_mtime_ns}
    except (OSError, ValueError, RuntimeError):  # missing, with a zero byte, a link to itself
        return {"photo": os.path.abspath(photo)}  # noqa: PTH100 - `resolve` would raise again


def encode(picture: Image.Image, photo: str) -> bytes:
    """Make a PNG that bears the mark of this program, and of the photo's path that `identify` gives."""
    mark, content = PngInfo(), BytesIO()
    mark.add_text(_MAKER, _fingerprint(photo))
    picture.save(content, "PNG", pnginfo=mark)
    return content.getvalue()


def sign(facts: Mapping[str, object], files: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Let a photo's facts, for JSON, say who made them, and vouch for its pictures by name, as `vouch` does."""
    return {_MADE_BY: _MAKER, **facts, "files": dict(files)}


def vouch(content: bytes) -> dict[str, object]:
    """Give what tells a whole file from a cut or an exchanged one."""
    return {"bytes": len(content), "sha256": sha256(content).hexdigest()}


def is_whole(folder: Path, stem: str, facts: Mapping[str, object]) -> bool:
    """Say whether every picture that facts vouch for is there as it was written."""
    files = facts.get("files")
    if not isinstance(files, dict) or set(files) != set(picture_names(stem).values()):
        return False
    try:
        # Sizes first, which cost little.
        return all((folder / name).stat().st_size == made["bytes"] for name, made in files.items()) and all(
            vouch((folder / name).read_bytes()) == made for name, made in files.items()
        )
    except (OSError, TypeError, KeyError):
        return False


def read_facts(path: Path) -> dict[str, object] | None:
    """Read the facts that this program wrote; None where there are none, or those of somebody else."""
    try:
        if path.stat().st_size > _LONGEST_FACTS:
            return None
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) and facts.get(_MADE_BY) == _MAKER else None


def is_file(path: Path) -> bool:
    """Say whether a path leads to a file, also for paths of which the system will not even say that."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_result(path: Path) -> bool:
    """Say whether a file was made by this program, and so is no photo, whatever folder it lies in."""
    if not is_file(path):
        return False
    if path.name.endswith(tuple(picture_names("").values())):
        return _mark(path) is not None
    if path.suffix == ".json":
        return read_facts(path) is not None
    return path.suffix == ".csv" and _head(path, len(_TABLE_HEAD)) == _TABLE_HEAD


def choose_table(folder: Path, photos: Sequence[Path] = ()) -> Path:
    """Give the path of a folder's table: a number is added as long as a file of that name is somebody else's."""
    inputs = _inside(folder, photos)
    for number in count(1):
        path = folder / (TABLE if number == 1 else f"areas-{number}.csv")
        is_ours = is_result(path) and not path.is_symlink()
        if is_ours or (_is_free(path) and _key(path.name) not in inputs):
            return path
    raise AssertionError


def choose_stems(photos: Sequence[Path], folder: Path | None = None) -> list[str]:
    """Choose how the names of each photo's results begin: as the photo's, with a number where that is taken.

    It is taken by another photo of the list, also where names differ in case or in Unicode's normal form alone, since
    macOS and Windows take these for the same; and in the folder, where there is one, by what another photo's results,
    the photos themselves or somebody else's files would lose. A photo that has results there finds these again.
    """
    results = folder if folder is not None else Path()  # looked into only where something is there
    there = {_key(path.name) for path in results.iterdir()} if folder and folder.is_dir() else set()
    inputs = _inside(results, photos) if there else set()
    owner = cache(lambda stem: read_facts(results / facts_name(stem)))
    taken: set[str] = set()
    stems = []
    for photo in photos:
        base, identity = _plain(photo), None
        start = _key(base)
        for number in count(1):
            ending = "" if number == 1 else f"-{number}"
            if start + ending in taken:
                continue
            stem = base + ending
            names = {_key(name) for name in (*picture_names(stem).values(), facts_name(stem))}
            if names.isdisjoint(there):
                break
            identity = identity or identify(photo)
            if names.isdisjoint(inputs) and _may_be_written(results, stem, identity, owner(stem)):
                break
        taken.add(start + ending)
        stems.append(stem)
    return stems


def _may_be_written(folder: Path, stem: str, identity: Mapping[str, object], facts: dict[str, object] | None) -> bool:
    """Say whether nothing but this photo's own results lies under the names of its files."""
    pictures, written = [folder / name for name in picture_names(stem).values()], folder / facts_name(stem)
    if any(path.is_symlink() for path in (*pictures, written)):
        return False
    if facts is not None:
        # A picture that is damaged is made again; one that somebody put in its place is not.
        return _is_of(facts.get(_REQUEST), identity) and all(
            _is_free(path) or _mark(path) is not None or (is_file(path) and _head(path, len(_PNG)) != _PNG)
            for path in pictures
        )
    # A run that was stopped leaves pictures without facts.
    mark = _fingerprint(str(identity["photo"]))
    ours = [_mark(path) == mark for path in pictures]
    return (_is_free(written) or all(ours)) and all(
        is_ours or _is_free(path) for is_ours, path in zip(ours, pictures, strict=True)
    )


def _is_of(request: object, identity: Mapping[str, object]) -> bool:
    """Say whether results were made of this photo, though it may have been changed, or moved as it was."""
    if not isinstance(request, dict):
        return False
    if request.get("photo") == identity["photo"]:
        return True
    same = all(key in identity and request.get(key) == identity[key] for key in ("bytes", "changed_ns"))
    return same and isinstance(request.get("photo"), str) and not os.path.lexists(request["photo"])


def _plain(photo: Path) -> str:
    """Make the start of a name that is good everywhere: no sign that a system forbids, hides or computes with."""
    name = "".join(letter if letter.isprintable() and letter not in _FORBIDDEN else "_" for letter in photo.stem)
    name = name.lstrip(". ") or "photo"
    name = f"_{name}" if name[0] in "=+-@＝＋－＠" else name
    return name.encode()[:_LONGEST_STEM].decode(errors="ignore")


def _key(name: str) -> str:
    """Make names equal that some disk takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _inside(folder: Path, photos: Sequence[Path]) -> set[str]:
    """Give the names of those photos that lie in a folder."""
    real = os.path.realpath(folder)
    found = {os.path.abspath(photo) for photo in photos} | {os.path.realpath(photo) for photo in photos}  # noqa: PTH100
    return {_key(os.path.basename(path)) for path in found if os.path.realpath(os.path.dirname(path)) == real}  # noqa: PTH119, PTH120


def _fingerprint(photo: str) -> str:
    return sha256(photo.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _head(path: Path, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(length)
    except (OSError, ValueError):
        return b""


def _mark(path: Path) -> str | None:
    """Give the fingerprint of the photo of which a picture was made, where this program made it."""
    head = _head(path, _PNG_HEAD)
    found = _PNG_MARK.search(head) if head.startswith(_PNG) else None
    return found[1].decode() if found else None


def _is_free(path: Path) -> bool:
    """Say whether nothing is lost when a file of this name is written."""
    try:
        return path.lstat().st_size == 0 and path.is_file()
    except FileNotFoundError:
        return True
    except OSError:
        return False
