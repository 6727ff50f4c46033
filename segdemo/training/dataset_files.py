"""The files of a data set: lists, and images that are read again and again."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TypeVar

from segdemo.images import MAX_PIXELS, ImageError
from segdemo.safe_files import explain

_Decoded = TypeVar("_Decoded")


class DataError(ValueError):
    """A folder does not hold the data set that was asked for; the message names the file and says what is wrong."""


def by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Sort files by their names without endings.

    Raises:
        DataError: Two have one name.
    """
    found: dict[str, Path] = {}
    for path in sorted(paths):
        if path.stem in found:
            raise DataError(f"{found[path.stem]} and {path} have one name: give one of them another")
        found[path.stem] = path
    return found


def decode_file(path: Path, decode: Callable[[IO[bytes], str, int], _Decoded]) -> _Decoded:
    """Decode a file by `decode_photo` or `decode_mask` in this process: who trains trusts and rereads the files.

    Raises:
        DataError: It is missing, damaged or too large.
    """
    try:
        with path.open("rb") as file:
            return decode(file, str(path), MAX_PIXELS)
    except OSError as error:
        raise DataError(explain(error)) from error
    except ImageError as error:
        raise DataError(str(error)) from error


def lines_of(path: Path) -> list[str]:
    """Read a list: what a line means may depend on its place, so none is empty but those at the end.

    Raises:
        DataError: A line is empty, or it is no text.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").rstrip().splitlines()]
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8: save it as such") from error
    for number, line in enumerate(lines, 1):
        if not line:
            raise DataError(f"{path} is empty in line {number}: take the line out")
    return [line for line in lines if not line.startswith("#")]
