"""What a helper process runs: requests come in, pixels go out, until the pipe is closed.

A request is a line of JSON, and the file's content behind it where no path is named. An answer is the length of some
JSON, the JSON, and the pixels of the image that it describes.
"""

import faulthandler
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import BinaryIO

from PIL import Image

from segdemo.images.decode import decode_mask, decode_photo, open_file
from segdemo.images.errors import ImageError

_BAND = 1 << 14  # pixels that are handed over at a time, few enough for a cache


def main(most_seconds: int) -> None:
    """Decode until the other side is gone, or nobody waits for a file any more, should whoever watches be gone."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no Path needed
        for stream in (sys.stdout, sys.stderr):  # libraries print what they find odd in a file
            os.dup2(nowhere.fileno(), stream.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):  # may reach the whole group, while running requests are served
            signal.signal(number, signal.SIG_IGN)
        _send(answers, {})
        for line in requests:
            faulthandler.dump_traceback_later(most_seconds, exit=True, file=nowhere)
            request = json.loads(line)
            answer = _answer(request, requests.read(request["bytes"]))
            faulthandler.cancel_dump_traceback_later()
            _send(answers, *answer)


def _answer(request: Mapping, content: bytes) -> tuple[dict, Iterable[bytes]]:
    name, most = request["name"], request["max_pixels"]
    try:
        with open_file(request["path"], name) if "path" in request else BytesIO(content) as file:
            if request["kind"] == "mask":
                image = Image.fromarray(decode_mask(file, name, most))
                own_size = image.size
            else:
                image, own_size = decode_photo(file, name, most, request["longer_side"])
    except ImageError as error:
        return {"problem": str(error)}, ()
    rows = max(1, _BAND // image.width)
    return {"mode": image.mode, "size": image.size, "own_size": own_size, "rows": rows}, _bands(image, rows)


def _bands(image: Image.Image, rows: int) -> Iterator[bytes]:
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height))).tobytes()


def _send(answers: BinaryIO, facts: Mapping, bands: Iterable[bytes] = ()) -> None:
    text = json.dumps(facts).encode()
    answers.write(len(text).to_bytes(4, "little") + text)
    for band in bands:
        answers.write(band)
    answers.flush()
