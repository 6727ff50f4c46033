"""What a request may hold: files that were uploaded, and values of the kind that an event takes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr

from segdemo.ui.gradio_compat import Field, cache_folder
from segdemo.ui.i18n import plain_made

ADDRESS = "That is a web address: this page fetches nothing, so please send the file itself."
NOT_UPLOADED = "That file was not uploaded, or it is no longer kept: please send the file itself."
TOO_MANY_FILES = "The request names {count:,} files; at most {most} go at a time."

_MOST_FILES = 100
_KINDS = {"integer": (int,), "number": (int, float), "string": (str,)}  # as JSON has them


def check(fields: Sequence[Field], values: list[object]) -> None:
    """Check a request's values before anything is made of them; whole numbers that came as 3.0 become 3.

    Raises:
        gr.Error: A value is missing or of the wrong kind, or a file is named that was not uploaded.
    """
    if len(values) < len(fields):
        raise gr.Error(
            f"The request has {len(values)} of {len(fields)} values. {wanted(fields)}", print_exception=False
        )
    files = [file for value in values for file in _files(value)]
    if len(files) > _MOST_FILES:
        raise gr.Error(TOO_MANY_FILES.format(count=len(files), most=_MOST_FILES), print_exception=False)
    for file in files:
        _check_file(file)
    for place, field in enumerate(fields):
        if field.takes_files:
            _check_not_text(values[place])
        elif field.kind in _KINDS:
            values[place] = _of_kind(field, values[place])


def wanted(fields: Sequence[Field]) -> str:
    """Say in a sentence which values an event takes."""
    return f"It takes these, in this order: {', '.join(field.name for field in fields)}."


def is_uploaded(path: str) -> bool:
    """Say whether a path, links followed, is a file inside the folder of uploads and results."""
    try:
        real, folder = Path(path).resolve(strict=True), cache_folder().resolve()
        return real.is_file() and real.is_relative_to(folder)
    except (OSError, ValueError, RuntimeError):  # not there, a NUL in it, or a link to itself
        return False


def _files(value: object) -> Iterator[dict[str, object]]:
    """Find everything that names a file, however deep it lies and whatever else stands beside it."""
    if isinstance(value, dict):
        if "path" in value or "url" in value:
            yield value
        for each in value.values():
            yield from _files(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _files(each)


def _check_file(file: dict[str, object]) -> None:
    path, url = file.get("path"), file.get("url")
    if _is_address(path) or (not path and _is_address(url)):
        raise gr.Error(plain_made(ADDRESS), print_exception=False)
    comes_along = not path and isinstance(url, str) and url.startswith("data:")
    if not comes_along and not (isinstance(path, str) and is_uploaded(path)):
        raise gr.Error(plain_made(NOT_UPLOADED), print_exception=False)


def _check_not_text(value: object) -> None:
    """Refuse a text where a file belongs: an address, or a path."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            raise gr.Error(plain_made(ADDRESS if _is_address(each) else NOT_UPLOADED), print_exception=False)
        if isinstance(each, list):
            _check_not_text(each)


def _is_address(text: object) -> bool:
    return isinstance(text, str) and text.lstrip().lower().startswith(("http:", "https:", "ftp:", "//"))


def _of_kind(field: Field, value: object) -> object:
    if field.kind == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, _KINDS[field.kind]) or isinstance(value, bool):
        raise gr.Error(f"{field.name} is no {field.kind}: “{str(value)[:40]}”.", print_exception=False)
    return value
