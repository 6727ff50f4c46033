"""Time and memory against the size of the photo, each in a process of its own so that peaks do not mix."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from segdemo.bench.photos import write_photo
from segdemo.bench.timing import timed
from segdemo.images import read_image
from segdemo.segmenter import Segmenter

SIZES = (0.25, 1.0, 4.0, 12.0, 24.0, 48.0)
_NETWORK = "fcn8s_vgg16"
_ASPECT = 4 / 3
_FLAT = 1.15  # times as long a pixel as the quickest


def megapixels(largest: float, device: str) -> dict[str, object]:
    """Segment photos at their full resolution.

    Args:
        largest: Megapixels; larger sizes are left out.
        device: Where to compute.

    Returns:
        By megapixels: `seconds` (reading, resizing, network, class map), `seconds_per_megapixel`, and `peak_mb`, the
        most memory that the process held (none on Windows); and `spread`, the dearest pixel over the cheapest.
    """
    rows = {}
    for size in (size for size in SIZES if size <= largest):
        command = [sys.executable, "-m", "segdemo.bench.megapixels", str(size), device]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows[f"{size:g}"] = json.loads(done.stdout.splitlines()[-1])
    each = [row["seconds_per_megapixel"] for row in rows.values()]
    return {**rows, "spread": max(each) / min(each), "is_linear": max(each) / min(each) <= _FLAT}


def measure_one(size: float, device: str) -> dict[str, float | None]:
    """Segment one photo of so many megapixels, after a small one to warm up."""
    height = round((size * 1e6 / _ASPECT) ** 0.5)
    width = round(size * 1e6 / height)
    segmenter = Segmenter.load(_NETWORK, device)
    with tempfile.TemporaryDirectory() as folder:
        small = read_image(write_photo(Path(folder) / "small.jpg", 256, 192))
        segmenter(small, 256).class_map()
        path = write_photo(Path(folder) / "photo.jpg", width, height)

        def run() -> None:
            image = read_image(path)
            segmenter(image, max(image.size)).class_map()

        seconds, _ = timed(run)
    return {"seconds": seconds, "seconds_per_megapixel": seconds / size, "peak_mb": _peak_mb()}


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
    print(json.dumps(measure_one(float(sys.argv[1]), sys.argv[2])))
