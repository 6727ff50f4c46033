"""Photos in, files out, as a job that can be stopped, taken up again, and shared by several machines."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from segdemo import catalog
from segdemo.batch import Style, row_from_facts, segment_one, table_row, unique_stems, write_item
from segdemo.checkpoints import digest
from segdemo.refine import refine_edges
from segdemo.segmentation import Segmentation, check_class
from segdemo.segmenter import AnalysisSize, Segmenter, check_analysis_size

Row = dict[str, object]
"""What `batch.table_row` says of a photo."""


@dataclass(frozen=True)
class Job:
    """What is to be done with every photo.

    Attributes:
        model: The network's name.
        out: The folder that the files go to.
        device: As `Segmenter.load` takes it.
        analysis_size: As `Segmenter` takes it.
        best_quality: As `Segmenter` takes it.
        refine_edges: Whether edges are moved to those of the photo.
        style: How results are drawn.
    """

    model: str
    out: Path
    device: str = "auto"
    analysis_size: AnalysisSize = None
    best_quality: bool = False
    refine_edges: bool = False
    style: Style = field(default_factory=Style)


class Photo(NamedTuple):
    """A photo of a job: where it stands in the list, its path, and the name under which its files are written."""

    index: int
    path: Path
    stem: str


def listed(paths: Sequence[Path]) -> list[Photo]:
    """Number photos and name their results."""
    return [Photo(*each) for each in zip(range(len(paths)), paths, unique_stems(paths), strict=True)]


class Predictor:
    """A network that works on a job.

    Args:
        job: What to do.

    Raises:
        ValueError: There is no such network, device or class, or the analysis size is out of range.
        OSError: The folder cannot be made.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._segmenter = Segmenter.load(job.model, job.device)
        check_class(self._segmenter.name, self._segmenter.metadata.classes, job.style.heat_class)
        if isinstance(job.analysis_size, int):
            check_analysis_size(job.analysis_size, job.analysis_size)  # how large it may be depends on the photo
        job.out.mkdir(parents=True, exist_ok=True)
        weights = digest(catalog.find(job.model).path)
        settings = {key: value for key, value in asdict(job).items() if key not in ("out", "device")}
        self._settings = {**settings, "weights": weights}

    def __call__(self, photo: Photo) -> Row:
        """Write a photo's files, unless they are there from the same photo, network and settings.

        Returns:
            Its row; the problem is in it where there was one.

        Raises:
            OSError: The files cannot be written.
        """
        request = self._request(photo.path)
        done = self._done(photo, request)
        if done is not None:
            return done
        item = segment_one(photo.path, photo.stem, self._segment)
        if item.segmentation:
            write_item(self.job.out, item, self.job.style, {"request": request})
        return table_row(item)

    def _segment(self, image: Image.Image) -> Segmentation:
        segmentation = self._segmenter(image, self.job.analysis_size, self.job.best_quality)
        return refine_edges(segmentation, image) if self.job.refine_edges else segmentation

    def _request(self, path: Path) -> dict[str, object]:
        """Say all that the results depend on; what cannot be read will be found out by who decodes it."""
        try:
            whole, status = path.resolve(), path.stat()
        except (OSError, ValueError):  # a path may hold a null byte
            return self._settings
        return {
            **self._settings,
            "photo": str(whole),
            "bytes": status.st_size,
            "changed_ns": status.st_mtime_ns,
        }

    def _done(self, photo: Photo, request: dict[str, object]) -> Row | None:
        try:
            facts = json.loads((self.job.out / f"{photo.stem}.json").read_text(encoding="utf-8"))
            return row_from_facts(photo.path, facts) if facts["request"] == request else None
        except (OSError, ValueError, LookupError, TypeError):
            return None


def predict_here(job: Job, photos: Iterable[Photo]) -> Iterator[tuple[Photo, Row]]:
    """Work on a job in this process, one photo after the other, each when it is asked for.

    Raises:
        ValueError: See `Predictor`.
        OSError: See `Predictor`.
    """
    predictor = Predictor(job)
    for photo in photos:
        yield photo, predictor(photo)
