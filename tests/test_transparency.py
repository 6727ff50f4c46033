"""The one transparent colour of a PNG, at every depth."""

import struct

import numpy as np
import pytest
from corpus import chunk, png
from pictures import WHITE, greys

from segdemo.images import read_image


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("which", [0, 1, -1])
def test_one_grey_of_any_depth_is_transparent_and_no_other(bits, which):
    most = 2**bits - 1
    values = np.arange(256) if bits == 16 else np.arange(min(most + 1, 256))  # of 16 bits the darkest, all near black
    transparent = values[which].item()
    digits = (values[:, None] >> np.arange(bits)[::-1]) & 1
    row = b"\0" + np.packbits(digits.astype(np.uint8)).tobytes()
    data = png((len(values), 1), bits, 0, [row], chunk(b"tRNS", struct.pack(">H", transparent)))
    expected = np.round(values * 255 / most).astype(int)
    expected[which] = 255
    assert greys(read_image(data)).tolist() == expected.tolist()


@pytest.mark.parametrize(("bits", "near"), [(8, (11, 20, 30)), (16, (10, 20, 31))])
def test_one_colour_of_any_depth_is_transparent_and_no_other(bits, near):
    transparent, kind = (10, 20, 30), "B" if bits == 8 else "H"
    row = b"\0" + struct.pack(f">6{kind}", *transparent, *near)
    data = png((2, 1), bits, 2, [row], chunk(b"tRNS", struct.pack(">3H", *transparent)))
    image = read_image(data)
    seen = near if bits == 8 else (0, 0, 0)
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [WHITE, seen]


def test_a_transparent_colour_that_is_nowhere_changes_nothing():
    row = b"\0" + struct.pack(">6H", *range(1000, 60_000, 10_000))
    plain, marked = (png((2, 1), 16, 2, [row], extra) for extra in (b"", chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))))
    assert read_image(marked) == read_image(plain)
