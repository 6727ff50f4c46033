"""What the decoder does with headers, odd libraries and claims; run in this process, where it can be watched."""

import importlib.util
import struct
import sys
import warnings
import zlib
from io import BytesIO

import pytest
from pictures import ORANGE, close, encode, needs_avif, plain, refusal
from PIL import GifImagePlugin, Image, ImageFile

from segdemo.images import MAX_PIXELS, decode
from segdemo.images.decode import decode_photo

HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 40
AVIF_HEAD = HEIC_HEAD.replace(b"heic", b"avif")


def read(data, max_pixels=MAX_PIXELS):
    return decode_photo(BytesIO(data), "The image", max_pixels)[0]


def refused(data, **options):
    return refusal(data, read, **options)


def test_heic_is_read_where_pillow_heif_is_installed():
    pytest.importorskip("pillow_heif")
    image = read(encode(plain(size=(64, 48)), "HEIF"))
    assert (image.mode, image.size, image.info) == ("RGB", (64, 48), {})
    assert close(image.getpixel((8, 6)), ORANGE)


def test_heic_is_refused_with_advice_where_pillow_heif_is_missing(monkeypatch):
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    message = refused(HEIC_HEAD)
    assert "HEIC" in message
    assert "install pillow-heif" in message
    assert "convert it to JPEG" in message


def test_the_module_imports_and_reads_without_pillow_heif(monkeypatch):
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    spec = importlib.util.spec_from_file_location("decode_without_heif", decode.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "HEIF" not in Image.OPEN
    image, _ = module.decode_photo(BytesIO(encode(plain(), "PNG")), "The image", MAX_PIXELS)
    assert image.getpixel((0, 0)) == ORANGE


def test_damaged_heic_is_not_blamed_on_a_missing_package():
    pytest.importorskip("pillow_heif")
    assert "damaged" in refused(HEIC_HEAD)


def test_avif_is_refused_with_advice_where_pillow_is_too_old(monkeypatch):
    monkeypatch.delitem(Image.OPEN, "AVIF", raising=False)
    assert "Pillow 11.3" in refused(AVIF_HEAD)


def test_a_decoder_whose_library_is_missing_is_not_used(monkeypatch):
    data, (factory, _) = encode(plain(), "WEBP"), Image.OPEN["WEBP"]
    monkeypatch.setitem(Image.OPEN, "WEBP", (factory, lambda prefix: "WEBP support not installed"))
    assert "can be recognised" in refused(data)


def png_claiming(width, height):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture
def no_decoding(monkeypatch):
    """Count what is decoded; a refusal by the header alone leaves the list empty."""
    decoded = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: decoded.append(image.size))
    return decoded


def test_only_the_first_of_two_thousand_gif_frames_is_visited(monkeypatch):
    data = encode(plain(), "GIF", save_all=True, append_images=[plain(colour=(0, 0, 255))])
    later = data[data.rindex(b"!\xf9") : -1]
    data = data[:-1] + later * 1998 + b";"
    assert Image.open(BytesIO(data)).n_frames == 2000
    visited, seek = [], GifImagePlugin.GifImageFile._seek
    monkeypatch.setattr(
        GifImagePlugin.GifImageFile, "_seek", lambda gif, frame, *rest: visited.append(frame) or seek(gif, frame, *rest)
    )
    assert read(data).getpixel((0, 0)) == ORANGE
    assert set(visited) == {0}


@pytest.mark.parametrize(("side", "megapixels"), [(20_000, "400"), (10_000, "100"), (7072, "50.1")])
def test_a_bomb_is_refused_by_its_header(no_decoding, side, megapixels):
    data = png_claiming(side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = refused(data)
    assert message == (
        f"The image is too large: {side} × {side} pixels, {megapixels} megapixels, where 50 megapixels are allowed."
    )
    assert no_decoding == []


def test_a_gif_whose_frame_outgrows_its_header_is_refused(no_decoding):
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x00;"
    assert refused(screen + frame) == "The image has far more than the 50 megapixels that are allowed."
    assert no_decoding == []


def test_a_phones_48_megapixel_photo_passes_the_limit(no_decoding):
    assert MAX_PIXELS == 50_000_000
    assert decode._read_header(BytesIO(png_claiming(8064, 6048)), "photo", MAX_PIXELS).size == (8064, 6048)
    assert no_decoding == []


def claiming(data, width, height):
    """Change the size that an AVIF or HEIC file states."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@needs_avif
@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
@pytest.mark.parametrize(
    ("size", "says"),
    [((20_000, 20_000), "400 megapixels"), ((40_000, 40_000), "1,600 megapixels"), ((70_000, 10), "65,500 a side")],
)
def test_an_avif_or_heic_that_is_too_large_is_not_called_damaged(file_format, size, says):
    pytest.importorskip("pillow_heif")
    message = refused(claiming(encode(plain(size=(64, 64)), file_format), *size))
    assert "too large" in message
    assert says in message


@needs_avif
def test_a_damaged_avif_of_usual_size_is_called_damaged():
    data = encode(plain(size=(64, 48)), "AVIF")
    assert "damaged" in refused(data[: data.index(b"ispe") + 20])


@pytest.mark.parametrize("size", [(65_501, 1), (1, 65_501), (49_999_999, 1)])
def test_a_side_longer_than_a_jpeg_can_hold_is_refused_by_the_header(no_decoding, size):
    width, height = size
    says = f"The image is too large: {width} × {height} pixels, where 65,500 a side are allowed."
    assert refused(png_claiming(*size)) == says
    assert no_decoding == []


def test_the_longest_side_of_a_jpeg_passes():
    assert read(encode(plain(size=(65_500, 1)), "PNG")).size == (65_500, 1)
