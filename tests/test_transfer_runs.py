"""The recorded runs of the lesson on transfer learning, made small."""

import pytest

from segdemo.lessons import recorded_runs, transfer
from segdemo.training import transfer_runs
from segdemo.training.datasets import open_dataset
from segdemo.training.transfer_runs import Run, record


def test_every_comparison_of_the_lesson_is_recorded():
    made = [
        recorded_runs.Curve(run.training, run.photos or 3000, run.rate, (recorded_runs.Point(1, 1.0, {}),))
        for run in transfer_runs.runs()
    ]
    for comparison in (recorded_runs.ALL_PHOTOS, recorded_runs.FEW_PHOTOS):
        assert set(recorded_runs.compared(made, comparison)) == set(transfer.TRAININGS)
    assert len(recorded_runs.compared(made, recorded_runs.RATES)) == 4


@pytest.mark.parametrize("training", [transfer.FROM_NOTHING])
def test_a_run_has_a_row_for_the_lesson(pet_folder, training, monkeypatch):
    monkeypatch.setattr(transfer_runs, "_SIZE", 32)
    sets = open_dataset(pet_folder, "pets", "train"), open_dataset(pet_folder, "pets", "test")
    (row,) = record(Run(training, photos=2), *sets, "imagenet", steps=1)
    assert row["training"] == training
    assert row["photos"] == 2
    assert set(row) == {"training", "photos", "encoder_rate", "step", "minutes", *recorded_runs.FIGURES}
