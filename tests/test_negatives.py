"""Pictures without a pet, read from a folder."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from segdemo.training.data import DataError
from segdemo.training.negatives import load_negatives


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    Image.new("RGB", (60, 20), (250, 0, 0)).save(tmp_path / "deep" / "red.jpg")
    Image.new("P", (9, 9)).save(tmp_path / "z.gif")
    thing = Image.new("RGBA", (80, 50))
    ImageDraw.Draw(thing).rectangle((30, 20, 69, 29), (0, 200, 0, 255))
    thing.save(tmp_path / "deep" / "er" / "thing.png")
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 40)
    return tmp_path


def test_pictures_are_squashed_and_cut_outs_fitted(folder):
    found = load_negatives(folder, 40)
    assert found.photos.shape == (2, 3, 40, 40) and found.cutouts.shape == (1, 4, 40, 40)
    assert found.photos.dtype == found.cutouts.dtype == torch.uint8
    assert found.photos[0, 0].float().mean() > 240  # "deep/red.jpg" comes before "z.gif"
    alpha = found.cutouts[0, 3]
    assert alpha[20].eq(255).all()  # 40 by 10 pixels: as wide as the square, in its middle
    assert alpha[:14].eq(0).all() and alpha[26:].eq(0).all()
    assert found.cutouts[0, :3, 20, 20].tolist() == [0, 200, 0]


def test_they_say_what_they_are(folder):
    assert load_negatives(folder, 8).describe() == "2 pictures and 1 cut-outs without a pet"


@pytest.mark.parametrize("gone", ["deep/er/thing.png", "photos"])
def test_a_folder_without_one_of_the_kinds_is_refused(folder, gone):
    for path in (folder / "deep" / "red.jpg", folder / "z.gif") if gone == "photos" else (folder / gone,):
        path.unlink()
    with pytest.raises(DataError, match="needs pictures, some of them with transparent parts"):
        load_negatives(folder)


def test_what_is_all_but_transparent_is_left_out(folder):
    dot = np.zeros((50, 50, 4), np.uint8)
    dot[::50, :, 3] = 255
    Image.fromarray(dot).save(folder / "line.png")
    Image.new("RGBA", (5, 5)).save(folder / "nothing.png")
    assert len(load_negatives(folder, 64).cutouts) == 1
