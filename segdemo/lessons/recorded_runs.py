"""The recorded runs of the lesson on transfer learning."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segdemo.lessons.transfer import FINE_TUNED, TRAININGS

RUNS = "transfer.csv"
"""The table of the recorded runs, in the folder of checkpoints."""
FIGURES = {
    "miou": "mIoU",
    "foreground_iou": "foreground IoU",
    "pixel_accuracy": "pixel accuracy",
    "loss": "training loss",
}
ALL_PHOTOS, FEW_PHOTOS, RATES = "all photos", "100 photos", "the encoder's rate"
COMPARISONS = (ALL_PHOTOS, FEW_PHOTOS, RATES)
_FEW, _USUAL_RATE = 100, 0.1


@dataclass(frozen=True)
class Point:
    """A row of a run's log: figures by the keys of `FIGURES`, NaN where there is none."""

    step: int
    minutes: float
    figures: dict[str, float]


@dataclass(frozen=True)
class Curve:
    """One recorded run.

    Attributes:
        training: A key of `TRAININGS`.
        photos: That it learned from.
        encoder_rate: The encoder's learning rate as a share of the decoder's.
        points: One or more.
    """

    training: str
    photos: int
    encoder_rate: float
    points: tuple[Point, ...]


def read_runs(path: Path) -> list[Curve]:
    """Read the recorded runs of a CSV: training, photos, encoder_rate, step, minutes and the columns of `FIGURES`.

    Raises:
        ValueError: The file is missing, empty or damaged; the message says so in a sentence.
    """
    if not path.is_file():
        raise ValueError(f"There are no recorded runs: {path.name} is missing.")
    points: dict[tuple[str, int, float], list[Point]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                run = row["training"], int(row["photos"]), float(row["encoder_rate"])
                figures = {key: float(row[key] or "nan") for key in FIGURES}
                points.setdefault(run, []).append(Point(int(row["step"]), float(row["minutes"]), figures))
    except (OSError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"The recorded runs in {path.name} are damaged.") from error
    if not points or any(training not in TRAININGS for training, *_ in points):
        raise ValueError(f"The recorded runs in {path.name} are damaged.")
    return [Curve(*run, tuple(found)) for run, found in points.items()]


def compared(curves: Sequence[Curve], comparison: str) -> dict[str, Curve]:
    """Choose the runs that one of `COMPARISONS` shows, by the names that they have in the picture."""
    if comparison == RATES:
        chosen = [c for c in curves if c.training == FINE_TUNED and c.photos > _FEW]
        return {f"×{c.encoder_rate:g}": c for c in sorted(chosen, key=lambda curve: curve.encoder_rate)}
    usual = [c for c in curves if c.encoder_rate == _USUAL_RATE and (c.photos > _FEW) == (comparison == ALL_PHOTOS)]
    return {c.training: c for c in usual}
