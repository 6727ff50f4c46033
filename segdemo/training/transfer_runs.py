"""Records the runs that the lesson on transfer learning shows: `python -m segdemo.training.transfer_runs --data DIR`.

The same U-Net is trained for the same number of steps with ImageNet's encoder frozen, fine-tuned, and from nothing; on
all photos of pets and on a hundred; and fine-tuned at other rates of the encoder.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from segdemo import entries
from segdemo.lessons.recorded_runs import RUNS
from segdemo.lessons.transfer import FINE_TUNED, FROM_NOTHING, FROZEN, TRAININGS
from segdemo.safe_files import write_text
from segdemo.tables import as_csv
from segdemo.training.datasets import DataSet, open_dataset
from segdemo.training.log import read_log
from segdemo.training.loop import Trainer
from segdemo.training.recipe import Phase, Source
from segdemo.training.recipes import RECIPES
from segdemo.training.start import IMAGENET, RANDOM

FEW = 100  # photos
USUAL_RATE = 0.1  # of the encoder, as a share of the decoder's
RATES = (0.01, 1.0, 10.0)
_STEPS, _EVERY, _SIZE, _BATCH = 60, 20, 96, 6
_MEASURED_ON = 30  # held-out photos


@dataclass(frozen=True)
class Run:
    """One recorded training, by a key of `lessons.transfer.TRAININGS`.

    Attributes:
        training: That key.
        photos: How many it learns from; 0 stands for all.
        rate: Of the encoder, as a share of the decoder's.
    """

    training: str
    photos: int = 0
    rate: float = USUAL_RATE


def runs() -> Iterator[Run]:
    """List what is recorded."""
    for photos in (0, FEW):
        yield from (Run(training, photos) for training in (FROZEN, FINE_TUNED, FROM_NOTHING))
    yield from (Run(FINE_TUNED, rate=rate) for rate in RATES)


def record(run: Run, training: DataSet, held_out: DataSet, init: str, steps: int = _STEPS) -> list[dict[str, object]]:
    """Train once, on some of the training photos, and give a row for every so many steps."""
    if run.photos:
        every = max(1, len(training) // run.photos)
        training = replace(training, items=training.items[::every][: run.photos])
    scratch = run.training == FROM_NOTHING
    phase = Phase(
        steps=steps,
        image_size=_SIZE,
        batch_size=_BATCH,
        frozen=TRAININGS[run.training],
        backbone_share=1.0 if scratch else run.rate,
    )
    sources, classes = (Source(name="pets"),), training.classes
    recipe = replace(
        RECIPES["unet_vgg16_bn"], classes=classes, colours=training.colours, sources=sources, class_weights=()
    )
    recipe = replace(recipe, phases=(phase,), analysis_size=128, average=0.9)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(recipe, Path(folder), [training], [held_out], init=RANDOM if scratch else init)
        trainer.fit(save_every=min(_EVERY, steps))
        rows = read_log(Path(folder) / "log.csv")
    own = {"training": run.training, "photos": len(training), "encoder_rate": run.rate}
    figures = ("step", "minutes", "loss", "pets_miou", "pets_foreground_iou", "pets_pixel_accuracy")
    return [{**own, **{key.removeprefix("pets_"): row[key] for key in figures}} for row in rows]


def main() -> None:
    """Record every run and write the table that the lesson reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="the folder of oxford-iiit-pet/")
    parser.add_argument("--init", default=IMAGENET, metavar="START", help="imagenet, or a file of VGG16's features")
    options = parser.parse_args()
    training, held_out = (open_dataset(options.data, "pets", split) for split in ("train", "held-out"))
    held_out = replace(held_out, items=held_out.items[:: max(1, len(held_out) // _MEASURED_ON)])
    rows: list[dict[str, object]] = []
    for run in runs():
        rows += record(run, training, held_out, options.init)
        write_text(entries.CHECKPOINTS / RUNS, as_csv(list(rows[0]), rows))  # after each, as the runs take a while


if __name__ == "__main__":
    main()
