"""Run lengths and alpha of BMPs."""

import struct

import numpy as np
import pytest
from pictures import WHITE, refusal

from segdemo.images import bmp, read_image

GREYS = [bytes((value, 0, 0, 0)) for value in range(0, 256, 16)]  # blues, so that Pillow keeps the palette


def bmp_file(size, bits, compression, pixels, *, palette=b"", masks=None):
    """Write a BMP: of 40 bytes of header, or of 108 where there are masks."""
    width, height = size
    more = struct.pack("<4I", *masks) + bytes(52) if masks else b""
    offset = 14 + 40 + len(more) + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40 + len(more), width, height, 1, bits, compression, len(pixels), 0, 0, 0, 0)
    if palette:
        header = header[:32] + struct.pack("<II", len(palette) // 4, 0)
    return struct.pack("<2sIHHI", b"BM", offset + len(pixels), 0, 0, offset) + header + more + palette + pixels


def run_lengths(bits, data, size):
    palette = b"".join(GREYS)
    return np.asarray(read_image(bmp_file(size, bits, 1 if bits == 8 else 2, data, palette=palette)))[..., 2] // 16


def test_run_lengths_of_4_bits_keep_odd_runs_and_odd_absolute_rows():
    data = bytes((3, 0x12, 0, 5, 0x34, 0x56, 0x70, 0, 0, 0))  # 1 2 1, then 3 4 5 6 7 and a byte to fill up
    data += bytes((0, 3, 0x9A, 0xB0, 5, 0xCC, 0, 1))  # 9 10 11, then five times 12
    assert run_lengths(4, data, (8, 2)).tolist() == [[9, 10, 11, 12, 12, 12, 12, 12], [1, 2, 1, 3, 4, 5, 6, 7]]


def test_run_lengths_of_8_bits_keep_absolute_rows():
    data = bytes((2, 1, 0, 3, 4, 5, 6, 0, 0, 0, 5, 7, 0, 1))
    assert run_lengths(8, data, (5, 2)).tolist() == [[7, 7, 7, 7, 7], [1, 1, 4, 5, 6]]


@pytest.mark.parametrize("bits", [4, 8])
def test_empty_rows_steps_and_an_early_end_leave_the_first_colour(bits):
    one, two = (0x11, 0x22) if bits == 4 else (1, 2)
    data = bytes((2, one, 0, 0, 0, 0, 0, 2, 2, 1, 1, two, 0, 1))  # a row, an empty one, two right and one up, an end
    expected = [[0, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert run_lengths(bits, data, (4, 5)).tolist() == expected


def test_a_run_that_outgrows_its_row_is_cut():
    data = bytes((9, 3, 0, 0, 4, 5, 0, 1))
    assert run_lengths(8, data, (4, 2)).tolist() == [[5] * 4, [3] * 4]


@pytest.mark.parametrize("end", [b"", b"\4", b"\0\2", b"\0\2\1"])
def test_run_lengths_that_are_cut_short_are_refused(end):
    data = bmp_file((4, 4), 8, 1, bytes((4, 1, 0, 0)) + end, palette=b"".join(GREYS))
    assert refusal(data) == "The image is damaged or cut short."


def test_a_few_bytes_ask_for_no_long_work():
    pixels = bmp.unpack(b"\0\2\xff\xff" * 10_000, 7000, 7000, False)
    assert len(pixels) == 49_000_000


def test_alpha_of_16_bits_lets_white_through():
    words = struct.pack("<4H", 0x8000 | 0x7C00, 0x7C00, 0x8000, 0)  # red and black, opaque and not
    image = read_image(bmp_file((4, 1), 16, 3, words, masks=(0x7C00, 0x3E0, 0x1F, 0x8000)))
    assert [image.getpixel((x, 0)) for x in range(4)] == [(255, 0, 0), WHITE, (0, 0, 0), WHITE]


def test_rows_of_16_bits_with_alpha_stand_upright():
    rows = struct.pack("<HxxHxx", 0x8000, 0)  # of one pixel, filled up to 32 bits; the first is the lowest
    masks = (0x7C00, 0x3E0, 0x1F, 0x8000)
    up = read_image(bmp_file((1, 2), 16, 3, rows, masks=masks))
    down = read_image(bmp_file((1, -2), 16, 3, rows, masks=masks))
    assert [up.getpixel((0, y)) for y in (0, 1)] == [WHITE, (0, 0, 0)]
    assert [down.getpixel((0, y)) for y in (0, 1)] == [(0, 0, 0), WHITE]


@pytest.mark.parametrize(
    ("bits", "masks"),
    [(32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)), (32, (0, 0, 0, 0)), (16, (0x7C00, 0x3E0, 0x1F, 0x8000))],
)
def test_alpha_that_is_zero_everywhere_means_nothing(bits, masks):
    pixels = struct.pack("<2I", 0x0000FF00, 0x00FF0000) if bits == 32 else struct.pack("<2H", 0x3E0, 0x7C00)
    image = read_image(bmp_file((2, 1), bits, 3, pixels, masks=masks))
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(0, 255, 0), (255, 0, 0)]


def test_alpha_of_32_bits_still_counts_where_it_says_something():
    pixels = struct.pack("<2I", 0xFF00FF00, 0x00FF0000)
    image = read_image(bmp_file((2, 1), 32, 3, pixels, masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000)))
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(0, 255, 0), WHITE]
