"""Every kind of file that a visitor may send, good or bad; all of them are made here."""

import importlib.util
import random
import struct
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, GifImagePlugin, Image, ImageCms, ImageFile, features

from segdemo import images
from segdemo.images import MAX_PIXELS, ImageError, read_image, read_reduced

ORANGE = (240, 120, 40)
WHITE = (255, 255, 255)
HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 40
AVIF_HEAD = HEIC_HEAD.replace(b"heic", b"avif")

# Pillow before 11.3 does not know the name "avif" and warns.
needs_avif = pytest.mark.skipif("avif" not in features.get_supported(), reason="this Pillow cannot write AVIF")


def encode(image, file_format, **options):
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def plain(mode="RGB", size=(16, 12), colour=ORANGE):
    image = Image.new("RGB", size, colour)
    return image.quantize(4) if mode == "P" else image.convert(mode)


def gradient(dtype, low, high, width=256):
    return Image.fromarray(np.linspace(low, high, width).astype(dtype)[None].repeat(4, 0))


def close(colour, expected, tolerance=6):
    return all(abs(a - b) <= tolerance for a, b in zip(colour, expected, strict=True))


def greys(image):
    """Give the first row of an image that must be grey, as integers."""
    array = np.asarray(image).astype(int)
    assert (array == array[..., :1]).all()
    return array[0, :, 0]


def refusal(source, **options):
    """Give the message of a refusal, which must be one sentence and betray no path."""
    with pytest.raises(ImageError) as caught:
        read_image(source, **options)
    message = str(caught.value)
    assert message.endswith(".")
    assert ". " not in message
    assert not {"\n", "/", "\\"} & set(message)
    assert "Error" not in message
    assert message[0].isupper() or message.startswith("photo")
    return message


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


# --- formats and modes


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "MPO"])
def test_each_format_becomes_a_plain_rgb_image(file_format):
    image = read_image(encode(plain(), file_format))
    assert (type(image), image.mode, image.size) == (Image.Image, "RGB", (16, 12))
    assert close(image.getpixel((8, 6)), ORANGE)


def test_the_first_picture_of_a_phones_mpo_is_read():
    data = encode(plain(), "MPO", save_all=True, append_images=[plain(colour=(0, 0, 255))])
    assert Image.open(BytesIO(data)).format == "MPO"
    assert close(read_image(data).getpixel((8, 6)), ORANGE)


@needs_avif
def test_avif_is_read():
    assert close(read_image(encode(plain(), "AVIF")).getpixel((8, 6)), ORANGE)


def test_heic_is_read_where_pillow_heif_is_installed():
    pytest.importorskip("pillow_heif")
    image = read_image(encode(plain(size=(64, 48)), "HEIF"))
    assert (type(image), image.mode, image.size, image.info) == (Image.Image, "RGB", (64, 48), {})
    assert close(image.getpixel((8, 6)), ORANGE)


def test_heic_is_refused_with_advice_where_pillow_heif_is_missing(monkeypatch):
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    message = refusal(HEIC_HEAD)
    assert "HEIC" in message
    assert "install pillow-heif" in message
    assert "convert it to JPEG" in message


def test_the_module_imports_and_reads_without_pillow_heif(monkeypatch):
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    spec = importlib.util.spec_from_file_location("images_without_heif", images.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "HEIF" not in Image.OPEN
    assert module.read_image(encode(plain(), "PNG")).getpixel((0, 0)) == ORANGE


def test_damaged_heic_is_not_blamed_on_a_missing_package():
    pytest.importorskip("pillow_heif")
    assert "damaged" in refusal(HEIC_HEAD)


def test_avif_is_refused_with_advice_where_pillow_is_too_old(monkeypatch):
    monkeypatch.delitem(Image.OPEN, "AVIF", raising=False)
    assert "Pillow 11.3" in refusal(AVIF_HEAD)


def test_a_decoder_whose_library_is_missing_is_not_used(monkeypatch):
    data, (factory, _) = encode(plain(), "WEBP"), Image.OPEN["WEBP"]
    monkeypatch.setitem(Image.OPEN, "WEBP", (factory, lambda prefix: "WEBP support not installed"))
    assert "can be recognised" in refusal(data)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB", "HSV", "RGBX"])
def test_each_opaque_mode_keeps_its_look(mode):
    expected = (255, 255, 255) if mode in ("1", "L") else ORANGE
    lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    image = ImageCms.applyTransform(plain(), lab) if mode == "LAB" else plain(mode, colour=expected)
    assert close(images._to_rgb(image).getpixel((8, 6)), expected)


@pytest.mark.parametrize(("mode", "file_format"), [("1", "PNG"), ("L", "JPEG"), ("P", "GIF"), ("CMYK", "JPEG")])
def test_files_of_other_modes_keep_their_look(mode, file_format):
    expected = {"1": WHITE, "L": (100, 100, 100)}.get(mode, ORANGE)
    data = encode(plain(mode, colour=expected), file_format)
    assert Image.open(BytesIO(data)).mode == mode
    assert close(read_image(data).getpixel((8, 6)), expected)


def test_a_lab_tiff_keeps_its_look():
    lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    assert close(read_image(encode(ImageCms.applyTransform(plain(), lab), "TIFF")).getpixel((8, 6)), ORANGE)


# --- transparency


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_transparent_parts_become_white(file_format):
    image = Image.new("RGBA", (12, 4), (200, 0, 0, 255))
    image.paste((200, 0, 0, 0), (4, 0, 8, 4))
    image.paste((200, 0, 0, 128), (8, 0, 12, 4))
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    upright = read_image(encode(image, file_format, **options))
    assert [upright.getpixel((x, 2)) for x in (1, 5)] == [(200, 0, 0), WHITE]
    assert close(upright.getpixel((9, 2)), (227, 127, 127), tolerance=1)


@pytest.mark.parametrize(("mode", "file_format"), [("LA", "PNG"), ("PA", "TIFF")])
def test_grey_and_palette_with_alpha_are_laid_over_white(mode, file_format):
    image = Image.new(mode, (4, 4), (102, 0))
    if mode == "PA":
        image.putpalette([102] * 768)
    image.putpixel((2, 2), (102, 255))
    data = encode(image, file_format)
    assert Image.open(BytesIO(data)).mode == mode
    upright = read_image(data)
    assert [upright.getpixel(at) for at in ((0, 0), (2, 2))] == [WHITE, (102, 102, 102)]


@pytest.mark.parametrize("mode", ["RGBa", "La"])
def test_premultiplied_colours_are_laid_over_white(mode):
    straight = Image.new(mode.upper(), (4, 4), (100, 128) if mode == "La" else (100, 100, 100, 128))
    assert close(images._to_rgb(straight.convert(mode)).getpixel((0, 0)), (177, 177, 177), tolerance=2)


@pytest.mark.parametrize("file_format", ["PNG", "GIF"])
def test_the_transparent_colour_of_a_palette_becomes_white(file_format):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, *ORANGE, 0, 255, 0])
    image.putpixel((0, 0), 2)
    upright = read_image(encode(image, file_format, transparency=2))
    assert [upright.getpixel(at) for at in ((0, 0), (2, 2))] == [WHITE, ORANGE]


def test_a_palette_with_an_alpha_for_each_entry_is_laid_over_white():
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 200, 0, 0])
    upright = read_image(encode(image, "PNG", transparency=bytes([255, 128])))
    assert close(upright.getpixel((2, 2)), (227, 127, 127), tolerance=1)


def test_the_transparent_colour_of_an_rgb_png_becomes_white():
    assert read_image(encode(plain(), "PNG", transparency=ORANGE)).getpixel((0, 0)) == WHITE


# --- more than 8 bits


@pytest.mark.parametrize(("mode", "file_format"), [("I;16", "PNG"), ("I;16", "TIFF"), ("I;16B", "TIFF"), ("I", "TIFF")])
def test_a_16_bit_gradient_stays_a_gradient(mode, file_format):
    values = np.arange(256) * 257
    dtype = {"I;16": "<u2", "I;16B": ">u2", "I": "<i4"}[mode]
    image = Image.frombytes(mode, (256, 1), values.astype(dtype).tobytes())
    data = encode(image, file_format)
    assert Image.open(BytesIO(data)).mode == mode
    assert greys(read_image(data)).tolist() == list(range(256))


def test_a_16_bit_little_endian_image_in_memory_is_scaled():
    image = Image.frombytes("I;16L", (2, 1), np.array([0, 257 * 100], "<u2").tobytes())
    assert greys(images._to_rgb(image)).tolist() == [0, 100]


def test_a_dark_16_bit_photo_stays_dark():
    assert greys(read_image(encode(gradient("<u2", 0, 255), "PNG"))).max() == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 7, 255], [0, 7, 255]),
        ([0, 1, 1], [0, 1, 1]),
        ([0, 257 * 9, 257 * 200], [0, 9, 200]),
        ([-100, 20, 100], [0, 153, 255]),
    ],
)
def test_32_bit_integers_are_scaled_by_the_least_range_that_holds_them(values, expected):
    assert greys(read_image(encode(Image.fromarray(np.array([values], "<i4")), "TIFF"))).tolist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0.2, 1], [0, 51, 255]),
        ([0, 51.2, 200], [0, 51, 200]),
        ([-1, 0, 1], [0, 128, 255]),
        ([1000, 3000, 2000], [0, 255, 128]),
        ([-3e38, 0, 3e38], [0, 128, 255]),
        ([np.nan, 0.2, 1], [0, 51, 255]),
        ([-np.inf, 0.2, np.inf], [0, 51, 255]),
        ([np.nan, np.nan, np.inf], [0, 0, 255]),
        ([7000, 7000, 7000], [0, 0, 0]),
    ],
)
def test_floats_are_scaled_by_their_finite_range(values, expected):
    data = encode(Image.fromarray(np.array([values], "<f4")), "TIFF")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert greys(read_image(data)).tolist() == expected


def test_a_deep_image_is_the_same_whatever_the_block(monkeypatch):
    data = encode(gradient("<f4", -5, 5, 300), "TIFF")
    whole = read_image(data)
    monkeypatch.setattr(images, "_BLOCK", 7)
    assert read_image(data) == whole


# --- orientation


# Where EXIF's definition puts the start and the end of a file's first row.
CORNERS = {
    1: ("top left", "top right"),
    2: ("top right", "top left"),
    3: ("bottom right", "bottom left"),
    4: ("bottom left", "bottom right"),
    5: ("top left", "bottom left"),
    6: ("top right", "bottom right"),
    7: ("bottom right", "top right"),
    8: ("bottom left", "top left"),
}


def stored_photo():
    photo = Image.new("RGB", (96, 64), "white")
    photo.paste((255, 0, 0), (0, 0, 32, 32))
    photo.paste((0, 0, 255), (64, 0, 96, 32))
    return photo


def check_upright(upright, orientation):
    start, end = CORNERS[orientation]
    assert upright.size == ((96, 64) if orientation < 5 else (64, 96))
    assert close(corner(upright, start), (255, 0, 0), tolerance=40)
    assert close(corner(upright, end), (0, 0, 255), tolerance=40)


def corner(image, name):
    x = 4 if "left" in name else image.width - 5
    y = 4 if "top" in name else image.height - 5
    return image.getpixel((x, y))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=needs_avif)])
@pytest.mark.parametrize("orientation", CORNERS)
def test_exif_orientation_turns_the_photo_upright(file_format, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    check_upright(read_image(encode(stored_photo(), file_format, exif=exif)), orientation)


@pytest.mark.parametrize("orientation", CORNERS)
def test_a_heic_photo_is_turned_upright_once(orientation):
    pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    # pillow-heif turns the photo by itself; the tag must not turn it again.
    check_upright(read_image(encode(stored_photo(), "HEIF", exif=exif.tobytes())), orientation)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_does_not_break_the_photo(file_format, exif):
    assert close(read_image(encode(plain(), file_format, exif=exif)).getpixel((8, 6)), ORANGE)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    assert read_image(encode(plain(), "JPEG", exif=exif)).size == (16, 12)


# --- colour profiles and metadata


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile():
    """Make a valid profile whose red is sRGB's green and the other way round."""
    swapped = srgb_profile().replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    return swapped.replace("sRGB".encode("utf-16-be"), "xRGB".encode("utf-16-be"))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_colours_of_an_embedded_profile_become_srgb(file_format):
    image = read_image(encode(plain(colour=(120, 240, 40)), file_format, icc_profile=swapped_profile()))
    assert close(image.getpixel((8, 6)), (240, 120, 40), tolerance=8)
    assert image.info == {}


def test_a_profile_does_not_disturb_transparency():
    image = Image.new("RGBA", (4, 4), (120, 240, 40, 255))
    image.putpixel((0, 0), (120, 240, 40, 0))
    upright = read_image(encode(image, "PNG", icc_profile=swapped_profile()))
    assert upright.getpixel((0, 0)) == WHITE
    assert close(upright.getpixel((2, 2)), (240, 120, 40), tolerance=4)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("profile", [srgb_profile(), b"garbage", srgb_profile()[:200]], ids=["sRGB", "garbage", "cut"])
def test_an_srgb_or_broken_or_unfitting_profile_changes_nothing(mode, profile):
    image = plain(mode)
    assert read_image(encode(image, "JPEG", icc_profile=profile)) == read_image(encode(image, "JPEG"))


def test_a_profile_for_other_channels_changes_nothing():
    data = encode(plain("L"), "JPEG", icc_profile=swapped_profile())
    assert read_image(data) == read_image(encode(plain("L"), "JPEG"))


def test_the_image_carries_no_metadata():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "camera"
    image = read_image(encode(plain(), "JPEG", exif=exif, comment=b"secret", dpi=(72, 72), icc_profile=srgb_profile()))
    assert image.info == {}
    assert dict(image.getexif()) == {}


# --- frames and shapes


def test_only_the_first_of_two_thousand_gif_frames_is_visited(monkeypatch):
    data = encode(plain(), "GIF", save_all=True, append_images=[plain(colour=(0, 0, 255))])
    later = data[data.rindex(b"!\xf9") : -1]
    data = data[:-1] + later * 1998 + b";"
    assert Image.open(BytesIO(data)).n_frames == 2000
    visited, seek = [], GifImagePlugin.GifImageFile._seek
    monkeypatch.setattr(
        GifImagePlugin.GifImageFile, "_seek", lambda gif, frame, *rest: visited.append(frame) or seek(gif, frame, *rest)
    )
    assert read_image(data).getpixel((0, 0)) == ORANGE
    assert set(visited) == {0}


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_frame_counts(file_format):
    later = [plain(colour=(0, 0, 255)), plain(colour=(0, 255, 0))]
    data = encode(plain(), file_format, save_all=True, append_images=later)
    assert Image.open(BytesIO(data)).n_frames == 3
    assert close(read_image(data).getpixel((8, 6)), ORANGE)


def test_a_damaged_later_frame_does_not_matter():
    first = encode(plain(), "GIF")
    data = encode(plain(), "GIF", save_all=True, append_images=[plain(colour=(0, 0, 255))])
    assert read_image(data[: len(first) + 10]).getpixel((0, 0)) == ORANGE


@pytest.mark.parametrize("size", [(1, 1), (1, 10000), (10000, 1)])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_extreme_shapes_are_read(size, file_format):
    assert read_image(encode(plain(size=size), file_format)).size == size


# --- sources


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_a_path_gives_the_same_image_as_its_bytes(tmp_path, kind, file_format):
    path = tmp_path / "photo"
    path.write_bytes(encode(plain(), file_format))
    image = read_image(kind(path))
    path.unlink()
    assert image == read_image(encode(plain(), file_format))


def test_the_content_decides_and_not_the_suffix(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(plain(), "PNG"))
    assert read_image(path).getpixel((0, 0)) == ORANGE


def test_threads_decode_at_once_and_pillows_settings_stay():
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    good, cut = encode(plain(size=(200, 200)), "JPEG"), encode(plain(size=(200, 200)), "PNG")[:-40]

    def work(index):
        if index % 2:
            return read_image(good).getpixel((0, 0))
        with pytest.raises(ImageError):
            read_image(cut)
        return None

    with ThreadPoolExecutor(8) as pool:
        colours = list(pool.map(work, range(64)))
    assert all(close(colour, ORANGE) for colour in colours[1::2])
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before


# --- refusals


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "photo.jpg") == "There is no file photo.jpg."


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    assert refusal(tmp_path / "photos") == "photos is a folder, not an image."
    assert "folder" in refusal("")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_an_endless_device_is_refused():
    assert "no file" in refusal("/dev/zero")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    def forbid(path, *args):
        raise PermissionError(13, "Permission denied", str(path))

    path = tmp_path / "photo.jpg"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "open", forbid)
    assert refusal(path) == "photo.jpg cannot be opened."


@pytest.mark.parametrize("name", ["photo\0.jpg", "photo\n.jpg", "photo" * 3000])
def test_a_strange_name_is_refused_in_print(name):
    assert len(refusal(name)) < 120


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"")
    assert refusal(tmp_path / "photo.jpg") == "photo.jpg is empty."
    assert refusal(b"") == "The image is empty."


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\n<!DOCTYPE html><html><body><svg></svg></body></html>", "a web page"),
        (b"<HTML><head></head></HTML>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b"8BPS\0\x01" + b"\0" * 60, "a Photoshop file"),
        (b"%PDF-1.7\n", "a PDF file"),
        (b"hello, this is text", "not in a format that can be recognised"),
        (b"P6 1 1 255 abc", "not in a format that can be recognised"),
        (b"\0", "not in a format that can be recognised"),
    ],
)
def test_what_is_no_photo_is_refused_by_name(tmp_path, content, kind):
    (tmp_path / "photo.jpg").write_bytes(content)
    message = refusal(tmp_path / "photo.jpg")
    assert message.startswith(f"photo.jpg is {kind}; JPEG, PNG")


def test_a_format_that_pillow_knows_but_is_not_listed_is_refused():
    data = encode(plain(), "PPM")
    assert Image.open(BytesIO(data)).format == "PPM"
    assert "can be recognised" in refusal(data)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
@pytest.mark.parametrize(
    "file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", pytest.param("AVIF", marks=needs_avif)]
)
def test_a_truncated_file_is_refused(tmp_path, file_format, share):
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    data = encode(Image.fromarray(noise), file_format)
    (tmp_path / "photo.jpg").write_bytes(data[: max(20, int(len(data) * share))])
    message = refusal(tmp_path / "photo.jpg")
    assert message.startswith("photo.jpg is damaged")
    assert "cut short" in message


def test_a_damaged_png_is_refused():
    data = bytearray(encode(plain(), "PNG"))
    data[data.index(b"IDAT") + 8] ^= 0xFF
    assert "damaged" in refusal(bytes(data))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", pytest.param("AVIF", marks=needs_avif)]
)
def test_whatever_is_damaged_gives_an_image_or_a_refusal(file_format):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    options = {} if file_format in ("GIF", "BMP") else {"exif": exif}
    data, chance = encode(plain(), file_format, **options), random.Random(0)
    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[chance.randrange(len(data))] = chance.randrange(256)
        try:
            image = read_image(bytes(damaged))
        except ImageError:
            continue
        assert (image.mode, image.info) == ("RGB", {})


# --- size


@pytest.mark.parametrize(("side", "megapixels"), [(20_000, "400"), (10_000, "100"), (7072, "50.1")])
def test_a_bomb_is_refused_by_its_header(no_decoding, side, megapixels):
    data = png_claiming(side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = refusal(data)
    assert message == (
        f"The image is too large: {side} × {side} pixels, {megapixels} megapixels, where 50 megapixels are allowed."
    )
    assert no_decoding == []


def test_a_gif_whose_frame_outgrows_its_header_is_refused(no_decoding):
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x00;"
    assert refusal(screen + frame) == "The image has far more than the 50 megapixels that are allowed."
    assert no_decoding == []


def test_a_photo_of_exactly_the_limit_passes_and_one_row_more_does_not():
    data = encode(plain(size=(40, 30)), "PNG")
    assert read_image(data, max_pixels=1200).size == (40, 30)
    assert "40 × 30" in refusal(data, max_pixels=1199)


def test_a_phones_48_megapixel_photo_passes_the_limit(no_decoding):
    assert MAX_PIXELS == 50_000_000
    image = images._read_header(BytesIO(png_claiming(8064, 6048)), "photo", MAX_PIXELS)
    images._check_size(image, "photo", MAX_PIXELS)
    assert no_decoding == []


def test_an_index_mask_is_read_as_it_is_stored(tmp_path):
    values = np.array([[0, 1], [2, 255]], np.uint8)
    grey, coloured = Image.fromarray(values), Image.fromarray(values)
    coloured.putpalette([255 - i % 256 for i in range(768)])
    for name, image in (("grey", grey), ("palette", coloured)):
        path = tmp_path / f"{name}.png"
        image.save(path)
        assert images.read_mask(path).tolist() == values.tolist()
        assert images.read_mask(path.read_bytes()).dtype == np.uint8


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "I;16", "F"])
def test_a_picture_that_is_no_index_mask_is_refused(mode):
    buffer = BytesIO()
    Image.new(mode, (3, 2)).save(buffer, "TIFF" if mode == "F" else "PNG")
    with pytest.raises(ImageError, match="no index mask"):
        images.read_mask(buffer.getvalue())


def test_a_jpeg_is_no_mask_since_its_values_are_not_exact():
    buffer = BytesIO()
    Image.new("L", (8, 8)).save(buffer, "JPEG")
    with pytest.raises(ImageError, match="no index mask"):
        images.read_mask(buffer.getvalue())


@pytest.mark.parametrize(
    ("enough", "size"),
    [(1600, (1600, 1200)), (801, (1600, 1200)), (800, (800, 600)), (400, (400, 300)), (3, (200, 150))],
)
def test_a_jpeg_is_decoded_no_further_than_needed(enough, size):
    photo = encode(plain(size=(1600, 1200)), "JPEG")
    reduced, own = read_reduced(photo, enough)
    assert (reduced.size, own) == (size, (1600, 1200))
    assert close(reduced.getpixel((0, 0)), ORANGE)


def test_a_reduced_photo_shows_the_same_things():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8), "RGB")
    photo = encode(noise.resize((800, 600), Image.Resampling.BICUBIC), "JPEG", quality=95)
    whole = read_image(photo).resize((40, 30), Image.Resampling.BOX)
    reduced = read_reduced(photo, 200)[0].resize((40, 30), Image.Resampling.BOX)
    assert np.abs(np.asarray(whole, int) - np.asarray(reduced, int)).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_of_a_reduced_photo_is_that_of_the_upright_one(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    photo = encode(plain(size=(801, 800)), "JPEG", exif=exif)  # at an eighth of its size it is a square
    reduced, own = read_reduced(photo, 50)
    assert (max(reduced.size), own) == (101, read_image(photo).size)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_of_other_modes_are_reduced_too(mode):
    reduced, own = read_reduced(encode(plain(mode, (640, 480)), "JPEG"), 160)
    assert (reduced.mode, reduced.size, own) == ("RGB", (160, 120), (640, 480))
    assert close(reduced.getpixel((9, 9)), read_image(encode(plain(mode, (64, 48)), "JPEG")).getpixel((9, 9)))


def test_other_formats_are_decoded_whole():
    assert read_reduced(encode(plain(size=(640, 480)), "PNG"), 160)[0].size == (640, 480)


def test_a_damaged_jpeg_is_refused_when_reduced_too():
    with pytest.raises(ImageError, match=r"The image is damaged or cut short\."):
        read_reduced(encode(plain(size=(640, 480)), "JPEG")[:-400], 80)
