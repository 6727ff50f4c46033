"""Files as a person, or someone who is no friend, may send them; each made here, none taken from elsewhere."""

import io
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from PIL import Image, ImageCms


@dataclass(frozen=True)
class Case:
    """One file.

    Attributes:
        name: Of the file, with its ending.
        content: Bytes.
        says: Words of the sentence that refuses it; empty where it is to be read.
        size: Width and height where it is to be read.
    """

    name: str
    content: bytes
    says: str = ""
    size: tuple[int, int] = (16, 12)


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    """Save an image to bytes."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def picture(mode: str = "RGB", size: tuple[int, int] = (16, 12)) -> Image.Image:
    """Make a gradient with some noise in a mode that can be made from RGB or grey."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    noise = np.random.default_rng(0).integers(0, 40, (size[1], size[0]))
    pixels = np.stack((rows * 5 + noise, columns * 3 + noise, rows + columns), 2)
    image = Image.fromarray((pixels % 256).astype(np.uint8))
    if mode in ("RGBa", "La"):
        return image.convert("RGBA" if mode == "RGBa" else "LA").convert(mode)
    if mode == "PA":
        return image.convert("P").convert("PA")
    if mode.startswith("I;16"):
        return Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257).convert(mode)
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.applyTransform(image, ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    return image.convert(mode)


def png(size: tuple[int, int], depth: int, colour: int, rows: Iterable[bytes], extra: bytes = b"") -> bytes:
    """Write a PNG by hand: what Pillow cannot write, or would not.

    Args:
        size: Width and height in the header.
        depth: Bits a channel.
        colour: PNG's colour type.
        rows: Each with its filter byte.
        extra: Chunks between header and pixels.
    """
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for row in rows) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    """Write a PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def gif_of_many_frames(count: int) -> bytes:
    """Repeat the only frame of a GIF."""
    one = encoded(picture("L"), "GIF")
    start = one.index(b"\x2c\0\0\0\0")  # where the frame's descriptor begins
    return one[:start] + one[start:-1] * count + one[-1:]


def float_tiff(*values: float) -> bytes:
    """Write a grey TIFF of floats, 16×12, that holds these values and ones."""
    pixels = np.ones((12, 16), np.float32)
    pixels.flat[: len(values)] = values
    return encoded(Image.fromarray(pixels), "TIFF")


def _sixteen_bit_png(colour: int, channels: int) -> bytes:
    values = np.linspace(0, 65535, 12 * 16 * channels).astype(">u2").reshape(12, -1)
    return png((16, 12), 16, colour, (b"\0" + row.tobytes() for row in values))


def _claiming(width: int, height: int) -> bytes:
    """Change a JPEG's header so that it claims another size."""
    content = bytearray(encoded(picture(), "JPEG"))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(content)


_MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "I", "F", "I;16")
# HSV and the other 16-bit orders are in no file that Pillow writes.
_FORMATS = ("PNG", "TIFF", "JPEG", "WEBP", "GIF", "BMP")


def _in_every_mode() -> Iterable[Case]:
    for mode in _MODES:
        for file_format in _FORMATS:
            try:
                # Pillow writes raw YCbCr that it cannot read again.
                packed = {"compression": "tiff_lzw"} if (mode, file_format) == ("YCbCr", "TIFF") else {}
                content = encoded(picture(mode), file_format, **packed)
            except (OSError, ValueError):
                continue  # a format that has no such mode
            name = mode.replace("a", " premultiplied").replace(";", "")  # no two names alike but for case
            yield Case(f"{name}.{file_format.lower()}", content)


def _formats() -> Iterable[Case]:
    frames = {"save_all": True, "append_images": [picture("L").convert("RGB")] * 3}
    for file_format in ("GIF", "PNG", "WEBP", "TIFF"):
        yield Case(f"animated.{file_format.lower()}", encoded(picture(), file_format, **frames))
    for name, colour, channels in (("rgb", 2, 3), ("rgba", 6, 4), ("grey-alpha", 4, 2)):
        yield Case(f"16-bit {name}.png", _sixteen_bit_png(colour, channels))
    yield Case("progressive.jpg", encoded(picture(), "JPEG", progressive=True))
    yield Case("cmyk quality 1.jpg", encoded(picture("CMYK"), "JPEG", quality=1))
    yield Case("nan and inf.tif", float_tiff(float("nan"), float("inf"), float("-inf"), -3, 1e30))
    yield Case("nan alone.tif", float_tiff(*[float("nan")] * 192))
    yield Case("greatest floats.tif", float_tiff(3.4e38, -3.4e38))


def _shapes() -> Iterable[Case]:
    for size in ((1, 1), (1, 10_000), (10_000, 1)):
        yield Case(f"{size[0]} by {size[1]}.png", encoded(picture(size=size), "PNG"), size=size)


def _broken_parts() -> Iterable[Case]:
    exif, loop = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\xff\xff\xff\xff\0\x06\0\0", b"Exif\0\0II*\0\x08\0\0\0"
    for number, broken in enumerate((b"Exif\0\0garbage", exif, loop + b"\xff\xff" + b"\x08\0\0\0" * 9)):
        yield Case(f"broken exif {number}.jpg", encoded(picture(), "JPEG", exif=broken))
    for number, broken in enumerate((b"nonsense", b"\0\0\x02\x30" + b"\xff" * 556)):
        for file_format in ("JPEG", "PNG", "WEBP", "TIFF"):
            content = encoded(picture(), file_format, icc_profile=broken)
            yield Case(f"broken icc {number}.{file_format.lower()}", content)
    rows = [b"\0" + bytes(48)] * 12
    inflated = zlib.compress(bytes(64 << 20), 9)
    yield Case("text bomb.png", png((16, 12), 8, 2, rows, chunk(b"zTXt", b"k\0\0" + inflated)), says="rare kind")
    yield Case("profile bomb.png", png((16, 12), 8, 2, rows, chunk(b"iCCP", b"k\0\0" + inflated)), says="rare kind")


def _no_photos() -> Iterable[Case]:
    jpeg, whole = encoded(picture(size=(64, 64)), "JPEG"), encoded(picture(size=(64, 64)), "PNG")
    yield Case("truncated.jpg", jpeg[: len(jpeg) * 2 // 3], "damaged or cut short")
    yield Case("truncated.png", whole[: len(whole) // 2], "damaged or cut short")
    yield Case("cut in the header.jpg", jpeg[:20], "damaged, cut short")
    yield Case("zero bytes.jpg", b"", "is empty")
    yield Case("noise.jpg", np.random.default_rng(1).bytes(5000), "not in a format")
    yield Case("svg.jpg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing")
    yield Case("html.jpg", b"<!DOCTYPE html><html><body>404</body></html>", "a web page")
    yield Case("pdf.png", b"%PDF-1.7\n%\xe2\xe3", "a PDF file")
    yield Case("text.png", b"Das ist kein Bild.\n" * 20, "not in a format")
    yield Case("bomb.png", png((20_000, 20_000), 1, 0, (bytes(2501) for _ in range(20_000))), "400 megapixels")
    yield Case("bomb.jpg", _claiming(65_500, 65_500), "megapixels")


def _named_oddly() -> Iterable[Case]:
    yield Case("a png.jpg", encoded(picture(), "PNG"))
    yield Case("a jpeg.txt", encoded(picture(), "JPEG"))
    yield Case("no ending", encoded(picture(), "JPEG"))
    yield Case("Straße & Öl, 猫 🐈 (1).png", encoded(picture(), "PNG"))
    yield Case("10,000 frames.gif", gif_of_many_frames(10_000))


@cache
def cases() -> tuple[Case, ...]:
    """Make every file, once a process."""
    makers: tuple[Callable[[], Iterable[Case]], ...] = (
        _formats,
        _in_every_mode,
        _shapes,
        _broken_parts,
        _no_photos,
        _named_oddly,
    )
    return tuple(case for make in makers for case in make())


VALID = {
    "JPEG": partial(encoded, picture(size=(40, 30)), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
    "PNG": partial(encoded, picture("P", (40, 30)), "PNG", transparency=3),
    "WEBP": partial(encoded, picture("RGBA", (40, 30)), "WEBP"),
    "GIF": partial(gif_of_many_frames, 3),
    "TIFF": partial(encoded, picture("I;16", (40, 30)), "TIFF", compression="tiff_lzw"),
    "BMP": partial(encoded, picture("L", (40, 30)), "BMP"),
}
"""One whole file of each format, as what a fuzz test starts from."""
