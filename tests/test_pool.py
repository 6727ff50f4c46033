"""Small files that ask for hours or gigabytes are stopped, and hold nobody else up."""

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from corpus import chunk, png
from pictures import ORANGE, encode, plain
from PIL import Image

from segdemo.images import MAX_PIXELS, ImageError, pool, read_image
from segdemo.images.pool import Pool

GOOD = encode(plain(), "PNG")
ROOT = Path(__file__).parent.parent


def request(name="photo.jpg", **changes):
    return {"kind": "photo", "name": name, "max_pixels": MAX_PIXELS, "longer_side": None, **changes}


def jpeg_of_scans(count, side=7000):
    """Write a progressive JPEG that sends all pixels again and again, some bytes a time."""
    blocks = ((side + 7) // 8) ** 2

    def segment(mark, content):
        return bytes((255, mark)) + struct.pack(">H", len(content) + 2) + content

    def huffman(kind, symbol):  # one code of one bit
        return segment(0xC4, bytes((kind, 1, *[0] * 15, symbol)))

    head = segment(0xDB, b"\0" + b"\x10" * 64) + segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0")
    tables = huffman(0x00, 0) + huffman(0x10, 0xE0)  # no difference; the next 16,384 blocks are empty
    first = segment(0xDA, b"\1\1\0\0\0\0") + bytes((blocks + 7) // 8)
    others = segment(0xDA, b"\1\1\0\1\x3f\0") + bytes(blocks // 16384 * 15 // 8 + 1)
    return b"\xff\xd8" + head + tables + first + others * count + b"\xff\xd9"


def png_of_chunks(count):
    return png((16, 12), 8, 2, [b"\0" + bytes(48)] * 12, chunk(b"abCd", b"") * count)


def gif_of_comments(count):
    whole = encode(plain("P"), "GIF")
    at = whole.index(b",\0\0\0\0")
    return whole[:at] + b"!\xfe" + (b"\xff" + b"a" * 255) * count + b"\0" + whole[at:]


def tiff_of_tiles(side):
    """Write a TIFF of tiles of 1×1 pixel, all at one place."""
    count = side * side
    fields = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (277, 3, 1), (322, 3, 1)]
    fields += [(323, 3, 1), (324, 4, None), (325, 4, None)]
    offset = 8 + 2 + 12 * len(fields) + 4
    directory = struct.pack("<H", len(fields))
    for tag, kind, value in fields:
        directory += struct.pack("<HHII", tag, kind, 1 if value else count, value or offset + 4)
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + b"\x80" * 4 + struct.pack("<I", offset) * count


HOSTILE = {
    "a JPEG of 3,000 scans": lambda: jpeg_of_scans(3_000),
    "a PNG of a million chunks": lambda: png_of_chunks(1_000_000),
    "a GIF of one long comment": lambda: gif_of_comments(60_000),
    "a TIFF of a million tiles": lambda: tiff_of_tiles(1_000),
}


@pytest.fixture
def pools():
    """Make pools that are closed after the test."""
    made = []

    def make(**limits):
        made.append(Pool(**limits))
        return made[-1]

    yield make
    for each in made:
        each.close()


def helpers(some):
    return [psutil.Process(each.process.pid) for each in some._all]


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_takes_too_long_is_stopped_in_a_sentence_and_the_next_one_is_read(pools, kind):
    some = pools(seconds=1)
    some.decode(request(), GOOD)  # starts a helper
    (helper,) = helpers(some)
    content, start = HOSTILE[kind](), time.monotonic()
    assert len(content) < 20_000_000
    with pytest.raises(ImageError) as refusal:
        some.decode(request(), content)
    assert time.monotonic() - start < 10  # seconds by the clock, where this machine has other work
    says = "photo.jpg takes more than 1 seconds to decode: save it anew as JPEG or PNG and try again."
    assert str(refusal.value) == says
    assert not helper.is_running()
    assert some.decode(request(), GOOD).image.getpixel((0, 0)) == ORANGE


def test_a_file_that_takes_too_much_memory_is_stopped_in_a_sentence(pools):
    content = encode(Image.new("RGBA", (6000, 6000)), "PNG")
    assert len(content) < 200_000
    some = pools(megabytes=150)
    with pytest.raises(ImageError, match=r"^photo\.jpg takes more than 0\.15 GB of memory to decode: .*\.$"):
        some.decode(request(), content)
    assert some.decode(request(), GOOD).image.getpixel((0, 0)) == ORANGE


def test_the_limits_are_those_that_are_promised():
    assert (pool.SECONDS, pool.MEGABYTES) == (10, 1500)
    assert (pool.POOL.seconds, pool.POOL.megabytes) == (10, 1500)


def test_other_photos_are_read_beside_a_hostile_one(pools):
    some, ended = pools(seconds=60), []

    def send():
        with pytest.raises(ImageError):
            some.decode(request(), jpeg_of_scans(10_000))
        ended.append(True)

    for _ in range(3):
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
    while len(some._all) < 3:
        time.sleep(0.01)
    for _ in range(20):
        assert some.decode(request(), GOOD).image.size == (16, 12)
    assert not ended
    assert len(some._all) == 4


def test_a_helper_is_used_again_and_never_are_there_more_than_a_handful(pools):
    some = pools()
    for _ in range(5):
        some.decode(request(), GOOD)
    assert len(some._all) == 1
    threads = [threading.Thread(target=some.decode, args=(request(), GOOD)) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(some._all) <= 4


def test_a_helper_imports_no_torch(pools):
    some = pools()
    some.decode(request(), GOOD)
    (helper,) = helpers(some)
    assert helper.memory_info().rss < 100e6


def test_a_helper_that_was_killed_while_it_waited_is_replaced(pools):
    some = pools()
    some.decode(request(), GOOD)
    (helper,) = helpers(some)
    helper.kill()
    helper.wait()
    assert some.decode(request(), GOOD).image.getpixel((0, 0)) == ORANGE


def test_a_decoder_that_crashes_costs_one_sentence(pools):
    some = pools()
    some.decode(request(), GOOD)
    (helper,) = helpers(some)
    threading.Timer(0.3, helper.kill).start()
    with pytest.raises(ImageError, match=r"^photo\.jpg is damaged, or of a rare kind that cannot be read\.$"):
        some.decode(request(), jpeg_of_scans(10_000))
    assert some.decode(request(), GOOD).image.getpixel((0, 0)) == ORANGE


def test_a_helper_that_cannot_start_costs_one_sentence(pools, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ImageError, match=r"^photo\.jpg cannot be decoded now: try again in a minute\.$"):
        pools().decode(request(), GOOD)


def test_a_helper_that_ends_while_it_starts_costs_one_sentence(pools, monkeypatch):
    some = pools()
    monkeypatch.setattr(pool, "_RUN", "raise SystemExit(3)")
    with pytest.raises(ImageError, match=r"^photo\.jpg cannot be decoded now: try again in a minute\.$"):
        some.decode(request(), GOOD)
    assert not some._all


def test_what_interrupts_a_decode_leaves_no_half_answer(pools, monkeypatch):
    some = pools()
    some.decode(request(), GOOD)

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pool._Helper, "_receive", interrupt)
        with pytest.raises(KeyboardInterrupt):
            some.decode(request(), GOOD)
    assert some.decode(request(), encode(plain(colour=(1, 2, 3)), "PNG")).image.getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_to_the_whole_group_leaves_running_requests_their_helper(pools, number):
    some = pools()
    some.decode(request(), GOOD)
    (helper,) = helpers(some)
    helper.send_signal(number)
    time.sleep(0.1)
    some.decode(request(), GOOD)
    assert helpers(some) == [helper]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_a_forked_process_has_helpers_of_its_own():
    read_image(GOOD)
    before = helpers(pool.POOL)
    child = os.fork()
    if child == 0:
        try:
            same = read_image(GOOD).getpixel((0, 0)) == ORANGE
            own = not set(helpers(pool.POOL)) & set(before)
            pool.POOL.close()
            os._exit(0 if same and own else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert read_image(GOOD).getpixel((0, 0)) == ORANGE
    assert set(helpers(pool.POOL)) == set(before)


SCRIPT = """
import sys
from segdemo.images import pool, read_image
read_image(sys.stdin.buffer.read())
print(*(each.process.pid for each in pool.POOL._all), flush=True)
{end}
"""


READ = {
    "pool": """
import sys
from segdemo.images import ImageError, read_image
try:
    read_image(sys.argv[1])
except ImageError:
    print("refused")
""",
    "decode": """
import sys
from segdemo.images import ImageError
from segdemo.images.decode import decode_photo
try:
    decode_photo(open(sys.argv[1], "rb"), "", 10**6)
except ImageError:
    print("refused")
""",
}


@pytest.mark.parametrize("end", ["", "import os; os.kill(os.getpid(), 9)", "import os; os._exit(0)"])
def test_helpers_end_with_their_process_however_that_ends(end):
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(end=end)], input=GOOD, capture_output=True, check=False, cwd=ROOT
    )
    (pid,) = map(int, ended.stdout.split())
    assert ended.stderr == b""
    with suppress(psutil.NoSuchProcess):  # it is gone already
        psutil.Process(pid).wait(timeout=20)


def test_what_libraries_print_about_a_file_reaches_no_terminal(tmp_path):
    whole = encode(plain(), "TIFF", compression="tiff_lzw")
    (tmp_path / "photo.tif").write_bytes(whole[:8] + b"\xff" * 12 + whole[20:])
    for module, silent in (("pool", True), ("decode", False)):  # libtiff itself writes to standard error
        ended = subprocess.run(
            [sys.executable, "-c", READ[module], str(tmp_path / "photo.tif")],
            capture_output=True,
            check=False,
            cwd=ROOT,
        )
        assert ended.stdout.split() == [b"refused"]
        assert (ended.stderr == b"") == silent


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (300, 200)])
def test_every_pixel_comes_back_as_it_was(mode, size):
    values = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
    content = encode(Image.fromarray(values).convert(mode), "PNG")
    assert (np.asarray(read_image(content)) == np.asarray(Image.fromarray(values).convert(mode).convert("RGB"))).all()
