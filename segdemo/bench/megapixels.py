"""Time and memory against the size of the photo, each in a process of its own so that peaks do not mix."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from segdemo.bench.photos import write_photo
from segdemo.bench.timing import measure
from segdemo.images import read_image
from segdemo.segmenter import Segmenter

SIZES = (0.25, 1.0, 4.0, 12.0, 24.0, 48.0)
_NETWORK = "fcn8s_vgg16"
_ASPECT = 4 / 3
_REFERENCE = 1.0  # megapixels of the photo that others are compared with
_REFERENCES, _SHORT_RUNS = 3, 5  # runs


def megapixels(largest: float, device: str) -> dict[str, object]:
    """Segment photos of up to `largest` megapixels at their full resolution.

    Returns:
        By megapixels: `seconds` (reading, network, class map), `vs_one_megapixel` (a pixel's cost over one's in a photo
        of one megapixel, timed just before and after in the same process, since a shared machine changes its speed),
        and `peak_mb`, the most memory that the process held (none on Windows; at least what one megapixel takes); and
        `spread`, the dearest pixel over the cheapest by `vs_one_megapixel`.
    """
    rows: dict[str, dict[str, float]] = {}
    for size in (size for size in SIZES if size <= largest):
        command = [sys.executable, "-m", "segdemo.bench.megapixels", str(size), device, str(_REFERENCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows[f"{size:g}"] = json.loads(done.stdout.splitlines()[-1])
    each = [row["vs_one_megapixel"] for row in rows.values()]
    return {**rows, "spread": max(each) / min(each)}


def measure_one(size: float, device: str, reference: float = _REFERENCE) -> dict[str, float | None]:
    """Segment one photo of so many megapixels, between photos of `reference` megapixels to compare with."""
    segmenter = Segmenter.load(_NETWORK, device)

    def see(path: Path) -> None:
        image = read_image(path)
        segmenter(image, max(image.size)).class_map()

    with tempfile.TemporaryDirectory() as folder:
        one, photo = (
            _write(Path(folder) / f"{name}.jpg", area) for name, area in (("one", reference), ("photo", size))
        )
        before = measure(lambda: see(one), _REFERENCES)
        seconds = measure(lambda: see(photo), _SHORT_RUNS if size <= 1 else 1, warmup=0).median
        after = measure(lambda: see(one), _REFERENCES, warmup=0)
        peak = _peak_mb()
    usual = (before.median + after.median) / 2 / reference
    return {"seconds": seconds, "vs_one_megapixel": seconds / size / usual, "peak_mb": peak}


def _write(path: Path, megapixels: float) -> Path:
    height = round((megapixels * 1e6 / _ASPECT) ** 0.5)
    return write_photo(path, round(megapixels * 1e6 / height), height)


def _peak_mb() -> float | None:
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage tells on Linux starts from the parent's peak
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS counts bytes


if __name__ == "__main__":
    print(json.dumps(measure_one(float(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
