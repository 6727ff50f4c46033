"""Damaged files of every sort: only a result or a sentence comes out, in bounded memory and time."""

import json
import struct
import time
from io import BytesIO

import pytest
import torch
from corpus import VALID
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.torch import save
from test_checkpoints import METADATA, tiny

from segdemo import checkpoints
from segdemo.images import ImageError
from segdemo.images.decode import decode_photo
from segdemo.metadata import CheckpointError
from segdemo.models import ARCHITECTURES

MOST_PIXELS = 1_000_000
SECONDS = 3  # of computing for one file; a usual one takes a thousandth
MEGABYTES = 300


@st.composite
def damaged(draw, whole: bytes):
    """Change, drop, repeat or insert bytes in some places, or cut the end off."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(1, 8))
        kind = draw(st.sampled_from(("set", "largest", "drop", "repeat", "insert", "end")))
        if kind == "set":
            content[at : at + length] = draw(st.binary(min_size=length, max_size=length))
        elif kind == "largest":  # as a size or an offset the worst
            content[at : at + length] = b"\xff" * length
        elif kind == "drop":
            del content[at : at + length]
        elif kind == "repeat":
            content[at:at] = content[at : at + 64] * length
        elif kind == "insert":
            content[at:at] = draw(st.binary(max_size=16))
        else:
            del content[at:]
    return bytes(content)


def peak():
    """Give the process's largest memory so far, in megabytes; 0 where the system does not tell."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture(scope="module", autouse=True)
def _bounded_memory():
    before = peak()
    yield
    assert peak() - before < MEGABYTES


def decode(content):
    start = time.process_time()
    try:
        # In this process, whose memory is watched; the limits of the helpers are not needed here.
        image, _ = decode_photo(BytesIO(content), "The image", MOST_PIXELS)
    except ImageError as error:
        assert str(error).endswith(".")
        assert "\n" not in str(error)
    else:
        assert image.mode == "RGB"
        assert image.width * image.height <= MOST_PIXELS
        assert not image.info
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("file_format", VALID)
def test_a_damaged_photo_gives_an_image_or_a_sentence(file_format):
    @given(damaged(VALID[file_format]()))
    def check(content):
        decode(content)

    decode(VALID[file_format]())
    check()


@given(
    st.binary(max_size=300), st.sampled_from((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"BM", b""))
)
def test_noise_behind_any_signature_gives_an_image_or_a_sentence(content, signature):
    decode(signature + content)


def stored():
    """Give the bytes of a whole checkpoint."""
    network = tiny(3)
    metadata = {key: json.dumps(value) for key, value in checkpoints.asdict(METADATA).items()}
    return save({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, metadata)


def parts(content):
    """Take a safetensors file apart: its header and its data."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ARCHITECTURES, "tiny", tiny)
        yield tmp_path_factory.mktemp("fuzz") / "some.safetensors"


def load(place, content):
    place.write_bytes(content)
    start = time.process_time()
    try:
        network, metadata = checkpoints.load(place)
    except CheckpointError as error:
        assert "some.safetensors" in str(error)
        assert "\n" not in str(error)
    else:
        with torch.inference_mode():  # what is taken can be computed with
            scores = network(torch.zeros(1, 3, 8, 8))
        assert scores.shape == (1, len(metadata.classes), 8, 8)
    assert time.process_time() - start < SECONDS


WHOLE = stored()
HEADER, DATA = parts(WHOLE)
TENSORS = [name for name in HEADER if name != "__metadata__"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(damaged(WHOLE))
@example(WHOLE)
@example(struct.pack("<Q", 1 << 62) + WHOLE[8:])
def test_a_damaged_checkpoint_gives_a_network_or_a_sentence(place, content):
    load(place, content)


@given(st.sampled_from(sorted(HEADER["__metadata__"])), JSON | st.just([10**400]) | st.just(10**400))
@example("recipe", "[" * 100_000)
def test_metadata_of_any_sort_gives_a_network_or_a_sentence(place, key, value):
    metadata = {
        **HEADER["__metadata__"],
        key: value if key == "recipe" and str(value)[:1] == "[" else json.dumps(value),
    }
    load(place, joined({**HEADER, "__metadata__": {k: str(v) for k, v in metadata.items()}}, DATA))


@given(st.sampled_from(("num_classes", "width", "weights", "x")), JSON)
@example("num_classes", 10**30)
@example("num_classes", 10**9)
@example("width", -1)
def test_arguments_of_any_sort_give_a_network_or_a_sentence(place, key, value):
    arguments = json.dumps({**METADATA.arguments, key: value})
    load(place, joined({**HEADER, "__metadata__": {**HEADER["__metadata__"], "arguments": arguments}}, DATA))


@given(
    st.sampled_from(TENSORS),
    st.sampled_from(("F64", "F32", "F16", "BF16", "I64", "I32", "U8", "BOOL", "C64", "F8_E4M3", "X")) | st.none(),
    st.lists(st.integers(0, 1 << 63), max_size=5) | st.none(),
    st.lists(st.integers(-1, 2 * len(DATA)), min_size=2, max_size=2) | st.none(),
)
@example(TENSORS[0], "I32", None, None)
@example(TENSORS[0], None, [1 << 62, 1 << 62], None)
def test_tensors_of_any_kind_and_shape_give_a_network_or_a_sentence(place, name, dtype, shape, offsets):
    entry = dict(HEADER[name])
    entry |= {k: v for k, v in {"dtype": dtype, "shape": shape, "data_offsets": offsets}.items() if v is not None}
    load(place, joined({**HEADER, name: entry}, DATA))


@pytest.mark.parametrize("name", TENSORS)
@pytest.mark.parametrize("kind", ["I32", "U32"])
def test_whole_numbers_in_the_place_of_floats_are_refused(place, name, kind):
    if HEADER[name]["dtype"] != "F32":
        return
    place.write_bytes(joined({**HEADER, name: {**HEADER[name], "dtype": kind}}, DATA))
    with pytest.raises(CheckpointError):
        checkpoints.load(place)
