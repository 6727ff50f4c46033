"""A file's bytes → an upright sRGB image or an index mask. Runs in helper processes; see `pool`."""

import math
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from PIL import (  # the plugins register themselves
    AvifImagePlugin,  # noqa: F401
    ExifTags,
    Image,
    ImageFile,
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from segdemo.images import bmp, transparency
from segdemo.images.colours import to_rgb
from segdemo.images.errors import ImageError

try:
    from pillow_heif import register_heif_opener
except ImportError:
    pass  # HEIC is then refused with advice, and everything else works
else:
    register_heif_opener()

# Pillow warns of every odd tag; who sends the photo cannot do anything about it.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

Image.preinit()  # the usual formats

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF")
_READABLE = "JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC and AVIF"
_MAX_SIDE = 65_500  # pixels, a JPEG's longest, in which results are shown
_SIGNATURE_BYTES = 16  # as many as Pillow shows its decoders
_HEAD_BYTES = 1 << 16  # in which an AVIF tells its size
_TEXT_BYTES = 1024  # in which an SVG or HTML file says what it is

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
_SIZE_BOX = re.compile(rb"ispe\0{4}(.{4})(.{4})", re.DOTALL)  # of AVIF and HEIC (ISO/IEC 23008-12)

_LOOKALIKES = {
    b"8bps": "a Photoshop file",
    b"%pdf": "a PDF file",
    b"<html": "a web page",
    b"<!doctype html": "a web page",
    b"<svg": "an SVG drawing",
}

_INDEX_MODES = ("P", "L", "1", "I;16", "I;16B")

_TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = [_TO_UPRIGHT[value] for value in (5, 6, 7, 8)]


def decode_photo(
    file: IO[bytes], name: str, max_pixels: int, longer_side: int | None = None
) -> tuple[Image.Image, tuple[int, int]]:
    """Decode a photo's file, at its start, and turn it upright; `longer_side` is the pixels that are enough, None all.

    Returns:
        RGB, without metadata, and the photo's own width and height, upright.

    Raises:
        ImageError: It is damaged, too large by its header's width times height, or no image.
    """
    image = _read_header(file, name, max_pixels)
    width, height = image.size
    stored = transparency.layout(image)
    try:
        if longer_side is not None:
            scale = min(1.0, longer_side / max(width, height))
            image.draft(None, (math.ceil(width * scale), math.ceil(height * scale)))
        image.load()
    except Exception as error:  # decoders answer hostile bytes with any exception
        raise ImageError(f"{name} is damaged or cut short.") from error
    turn = _turn_upright(image)
    try:
        if image.format == "BMP":
            bmp.mend_alpha(image, file)
        elif image.format == "PNG":
            transparency.mend(image, stored, lambda: _read_header(file, name, max_pixels))
        rgb = to_rgb(image)
        upright = rgb if turn is None else rgb.transpose(turn)
    except Exception as error:  # what a hostile file says of its colours need not fit its pixels
        raise ImageError(f"{name} is damaged, or of a rare kind that cannot be read.") from error
    upright.info.clear()
    return upright, (height, width) if turn in _ON_ITS_SIDE else (width, height)


def decode_mask(file: IO[bytes], name: str, max_pixels: int) -> np.ndarray:
    """Decode an index mask; see `segdemo.images.read_mask`.

    Raises:
        ImageError: It is damaged or too large, or no image of one whole number a pixel.
    """
    image = _read_header(file, name, max_pixels)
    if image.mode not in _INDEX_MODES or image.format == "JPEG":
        raise ImageError(f"{name} is no index mask: a PNG with a palette, or a grey one, is needed.")
    step = transparency.SCALES.get(transparency.layout(image), 1)
    try:
        image.load()
    except Exception as error:  # decoders answer hostile bytes with any exception
        raise ImageError(f"{name} is damaged or cut short.") from error
    turn = _turn_upright(image)
    upright = image if turn is None else image.transpose(turn)
    return np.array(upright, np.uint16 if upright.mode.startswith("I;16") else np.uint8) // step


def open_file(path: str, name: str) -> IO[bytes]:
    """Open a file, and nothing else that has a path.

    Raises:
        ImageError: It is missing, no file, or must not be read.
    """
    try:
        is_folder = Path(path).is_dir()
        # A device or a pipe is no file either: reading one may never end.
        if Path(path).is_file():
            return Path(path).open("rb")
    except (OSError, ValueError) as error:  # the latter for a name with a zero byte
        raise ImageError(f"{name} cannot be opened.") from error
    raise ImageError(f"{name} is a folder, not an image." if is_folder else f"There is no file {name}.")


def _read_header(file: IO[bytes], name: str, max_pixels: int) -> ImageFile.ImageFile:
    """Open an image without decoding its pixels, as `Image.open` does, whose bound on the size is a global."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    failure = None
    for factory in _decoders_for(head[:_SIGNATURE_BYTES]):
        file.seek(0)
        try:
            image = factory(file, "")
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            # A GIF's first frame may reach far beyond its header's size; the decoder checks that by itself.
            raise ImageError(f"{name} has far more than the {_megapixels(max_pixels)} that are allowed.") from error
        except Exception as error:  # decoders answer hostile bytes with any exception
            failure = error
        else:
            _check_size(image.size, name, max_pixels)
            return image
    for width, height in _SIZE_BOX.findall(head):  # the libraries call a size beyond their own limits damage
        _check_size((int.from_bytes(width, "big"), int.from_bytes(height, "big")), name, max_pixels)
    raise ImageError(f"{name} {_why_unreadable(head, failure)}") from failure


def _decoders_for(signature: bytes) -> Iterator[Callable[[IO[bytes], str], ImageFile.ImageFile]]:
    for key in _FORMATS:
        factory, accepts = Image.OPEN.get(key) or (None, None)
        # Besides True and False there can be a text: the format is known, but its library is missing.
        if factory and accepts and accepts(signature) is True:
            yield factory


def _why_unreadable(head: bytes, failure: Exception | None) -> str:
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in _HEIC_BRANDS and "HEIF" not in Image.OPEN:
        return "is a HEIC photo: install pillow-heif to read it, or convert it to JPEG."
    if failure is not None:
        return "is damaged, cut short, or of a rare kind that cannot be read."
    if not head:
        return "is empty."
    if brand in _AVIF_BRANDS:
        return "is an AVIF photo: install Pillow 11.3 or newer to read it, or convert it to JPEG."
    for mark, kind in _LOOKALIKES.items():
        if mark in head[:_TEXT_BYTES].lower():
            return f"is {kind}; {_READABLE} can be read."
    return f"is not in a format that can be recognised; {_READABLE} can be read."


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        said = f"{width} × {height} pixels, {_megapixels(width * height)}"
        raise ImageError(f"{name} is too large: {said}, where {_megapixels(max_pixels)} are allowed.")
    if max(size) > _MAX_SIDE:
        raise ImageError(f"{name} is too large: {width} × {height} pixels, where {_MAX_SIDE:,} a side are allowed.")


def _megapixels(pixels: int) -> str:
    # Rounded up, so that a photo just above the limit does not look equal to it.
    return f"{math.ceil(pixels / 1e5) / 10:,.1f}".removesuffix(".0") + " megapixels"


def _turn_upright(image: Image.Image) -> Image.Transpose | None:
    """Say how to turn a photo so that it stands as it was taken."""
    try:
        return _TO_UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # EXIF is often broken, and the photo is good without it
        return None
