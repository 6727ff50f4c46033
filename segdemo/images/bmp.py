"""Parts of the BMP format that Pillow reads wrongly: run lengths, and the alpha of some files."""

import struct
from typing import IO

import numpy as np
from PIL import (
    BmpImagePlugin,  # noqa: F401 - first, since it registers its own decoder
    Image,
    ImageFile,
)

_HEADER = struct.Struct("<10xII ii2xHI20x4I")  # up to the masks of BITMAPV3HEADER
_BIT_FIELDS = 3
_WITH_ALPHA = 56  # bytes of the shortest header that has a mask for it
_NIBBLES = [bytes((value >> 4, value & 15)) for value in range(256)]


def mend_alpha(image: Image.Image, file: IO[bytes]) -> None:
    """Add to a decoded BMP the alpha of 16-bit pixels, which Pillow leaves out; drop one of zeros alone."""
    file.seek(0)
    head = file.read(_HEADER.size)
    if image.mode == "RGB" and len(head) == _HEADER.size:
        offset, size, width, height, bits, kind, *_, mask = _HEADER.unpack(head)
        if bits == 16 and kind == _BIT_FIELDS and size >= _WITH_ALPHA and mask:  # noqa: PLR2004
            file.seek(offset)
            stride = (width + 1) // 2 * 2  # rows are whole numbers of 32 bits
            words = np.frombuffer(file.read(stride * image.height * 2), "<u2").reshape(-1, stride)[:, :width]
            alpha = ((words & mask).astype(np.uint32) * 255 // mask).astype(np.uint8)
            image.putalpha(Image.fromarray(alpha if height < 0 else alpha[::-1]))
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
        image.putalpha(255)


class RunLengthDecoder(ImageFile.PyDecoder):
    """Decodes run lengths of 4 and 8 bits; Pillow's loses odd runs of 4 bits and empty rows."""

    _pulls_fd = True

    def decode(self, buffer: object) -> tuple[int, int]:
        """Decode the whole image, as Pillow asks."""
        is_4_bit, direction = self.args[1:]
        assert self.fd is not None  # since it pulls
        pixels = unpack(self.fd.read(), self.state.xsize, self.state.ysize, is_4_bit)
        layout = {"1": "1;8"}.get(self.mode, self.mode)
        self.set_as_raw(bytes(pixels), layout, (0, direction))
        return -1, 0


def unpack(data: bytes, width: int, height: int, is_4_bit: bool) -> bytearray:
    """Unpack run lengths of one or two pixels a byte, as Microsoft's "Bitmap Compression" describes them.

    Returns:
        An index a pixel, the rows in the file's order; pixels that are left out are 0.

    Raises:
        EOFError: The data end too early.
    """
    pixels = bytearray(width * height)
    at = x = y = 0
    while y < height:
        if at + 2 > len(data):
            raise EOFError("run lengths without an end")
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            run = _NIBBLES[value] * ((count + 1) // 2) if is_4_bit else bytes((value,)) * count
        elif value == 0:  # end of the row
            x, y = 0, y + 1
            continue
        elif value == 1:  # end of the image
            break
        elif value == 2:  # noqa: PLR2004 - a step to the right and up
            step = data[at : at + 2]
            x, y, at = x + step[0], y + step[1], at + 2
            continue
        else:  # pixels one by one, filled up to 16 bits
            count = value
            length = (count + 1) // 2 if is_4_bit else count
            run = data[at : at + length]
            run = b"".join(_NIBBLES[byte] for byte in run) if is_4_bit else run
            at += length + length % 2
        room = max(0, min(count, width - x, len(run)))
        start = y * width + x
        pixels[start : start + room] = run[:room]
        x += count
    return pixels


Image.register_decoder("bmp_rle", RunLengthDecoder)
