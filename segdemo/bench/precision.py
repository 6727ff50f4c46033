"""What a pass in half the bits changes: class maps in bfloat16 against those in float32."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from segdemo import catalog
from segdemo.images import read_image
from segdemo.segmenter import Segmenter
from segdemo.training.datasets import open_dataset
from segdemo.ui.segment_tab import EXAMPLES

_SPLIT = "held-out"


def bfloat16_vs_float32(device: str, data: Path | None) -> dict[str, object]:
    """Compare the class maps of the bundled networks in both precisions, at the photos' own sizes.

    Args:
        device: Where to compute; a CPU computes bfloat16 too, if not sooner.
        data: The folder of `oxford-iiit-pet/`, whose held-out photos are taken; none takes the page's examples.

    Returns:
        `photos`, and by network `pixels_equal`, the share of pixels with the same class, and `worst_photo`, that share
        in the photo where it is least.

    Raises:
        DataError: The dataset is not there.
        ValueError: None of its photos is held out.
    """
    photos = list(_photos(data))
    if not photos:
        raise ValueError(f"{data} has too few photos for one to be {_SPLIT}")
    return {"photos": len(photos), **{name: _compare(name, device, photos) for name in catalog.BUNDLED}}


def _photos(data: Path | None) -> Iterator[Image.Image]:
    if data is None:
        yield from (read_image(path) for path in EXAMPLES)
        return
    yield from (photo for photo, _ in open_dataset(data, "pets", _SPLIT))


def _compare(name: str, device: str, photos: list[Image.Image]) -> dict[str, float]:
    full, half = (Segmenter.load(name, device, precision) for precision in ("float32", "bfloat16"))
    same = [one.class_map() == other.class_map() for one, other in zip(full(photos), half(photos), strict=True)]
    equal = sum(int(each.sum()) for each in same) / sum(each.size for each in same)
    return {"pixels_equal": equal, "worst_photo": min(each.mean().item() for each in same)}
