"""Images of any mode → RGB, in sRGB's colours and over white."""

import math
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_GREY_MODES = ("1", "L", "LA")
_BLOCK = 1 << 20
_BITS_TAG, _PHOTOMETRIC_TAG, _WHITE_IS_ZERO = 258, 262, 0  # of TIFF
_UNSEEN = 3  # of 255; so far may a profile's colours be from sRGB's and count as them


def to_rgb(image: Image.Image) -> Image.Image:
    """Make an RGB image of any mode; the same one where it is RGB already."""
    profile = image.info.get("icc_profile") if image.mode != "LAB" else None  # Lab has its own definition
    colours, alpha = _split(image)
    if profile:
        colours = _to_srgb(colours, profile)
    rgb = _as_rgb(colours)
    if alpha is None:
        return rgb
    white = Image.new("RGB", image.size, "white")
    white.paste(rgb, mask=alpha)
    return white


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Take colours (L, RGB or CMYK) and alpha (L, or None) apart."""
    if image.mode in _DEEP_MODES:
        return _to_8_bits(image)
    if image.mode in ("RGBa", "La"):
        image = image.convert(image.mode.upper())
    if image.has_transparency_data:
        whole = image.convert("RGBA")
        alpha = whole.getchannel("A")
        return whole.getchannel("R") if image.mode in _GREY_MODES else whole.convert("RGB"), alpha
    return image if image.mode in ("L", "CMYK") else _as_rgb(image), None


def _as_rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")  # which would copy one that is


def _to_8_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    values = np.asarray(image)
    flat, limits = values.reshape(-1), _limits(values, image)
    tags = getattr(image, "tag_v2", {})
    black_to_white = (255, 0) if tags.get(_PHOTOMETRIC_TAG) == _WHITE_IS_ZERO else (0, 255)
    grey = np.empty(flat.shape, np.uint8)
    for start in range(0, len(flat), _BLOCK):  # np.interp computes in float64, too much for a large photo at once
        block = slice(start, start + _BLOCK)
        grey[block] = np.nan_to_num(np.interp(flat[block], limits, black_to_white)) + 0.5
    transparent = image.info.get("transparency")
    alpha = None
    if transparent is not None:
        alpha = Image.fromarray(np.where(values == transparent, np.uint8(0), np.uint8(255)))
    return Image.fromarray(grey.reshape(values.shape)), alpha


def _limits(values: np.ndarray, image: Image.Image) -> tuple[float, float]:
    """Find the values that become black and white."""
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(_BITS_TAG, (16,))[0]
        return 0, 2**bits - 1
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0, 1
    low, high = finite.min().item(), finite.max().item()
    for usual in (1, 255) if image.mode == "F" else (255, 65535):
        if low >= 0 and high <= usual:
            return 0, usual
    return low, max(high, math.nextafter(low, math.inf))


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert the colours of L, RGB or CMYK by a profile; those that are sRGB's already stay exactly as they are."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        image = _as_grey(image) if source.profile.xcolor_space.strip() == "GRAY" else image
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), image.mode, "RGB")
        if image.mode != "CMYK":
            probe = _probe(image.mode)
            changed = np.asarray(ImageCms.applyTransform(probe, transform), int) - np.asarray(probe.convert("RGB"), int)
            if np.abs(changed).max() <= _UNSEEN:
                return image
        return ImageCms.applyTransform(image, transform) or image  # it gives none only where it works in place
    except Exception:  # a broken profile, or one for other channels, costs the colours' accuracy, not the photo
        return image


def _as_grey(image: Image.Image) -> Image.Image:
    """Make a grey image of one that only holds greys, as a 16-bit one with alpha does."""
    grey = image.convert("L")
    if grey.convert("RGB") != image.convert("RGB"):
        raise ValueError("a profile for greys, and an image in colour")
    return grey


def _probe(mode: str) -> Image.Image:
    """Make an image of colours that are spread over the whole range."""
    greys = np.arange(256, dtype=np.uint8)
    if mode == "L":
        return Image.fromarray(greys[None])
    steps = greys[::17]
    mixed = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    return Image.fromarray(np.concatenate((mixed, np.stack((greys,) * 3, -1)))[None])
