"""A run's curves as a picture."""

from xml.etree import ElementTree

import pytest
from PIL import Image

from segdemo.training.curves import draw_curves
from segdemo.training.log import append_row


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    for step in range(1, 7):
        row = {"phase": 1 + step // 4, "step": step, "loss": 1 / step}
        append_row(path, {**row, "fcn8s_miou": step / 10, "fcn8s_foreground_iou": 0.5, "fcn8s_pixel_accuracy": 0.9})
    return path


def test_the_picture_has_a_line_for_each_figure_and_one_for_the_phase(log):
    picture = log.with_suffix(".svg")
    draw_curves(log, picture)
    text = picture.read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    for label in ("training loss", "held-out photos", "fcn8s: mIoU", "fcn8s: foreground IoU"):
        assert f"<!-- {label} -->" in text
    assert "pixel" not in text
    assert text.count("stroke-dasharray") == 2  # where phase 2 begins, in both panels


def test_the_picture_is_small_enough_to_ship(log):
    picture = log.with_suffix(".png")
    draw_curves(log, picture)
    assert Image.open(picture).size == (810, 306)
    assert picture.stat().st_size < 60_000


def test_a_run_of_one_step_has_curves_too(tmp_path):
    append_row(tmp_path / "log.csv", {"step": 1, "loss": 0.5})
    draw_curves(tmp_path / "log.csv", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").exists()
