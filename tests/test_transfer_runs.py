"""The recorded runs of the lesson on transfer learning, made small."""

import pytest

from segdemo.lessons import transfer
from segdemo.training import transfer_runs
from segdemo.training.datasets import open_dataset
from segdemo.training.transfer_runs import Run, record


def test_every_comparison_of_the_lesson_is_recorded():
    made = [
        transfer.Curve(run.training, run.photos or 3000, run.rate, (transfer.Point(1, 1.0, {}),))
        for run in transfer_runs.runs()
    ]
    for comparison in (transfer.ALL_PHOTOS, transfer.FEW_PHOTOS):
        assert set(transfer.compared(made, comparison)) == set(transfer.TRAININGS)
    assert len(transfer.compared(made, transfer.RATES)) == 4


@pytest.mark.parametrize("training", [transfer.FROM_NOTHING])
def test_a_run_has_a_row_for_the_lesson(pet_folder, training, monkeypatch):
    monkeypatch.setattr(transfer_runs, "_SIZE", 32)
    sets = open_dataset(pet_folder, "pets", "train"), open_dataset(pet_folder, "pets", "test")
    (row,) = record(Run(training, photos=2), *sets, "imagenet", steps=1)
    assert row["training"] == training
    assert row["photos"] == 2
    assert set(row) == {"training", "photos", "encoder_rate", "step", "minutes", *transfer.FIGURES}
