"""The same job, spread by Ray over cores, GPUs and machines; Ray is an optional requirement."""

import json
import logging
import os
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from segdemo.devices import choose_device
from segdemo.predict import Job, Photo, Predictor, Row

if TYPE_CHECKING:
    import numpy as np

_AT_ONCE = 16  # photos that a worker gets at a time
_MOST_BLOCKS = 10_000  # Ray keeps a little of each block in the driver


class Worker:
    """What each of Ray's actors runs: one network, which stays loaded."""

    def __init__(self, job: Job) -> None:
        self._predictor = Predictor(job)

    def __call__(self, batch: dict[str, "np.ndarray"]) -> dict[str, list[int] | list[str]]:
        """Work on some photos: `index` and `photo` (path and stem) in, `index` and `row` out.

        Photos and rows go as JSON: rows of bad photos have other columns, and a path may hold bytes that are no text.
        """
        indices = batch["index"].tolist()
        photos = (json.loads(photo) for photo in batch["photo"].tolist())
        rows = [
            json.dumps(self._predictor(Photo(index, Path(path), stem)))
            for index, (path, stem) in zip(indices, photos, strict=True)
        ]
        return {"index": indices, "row": rows}


def predict_on_ray(job: Job, photos: Sequence[Photo], workers: int | None = None) -> Iterator[tuple[Photo, Row]]:
    """Work on a job with one network an actor, on a GPU each where there are some.

    Joins the cluster that `RAY_ADDRESS` names, else starts Ray on this machine. Every machine must see the photos, the
    output folder and this package under the same paths. By default there is an actor a GPU, or a core where there are
    none.

    Returns:
        An iterator over photos and rows, in the order in which they are done.

    Raises:
        ValueError: Ray is not installed, or see `Predictor`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    try:
        import ray  # noqa: PLC0415 - optional
        import ray.data  # noqa: PLC0415
    except ImportError as error:
        raise ValueError("--engine ray needs Ray: pip install -r requirements-ray.txt") from error
    Predictor(job)  # what is wrong with the job is said before Ray starts
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # each photo gets a line of ours
    ray.data.DataContext.get_current().enable_progress_bars = False
    with_gpu = choose_device(job.device).type == "cuda"
    resources = ray.cluster_resources()
    count = workers or int(resources.get("GPU" if with_gpu else "CPU", 1))
    blocks = min(max(count, ceil(len(photos) / _AT_ONCE)), max(len(photos), 1), _MOST_BLOCKS)
    # Made absolute without following links, of which one may lead back to itself.
    rows = [{"index": photo.index, "photo": json.dumps([str(photo.path.absolute()), photo.stem])} for photo in photos]
    done = ray.data.from_items(rows, override_num_blocks=blocks).map_batches(
        Worker,
        fn_constructor_args=(job,),
        batch_size=_AT_ONCE,
        compute=ray.data.ActorPoolStrategy(size=count),
        num_gpus=1 if with_gpu else 0,
        num_cpus=1,
    )
    for row in done.iter_rows():
        yield photos[row["index"]], json.loads(row["row"])
