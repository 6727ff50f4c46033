"""The CSV log of a run."""

import pytest

from segdemo.training.log import append_row, read_log


def test_there_may_be_no_log_yet(tmp_path):
    assert read_log(tmp_path / "log.csv") == []


def test_rows_are_added_in_order(tmp_path):
    path = tmp_path / "run" / "log.csv"
    for step in (1, 2):
        append_row(path, {"step": step, "loss": 0.5 / step})
    assert read_log(path) == [{"step": "1", "loss": "0.5"}, {"step": "2", "loss": "0.25"}]
    assert [file.name for file in path.parent.iterdir()] == ["log.csv"]


def test_a_step_that_is_repeated_takes_the_place_of_the_one_that_was_cut_off(tmp_path):
    path = tmp_path / "log.csv"
    for step, loss in ((1, 0.9), (2, 0.8), (3, 0.7), (2, 0.6)):
        append_row(path, {"step": step, "loss": loss})
    assert [(row["step"], row["loss"]) for row in read_log(path)] == [("1", "0.9"), ("2", "0.6")]


def test_an_older_log_may_have_other_columns(tmp_path):
    path = tmp_path / "log.csv"
    append_row(path, {"step": 1, "minutes": 3})
    append_row(path, {"step": 2, "loss": 0.5})
    assert read_log(path) == [{"step": "1", "loss": ""}, {"step": "2", "loss": "0.5"}]


@pytest.mark.parametrize("content", [b"no log", b"loss\n1\n", b"step,loss\nx,1\n", b"step\n\xff\n", b'step\n"1\n'])
def test_a_damaged_log_is_named(tmp_path, content):
    path = tmp_path / "log.csv"
    path.write_bytes(content + b"more\n")
    with pytest.raises(ValueError, match=r"log\.csv is damaged"):
        append_row(path, {"step": 2})


def test_no_cell_of_the_log_is_a_formula(tmp_path):
    append_row(tmp_path / "log.csv", {"step": 1, "=1+1": "@x", "loss": -0.5})
    assert read_log(tmp_path / "log.csv") == [{"step": "1", "'=1+1": "'@x", "loss": "-0.5"}]
