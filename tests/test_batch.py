"""Many photos one after the other."""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_segmentation import make

from segdemo import batch
from segdemo.batch import Style, expand, pack, segment_all, table_row, unique_stems, write_item, write_table


def segment(image):
    return make(image.size)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, name in enumerate(("b.png", "a.jpg", "a.png")):
        Image.new("RGB", (30 + index, 20)).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    (folder / ".hidden").write_bytes(b"x")
    (folder / "deeper").mkdir()
    return folder


def test_a_folder_stands_for_its_files_by_name(photos, tmp_path):
    single = tmp_path / "other.png"
    names = [path.name for path in expand([single, photos])]
    assert names == ["other.png", "a.jpg", "a.png", "b.png", "broken.jpg"]


def test_a_bad_file_is_reported_and_the_rest_goes_on(photos):
    items = list(segment_all(expand([photos]), segment))
    assert [item.stem for item in items] == ["a", "a-2", "b", "broken"]
    assert [bool(item.problem) for item in items] == [False, False, False, True]
    assert "broken.jpg" in items[3].problem
    assert items[0].image.size == items[0].segmentation.image_size == (31, 20)


def test_photos_are_read_only_when_they_are_asked_for(photos, monkeypatch):
    read = []
    original = batch.read_image
    monkeypatch.setattr(batch, "read_image", lambda path: read.append(path) or original(path))
    items = segment_all(expand([photos]), segment)
    assert read == []
    next(items)
    assert len(read) == 1


def test_the_files_of_a_photo_fit_each_other(photos, tmp_path):
    item = next(segment_all([photos / "a.jpg"], segment))
    paths = write_item(tmp_path, item, Style(heat_class="dog", opacity=0.0))
    assert {path.name for path in paths.values()} == {"a_mask.png", "a_overlay.png", "a_heatmap.png", "a.json"}
    np.testing.assert_array_equal(np.asarray(Image.open(paths["mask"])), item.segmentation.class_map())
    np.testing.assert_array_equal(np.asarray(Image.open(paths["overlay"])), np.asarray(item.image))
    assert json.loads(paths["facts"].read_text())["heatmap_class"] == "dog"


def test_the_table_has_a_row_for_every_photo(photos, tmp_path):
    rows = [table_row(item) for item in segment_all(expand([photos]), segment)]
    with write_table(tmp_path, rows).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["photo"] for row in rows] == ["a.jpg", "a.png", "b.png", "broken.jpg"]
    assert sum(float(rows[0][name]) for name in ("background", "cat", "dog")) == pytest.approx(1, abs=1e-3)
    assert rows[3]["problem"] and not rows[3]["cat"]


def test_everything_is_in_the_zip(photos, tmp_path):
    archive = tmp_path / "all.zip"
    (photos / "deeper").rmdir()
    pack(photos, archive)
    with zipfile.ZipFile(archive) as packed:
        assert packed.namelist() == [".hidden", "a.jpg", "a.png", "b.png", "broken.jpg"]
        assert packed.testzip() is None


def test_names_that_differ_in_case_alone_do_not_overwrite_each_other():
    assert unique_stems([Path("A.jpg"), Path("a.png"), Path("a.jpg")]) == ["A", "a-2", "a-3"]
