"""What a pass in half the bits changes and saves: class maps and times in bfloat16 against those in float32."""

from pathlib import Path

from PIL import Image

from segdemo import catalog
from segdemo.bench.timing import measure_in_turn
from segdemo.images import read_image
from segdemo.segmenter import Segmenter
from segdemo.training.datasets import learned_from, open_dataset
from segdemo.ui.segment_tab import EXAMPLES

_SPLIT = "held-out"


def bfloat16_vs_float32(device: str, data: Path | None, runs: int) -> dict[str, dict[str, float]]:
    """Compare the bundled networks in both precisions: class maps at the photos' own sizes, and the time of a photo.

    A network sees the held-out photos of the first data set under the folder `data` that it learned from; without a
    folder the page's examples. A CPU computes bfloat16 too, if not sooner; passes are timed in turn.

    Returns:
        By network: `photos`; `pixels_equal`, the share of pixels with the same class; `worst_photo`, that share in the
        photo where it is least; milliseconds of a photo at the own analysis size, `float32_ms` and `bfloat16_ms`; and
        `times_as_fast`.

    Raises:
        DataError: A data set is not there.
        ValueError: None of its photos is held out.
    """
    photos: dict[str, list[Image.Image]] = {}
    found = {}
    for name in catalog.BUNDLED:
        dataset = learned_from(catalog.find(name).metadata)[0]
        if dataset not in photos:
            photos[dataset] = _photos(data, dataset)
        found[name] = _compare(name, device, photos[dataset], runs)
    return found


def _photos(data: Path | None, dataset: str) -> list[Image.Image]:
    if data is None:
        return [read_image(path) for path in EXAMPLES]
    photos = [photo for photo, _ in open_dataset(data, dataset, _SPLIT)]
    if not photos:
        raise ValueError(f"{data} has too few photos for one to be {_SPLIT}")
    return photos


def _compare(name: str, device: str, photos: list[Image.Image], runs: int) -> dict[str, float]:
    full, half = (Segmenter.load(name, device, precision) for precision in ("float32", "bfloat16"))
    same = [one.class_map() == other.class_map() for one, other in zip(full(photos), half(photos), strict=True)]
    slow, fast = measure_in_turn(lambda: full(photos[0]), lambda: half(photos[0]), runs=runs)
    return {
        "photos": len(photos),
        "pixels_equal": sum(int(each.sum()) for each in same) / sum(each.size for each in same),
        "worst_photo": min(each.mean().item() for each in same),
        "float32_ms": 1000 * slow.median,
        "bfloat16_ms": 1000 * fast.median,
        "times_as_fast": slow.median / fast.median,
    }
