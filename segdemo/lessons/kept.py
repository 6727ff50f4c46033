"""What a visitor has taught as a JSON value that their browser keeps, and back."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from segdemo.lessons.teach import MAX_TAPS, Fit, Tap
from segdemo.lessons.teaching import MAX_PHOTOS, Photo, Teaching
from segdemo.models.taught import CHANNELS

_JPEG, _NUMBERS = "data:image/jpeg;base64,", "data:application/octet-stream;base64,"
Kept = dict[str, Any]


def keep(teaching: Teaching) -> Kept:
    """Write down all but the photos, in some 10 kB."""
    return {
        "classes": list(teaching.classes),
        "shown": teaching.shown,
        "taps": [[tap.photo, tap.x, tap.y, tap.label] for tap in teaching.taps],
        "marks": list(teaching.marks),
        "whole_photos": teaching.whole_photos,
        "layer": _numbers(teaching.layer) if teaching.layer else None,
    }


def keep_photos(teaching: Teaching) -> list[str]:
    """Write down the photos, in some 100 kB each."""
    return [_JPEG + base64.b64encode(photo.file).decode() for photo in teaching.photos]


def restore(kept: object, photos: object, read: Callable[[bytes], Image.Image]) -> Teaching:
    """Bring back what `keep` and `keep_photos` wrote, or whatever a browser sends in its place; `read` decodes a photo.

    Raises:
        ValueError: It is not what these functions wrote.
    """
    try:
        return _restored(kept, photos, read)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError("What this browser kept of your teaching cannot be read any more.") from error


def _restored(kept: Any, photos: Any, read: Callable[[bytes], Image.Image]) -> Teaching:  # noqa: ANN401 - a browser's
    if not 0 < len(photos) <= MAX_PHOTOS or len(kept["taps"]) > MAX_TAPS:
        raise ValueError("too much")
    files = [base64.b64decode(text.removeprefix(_JPEG), validate=True) for text in photos]
    teaching = Teaching(photos=tuple(Photo.of_file(file, read(file)) for file in files)).named(
        ",".join(kept["classes"][1:])
    )
    count = len(teaching.classes)
    taps = tuple(
        Tap(_below(len(files), photo), _share(x), _share(y), _below(count, label))
        for photo, x, y, label in kept["taps"]
    )
    marks = tuple(None if mark is None else _below(count, mark) for mark in kept["marks"])
    if len(marks) != len(files):
        raise ValueError("a mark for each photo")
    layer = _layer(kept["layer"], count) if kept["layer"] else None
    return replace(
        teaching,
        shown=_below(len(files), kept["shown"]),
        taps=taps,
        marks=marks,
        whole_photos=kept["whole_photos"] is True,
        layer=layer,
    )


def _below(limit: int, value: object) -> int:
    if type(value) is not int or not 0 <= value < limit:
        raise ValueError("no such index")
    return value


def _share(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("no share of a side")
    return float(value)


def _numbers(layer: Fit) -> Kept:
    """Write a layer's numbers: its weight was rounded to float16 before, so nothing is lost."""
    weight, bias = layer.weight.half(), layer.bias.float()
    return {"weight": _text(weight), "bias": bias.tolist(), "loss": layer.loss, "steps": layer.steps}


def _layer(kept: Any, classes: int) -> Fit:  # noqa: ANN401 - a browser's
    data = base64.b64decode(kept["weight"].removeprefix(_NUMBERS), validate=True)
    weight = torch.frombuffer(bytearray(data), dtype=torch.float16).float().view(classes, CHANNELS)
    bias = torch.tensor([float(value) for value in kept["bias"]]).view(classes)
    if not (weight.isfinite().all() and bias.isfinite().all()):
        raise ValueError("not finite")
    return Fit(weight, bias, float(kept["loss"]), _below(1000, kept["steps"]))


def _text(values: Tensor) -> str:
    return _NUMBERS + base64.b64encode(values.contiguous().numpy().tobytes()).decode()
