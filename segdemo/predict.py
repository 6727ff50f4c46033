"""Photos in, files out, as a job that can be stopped, taken up again, and shared by several machines."""

import errno
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from segdemo import catalog
from segdemo.analysis import Analysis, Style, analyse
from segdemo.batch import problem_row, row_from_facts, segment_one, table_row, write_item
from segdemo.checksums import digest
from segdemo.results import choose_stems, facts_name, identify, is_whole, read_facts
from segdemo.safe_files import explain
from segdemo.seeing import check_analysis_size
from segdemo.segmentation import Segmentation, check_class
from segdemo.segmenter import Segmenter

Row = dict[str, object]
"""What `batch.table_row` says of a photo."""

# A disk that forbids a name says one of these; every other error of writing would meet the next photo too.
_ODD_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)


@dataclass(frozen=True)
class Job:
    """What is to be done with every photo, where its files go, and on which device, as `Segmenter.load` takes it."""

    analysis: Analysis
    out: Path
    device: str = "auto"
    style: Style = field(default_factory=Style)


class Photo(NamedTuple):
    """A photo of a job: where it stands in the list, its path, and the name under which its files are written."""

    index: int
    path: Path
    stem: str


def listed(paths: Sequence[Path], out: Path | None = None) -> list[Photo]:
    """Number photos and name their results, so that none replaces a file that is not this photo's own result.

    The files go to the folder `out`; None stands for an empty one.

    Raises:
        OSError: The folder cannot be looked into.
    """
    return [Photo(*each) for each in zip(range(len(paths)), paths, choose_stems(paths, out), strict=True)]


class Predictor:
    """A network that works on a job.

    Raises:
        ValueError: There is no such network, device or class, or the analysis size is out of range.
        OSError: The folder cannot be made.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        name, size = job.analysis.network, job.analysis.size
        self._segmenter = Segmenter.load(name, job.device)
        check_class(name, self._segmenter.metadata.classes, job.style.heatmap_class)
        if isinstance(size, int):
            check_analysis_size(size, size)  # how large it may be depends on the photo
        job.out.mkdir(parents=True, exist_ok=True)
        weights = digest(catalog.find_or_open(name).path)
        self._settings = {**asdict(job.analysis), "style": asdict(job.style), "weights": weights}

    def __call__(self, photo: Photo) -> Row:
        """Write a photo's files, unless they are there from the same photo, network and settings, and give its row.

        Raises:
            OSError: The files cannot be written.
        """
        request = {**self._settings, **identify(photo.path)}
        done = self._done(photo, request)
        if done is not None:
            return done
        item = segment_one(photo.path, photo.stem, self._segment)
        if item.segmentation:
            try:
                write_item(self.job.out, item, self.job.style, {"request": request})
            except OSError as error:
                if error.errno not in _ODD_NAME:
                    raise
                return problem_row(photo.path, explain(error))
        return table_row(item)

    def _segment(self, image: Image.Image) -> Segmentation:
        return analyse(image, self.job.analysis, self._segmenter)

    def _done(self, photo: Photo, request: dict[str, object]) -> Row | None:
        facts = read_facts(self.job.out / facts_name(photo.stem))
        if facts is None or facts.get("request") != request or not is_whole(self.job.out, photo.stem, facts):
            return None
        try:
            return row_from_facts(photo.path, photo.stem, facts)
        except (ValueError, LookupError, TypeError, AttributeError):
            return None


def predict_here(job: Job, photos: Iterable[Photo]) -> Iterator[tuple[Photo, Row]]:
    """Work on a job in this process, each photo when it is asked for; raises as `Predictor` does."""
    predictor = Predictor(job)
    for photo in photos:
        yield photo, predictor(photo)
