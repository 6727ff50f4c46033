"""Photos from anywhere, as upright RGB images: the only place that decodes."""

import math
import re
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
from PIL import ExifTags, Image, ImageCms

try:
    from pillow_heif import register_heif_opener
except ImportError:
    pass  # HEIC is then refused with advice, and everything else works
else:
    register_heif_opener()

# Pillow warns of every odd tag; who sends the photo cannot do anything about it.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

# Pillow's decoders register themselves as they load; at import, so that no two threads do it at once.
Image.init()

MAX_PIXELS = 50_000_000
"""A phone's 48-megapixel photo passes."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF")
_READABLE = "JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC and AVIF"
_SIGNATURE_BYTES = 16  # as many as Pillow shows its decoders
_HEAD_BYTES = 1024  # in which an SVG or HTML file says what it is
_LONGEST_NAME = 80
_BLOCK = 1 << 20

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

_LOOKALIKES = {
    b"8bps": "a Photoshop file",
    b"%pdf": "a PDF file",
    b"<html": "a web page",
    b"<!doctype html": "a web page",
    b"<svg": "an SVG drawing",
}

_INDEX_MODES = ("P", "L", "1")
_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")

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


class ImageError(ValueError):
    """A file is no photo that can be used; the message says why in one sentence."""


def read_image(source: str | Path | bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a photo and turn it upright.

    JPEG (also phones' MPO), PNG, WebP, GIF, TIFF and BMP are read; AVIF where Pillow can, from 11.3 on; HEIC where
    pillow-heif is installed. Of several frames the first counts.

    Transparent parts become white. Colours of an embedded profile become sRGB's. Greys of more than 8 bits are scaled:
    16-bit ones from 0–65535; 32-bit integers from the least of 0–255 and 0–65535 that holds them, floats from the
    least of 0–1 and 0–255 that does, and either from their own least to their own greatest value where none does. NaN
    becomes black; infinities become black and white.

    Args:
        source: A path, or the file's content.
        max_pixels: Width times height, as the file's header has it; a larger photo is refused before it is decoded.

    Returns:
        RGB, without metadata.

    Raises:
        ImageError: The file is missing, empty, damaged, too large, or no image in one of these formats.
    """
    return _decode(source, max_pixels, None)[0]


def read_reduced(
    source: str | Path | bytes, longer_side: int, max_pixels: int = MAX_PIXELS
) -> tuple[Image.Image, tuple[int, int]]:
    """Decode no more of a photo than is needed: `read_image` for those who make a smaller picture of it anyway.

    A JPEG is decoded at a half, a quarter or an eighth of its size where that is enough, which saves most of the time
    and of the memory that a photo of many megapixels takes. Other formats have no such way.

    Args:
        source: A path, or the file's content.
        longer_side: Pixels that are enough; a smaller photo is not enlarged.
        max_pixels: Width times height, as the file's header has it.

    Returns:
        RGB, and the photo's own width and height, upright.

    Raises:
        ImageError: As `read_image` does.
    """
    return _decode(source, max_pixels, longer_side)


def _decode(
    source: str | Path | bytes, max_pixels: int, longer_side: int | None
) -> tuple[Image.Image, tuple[int, int]]:
    name = "The image" if isinstance(source, bytes) else _printable_name(Path(source))
    with _open_source(source, name) as file:
        image = _read_header(file, name, max_pixels)
        _check_size(image, name, max_pixels)
        width, height = image.size
        try:
            if longer_side is not None:
                scale = min(1.0, longer_side / max(width, height))
                image.draft(None, (math.ceil(width * scale), math.ceil(height * scale)))
            image.load()
        except Exception as error:  # decoders answer hostile bytes with any exception
            raise ImageError(f"{name} is damaged or cut short.") from error
        turn = _turn_upright(image)
        try:
            rgb = _to_rgb(image)
            upright = rgb if turn is None else rgb.transpose(turn)
        except Exception as error:  # what a hostile file says of its colours need not fit its pixels
            raise ImageError(f"{name} is damaged, or of a rare kind that cannot be read.") from error
    upright.info.clear()
    return upright, (height, width) if turn in _ON_ITS_SIDE else (width, height)


def read_mask(source: str | Path | bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an index mask: the values as they are stored, a palette's colours aside.

    Args:
        source: A path, or the file's content.
        max_pixels: Width times height, as the file's header has it.

    Returns:
        uint8 `[H, W]`.

    Raises:
        ImageError: The file is missing, empty, damaged or too large, or it is no image of one 8-bit value a pixel.
    """
    name = "The mask" if isinstance(source, bytes) else _printable_name(Path(source))
    with _open_source(source, name) as file:
        image = _read_header(file, name, max_pixels)
        _check_size(image, name, max_pixels)
        if image.mode not in _INDEX_MODES or image.format == "JPEG":
            raise ImageError(f"{name} is no index mask: a PNG with a palette, or a grey one of 8 bits, is needed.")
        try:
            image.load()
        except Exception as error:  # decoders answer hostile bytes with any exception
            raise ImageError(f"{name} is damaged or cut short.") from error
        return np.array(image, np.uint8)


def _printable_name(path: Path) -> str:
    name = "".join(letter if letter.isprintable() else "?" for letter in path.name)
    return name[:_LONGEST_NAME] or "The file"


def _open_source(source: str | Path | bytes, name: str) -> IO[bytes]:
    if isinstance(source, bytes):
        return BytesIO(source)
    path = Path(source)
    if re.match(r"[a-z]{3,}:/", str(source), re.IGNORECASE):  # longer than the letter of a drive
        raise ImageError(f"{name} is a web address: save the photo as a file first.")
    try:
        is_folder = path.is_dir()
        # A device or a pipe is no file either: reading one may never end.
        if path.is_file():
            return path.open("rb")
    except (OSError, ValueError) as error:  # the latter for a name with a zero byte
        raise ImageError(f"{name} cannot be opened.") from error
    raise ImageError(f"{name} is a folder, not an image." if is_folder else f"There is no file {name}.")


def _read_header(file: IO[bytes], name: str, max_pixels: int) -> Image.Image:
    """Open an image without decoding its pixels.

    `Image.open` would compare the size with the global `MAX_IMAGE_PIXELS` and warn or raise in its own words; neither
    can be changed for one thread alone. So the decoders that it would call are called here.
    """
    head = file.read(_HEAD_BYTES)
    failure = None
    for factory in _decoders_for(head[:_SIGNATURE_BYTES]):
        file.seek(0)
        try:
            return factory(file, "")
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            # A GIF's first frame may reach far beyond its header's size; the decoder checks that by itself.
            raise ImageError(f"{name} has far more than the {_megapixels(max_pixels)} that are allowed.") from error
        except Exception as error:  # decoders answer hostile bytes with any exception
            failure = error
    raise ImageError(f"{name} {_why_unreadable(head, failure)}") from failure


def _decoders_for(signature: bytes) -> Iterator[Callable[[IO[bytes], str], Image.Image]]:
    for key in _FORMATS:
        factory, accepts = Image.OPEN.get(key, (None, None))
        # Besides True and False there can be a text: the format is known, but its library is missing.
        if accepts is not None and accepts(signature) is True:
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
        if mark in head.lower():
            return f"is {kind}; {_READABLE} can be read."
    return f"is not in a format that can be recognised; {_READABLE} can be read."


def _check_size(image: Image.Image, name: str, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        size = f"{width} × {height} pixels, {_megapixels(width * height)}"
        raise ImageError(f"{name} is too large: {size}, where {_megapixels(max_pixels)} are allowed.")


def _megapixels(pixels: int) -> str:
    # Rounded up, so that a photo just above the limit does not look equal to it.
    return f"{math.ceil(pixels / 1e5) / 10:,.1f}".removesuffix(".0") + " megapixels"


def _turn_upright(image: Image.Image) -> Image.Transpose | None:
    """Say how to turn a photo so that it stands as it was taken."""
    try:
        return _TO_UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # EXIF is often broken, and the photo is good without it
        return None


def _to_rgb(image: Image.Image) -> Image.Image:
    """Make an RGB image of any mode; always a new one."""
    if image.mode in _DEEP_MODES:
        return _to_8_bits(image).convert("RGB")
    if image.mode in ("RGBa", "La"):
        image = image.convert(image.mode.upper())
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode not in ("L", "CMYK"):
        image = image.convert("RGB")
    image = _to_srgb(image)
    return _over_white(image) if image.mode == "RGBA" else image.convert("RGB")


def _to_8_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    flat, limits = values.reshape(-1), _limits(values, image.mode)
    grey = np.empty(flat.shape, np.uint8)
    for start in range(0, len(flat), _BLOCK):  # np.interp computes in float64, too much for a large photo at once
        block = slice(start, start + _BLOCK)
        grey[block] = np.nan_to_num(np.interp(flat[block], limits, (0, 255))) + 0.5
    return Image.fromarray(grey.reshape(values.shape))


def _limits(values: np.ndarray, mode: str) -> tuple[float, float]:
    """Find the values that become black and white."""
    if mode.startswith("I;16"):
        return 0, 65535
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0, 1
    low, high = finite.min().item(), finite.max().item()
    for usual in (1, 255) if mode == "F" else (255, 65535):
        if low >= 0 and high <= usual:
            return 0, usual
    return low, max(high, math.nextafter(low, math.inf))


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except Exception:  # a broken profile, or one for other channels, costs the colours' accuracy, not the photo
        return image


def _over_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white
