"""Colours of every mode, depth and profile as a person sees them."""

import struct
import warnings
import zlib
from io import BytesIO

import numpy as np
import pytest
from corpus import chunk, png
from pictures import ORANGE, WHITE, close, encode, gradient, greys, plain
from PIL import Image, ImageCms

from segdemo.images import colours, read_image
from segdemo.images.colours import to_rgb


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB", "HSV", "RGBX"])
def test_each_opaque_mode_keeps_its_look(mode):
    expected = (255, 255, 255) if mode in ("1", "L") else ORANGE
    lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    image = ImageCms.applyTransform(plain(), lab) if mode == "LAB" else plain(mode, colour=expected)
    assert close(to_rgb(image).getpixel((8, 6)), expected)


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
    assert close(to_rgb(straight.convert(mode)).getpixel((0, 0)), (177, 177, 177), tolerance=2)


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
    assert greys(to_rgb(image)).tolist() == [0, 100]


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
    deep = gradient("<f4", -5, 5, 300)
    whole = to_rgb(deep)
    monkeypatch.setattr(colours, "_BLOCK", 7)
    assert to_rgb(deep) == whole


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


# --- depths that Pillow does not scale or turn


def tiff(rows, bits, photometric=1, sample_format=1):
    """Write a little-endian grey TIFF of rows that are packed already."""
    width = len(rows[0]) * 8 // bits
    fields = [(256, width), (257, len(rows)), (258, bits), (259, 1), (262, photometric), (273, 0), (277, 1)]
    fields += [(278, len(rows)), (279, sum(map(len, rows))), (339, sample_format)]
    start = 8 + 2 + 12 * len(fields) + 4
    content = struct.pack("<2sHIH", b"II", 42, 8, len(fields))
    content += b"".join(struct.pack("<HHII", tag, 4, 1, start if tag == 273 else value) for tag, value in fields)
    return content + bytes(4) + b"".join(rows)


def packed_12_bit(values):
    digits = (np.asarray(values)[:, None] >> np.arange(12)[::-1]) & 1
    return np.packbits(digits.astype(np.uint8)).tobytes()


def test_a_12_bit_tiff_is_as_bright_as_it_was_taken():
    values = np.arange(256) * 4095 // 255
    assert greys(read_image(tiff([packed_12_bit(values)], 12))).tolist() == list(range(256))
    assert greys(read_image(tiff([packed_12_bit([0, 255] * 8)], 12))).max() == 16  # a dark one stays dark


@pytest.mark.parametrize(
    ("bits", "dtype", "sample_format", "white"),
    [(8, "u1", 1, 255), (16, "<u2", 1, 65535), (32, "<f4", 3, 1)],
)
def test_a_tiff_in_which_white_is_zero_is_no_negative(bits, dtype, sample_format, white):
    row = (np.arange(256) * (white / 255)).astype(dtype).tobytes()
    usual = greys(read_image(tiff([row], bits, 1, sample_format)))
    assert usual.tolist() == list(range(256))
    assert greys(read_image(tiff([row], bits, 0, sample_format))).tolist() == usual[::-1].tolist()


# --- profiles by what they hold


def linear_profile():
    """Make a profile of sRGB's primaries without its curve; its name says sRGB, as GIMP's own does."""
    profile = bytearray(srgb_profile())
    at = profile.index(b"para\0\0\0\0")
    profile[at : at + 12] = b"curv" + bytes(8)
    name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(BytesIO(bytes(profile))))
    assert "sRGB" in name
    return bytes(profile)


def grey_profile(gamma):
    """Make a profile for greys."""
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256))
    tags = {b"wtpt": white, b"kTRC": curve}
    table, offset = struct.pack(">I", len(tags)), 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, offset, len(content))
        offset += len(content)
    place = struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)  # D50
    head = struct.pack(">I4xI4s4s4s12x4s28x", offset, 0x02400000, b"mntr", b"GRAY", b"XYZ ", b"acsp") + place
    return head.ljust(128, b"\0") + table + white + curve


def cmyk_profile():
    """Make a profile for CMYK in which each ink is a grey one."""
    grid = [bytes((255 - 60 * corner.bit_count(), 128, 128)) for corner in range(16)]  # Lab
    identity = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x10000)
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + b"".join(grid) + ramp * 3
    start = 128 + 4 + 12
    head = struct.pack(">I4xI4s4s4s12x4s28x", start + len(table), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    head += struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", start, len(table)) + table


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_linear_profile_is_no_srgb_whatever_its_name(mode):
    data = encode(plain("RGB", colour=(51, 51, 51)).convert(mode), "PNG", icc_profile=linear_profile())
    assert close(read_image(data).getpixel((0, 0)), (124, 124, 124), tolerance=1)


def test_a_profile_that_rounds_srgb_a_little_changes_no_pixel():
    steps = np.arange(16) / 15
    curve = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    table = b"curv" + bytes(4) + struct.pack(">I", 16) + (curve * 65535 + 0.5).astype(">u2").tobytes()
    profile = bytearray(srgb_profile())
    for name in (b"rTRC", b"gTRC", b"bTRC"):  # many cameras' profiles hold it as such a table, mostly a finer one
        at = profile.index(name)
        profile[at + 4 : at + 12] = struct.pack(">II", len(srgb_profile()), len(table))
    profile[:4] = struct.pack(">I", len(profile) + len(table))
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    assert read_image(encode(noise, "PNG", icc_profile=bytes(profile) + table)) == noise


@pytest.mark.parametrize("kind", ["L", "LA", "P", "16 bits", "16 bits and alpha", "a transparent grey"])
def test_the_profile_of_greys_counts_whatever_else_the_file_holds(kind):
    grey = Image.new("L", (4, 4), 55)
    if kind == "16 bits":
        data = encode(Image.fromarray(np.full((4, 4), 55 * 257, np.uint16)), "PNG", icc_profile=grey_profile(1))
    elif kind == "16 bits and alpha":
        rows = [b"\0" + struct.pack(">HH", 55 * 257, 65535) * 4] * 4
        profile = chunk(b"iCCP", b"grey\0\0" + zlib.compress(grey_profile(1)))
        data = png((4, 4), 16, 4, rows, profile)
    elif kind == "a transparent grey":
        data = encode(grey, "PNG", transparency=3, icc_profile=grey_profile(1))
    else:
        data = encode(grey.convert(kind), "PNG", icc_profile=grey_profile(1))
    assert close(read_image(data).getpixel((0, 0)), (128, 128, 128), tolerance=1)


def test_a_profile_of_greys_takes_no_colours_away():
    data = encode(plain(), "PNG", icc_profile=grey_profile(1))
    assert read_image(data).getpixel((0, 0)) == ORANGE


def test_a_cmyk_photo_is_drawn_by_its_profile():
    inks = Image.new("CMYK", (4, 4), (0, 0, 0, 0))
    inks.putpixel((0, 0), (255, 0, 0, 0))
    upright = read_image(encode(inks, "TIFF", icc_profile=cmyk_profile()))
    assert close(upright.getpixel((2, 2)), WHITE)
    red, green, blue = upright.getpixel((0, 0))  # no cyan
    assert close((red, green), (blue, blue), tolerance=2)
    assert 100 < red < 200


def test_lab_has_its_own_colours_whatever_profile_is_with_it():
    lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    data = encode(ImageCms.applyTransform(plain(), lab), "TIFF", icc_profile=swapped_profile())
    assert close(read_image(data).getpixel((8, 6)), ORANGE)
