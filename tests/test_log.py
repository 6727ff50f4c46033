"""The CSV log of a run."""

from segdemo.training.log import append_row, read_log


def test_there_may_be_no_log_yet(tmp_path):
    assert read_log(tmp_path / "log.csv") == []


def test_rows_are_added_in_order(tmp_path):
    path = tmp_path / "run" / "log.csv"
    for epoch in (1, 2):
        append_row(path, {"epoch": epoch, "loss": 0.5 / epoch})
    assert read_log(path) == [{"epoch": "1", "loss": "0.5"}, {"epoch": "2", "loss": "0.25"}]
    assert [file.name for file in path.parent.iterdir()] == ["log.csv"]


def test_an_epoch_that_is_repeated_takes_the_place_of_the_one_that_was_cut_off(tmp_path):
    path = tmp_path / "log.csv"
    for epoch, loss in ((1, 0.9), (2, 0.8), (3, 0.7), (2, 0.6)):
        append_row(path, {"epoch": epoch, "loss": loss})
    assert [(row["epoch"], row["loss"]) for row in read_log(path)] == [("1", "0.9"), ("2", "0.6")]


def test_an_older_log_may_have_other_columns(tmp_path):
    path = tmp_path / "log.csv"
    append_row(path, {"epoch": 1, "minutes": 3})
    append_row(path, {"epoch": 2, "loss": 0.5})
    assert read_log(path) == [{"epoch": "1", "loss": ""}, {"epoch": "2", "loss": "0.5"}]
