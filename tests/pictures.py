"""Small pictures for the tests of the decoder, and how to look at what comes back."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, features

from segdemo.images import ImageError, read_image

ORANGE = (240, 120, 40)
WHITE = (255, 255, 255)

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


def refusal(source, read=read_image, **options):
    """Give the message of a refusal, which must be one sentence and betray no path."""
    with pytest.raises(ImageError) as caught:
        read(source, **options)
    message = str(caught.value)
    assert message.endswith(".")
    assert ". " not in message
    assert not {"\n", "/", "\\"} & set(message)
    assert "Error" not in message
    assert message[0].isupper() or message.startswith("photo")
    return message
