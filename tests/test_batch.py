"""Many photos one after the other."""

import csv
import errno
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_segmentation import make

from segdemo import batch
from segdemo.analysis import Style
from segdemo.batch import expand, pack, segment_all, table_row, write_item, write_table
from segdemo.results import choose_stems


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
    paths = write_item(tmp_path, item, Style(heatmap_class="dog", opacity=0.0))
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
    assert choose_stems([Path("A.jpg"), Path("a.png"), Path("a.jpg")]) == ["A", "a-2", "a-3"]


def test_a_folder_stands_for_its_photos_and_not_for_what_was_made_of_them(photos):
    before = expand([photos])
    for item in segment_all([photos / "b.png"], segment):
        write_item(photos, item, Style())
    write_table(photos, [{"photo": "b.png"}])
    assert expand([photos]) == before
    assert [path.name for path in expand(sorted(photos.iterdir()))] == [".hidden", *(path.name for path in before)]


def test_odd_paths_stay_in_the_list(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    odd = [tmp_path / "loop", tmp_path / ("x" * 300), Path("a\0b"), tmp_path / "none"]
    assert expand(odd) == odd


@pytest.mark.parametrize(
    ("path", "said"),
    [("loop", "There is no file loop"), ("x" * 300, f"The name {'x' * 300} is too long"), ("a\0b", "a?b")],
)
def test_an_odd_path_costs_its_own_row(tmp_path, path, said):
    (tmp_path / "loop").symlink_to("loop")
    item = batch.segment_one(tmp_path / path, "stem", segment)
    assert said in item.problem and "\n" not in item.problem
    assert table_row(item)["photo"] == path


def test_a_folder_that_may_not_be_opened_is_one_row(photos, monkeypatch):
    def refuse(self):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert expand([photos]) == [photos]
    assert "You are not allowed to use photos:" in batch.segment_one(photos, "stem", segment).problem


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory\nmore")])
def test_a_photo_that_memory_does_not_hold_costs_its_own_row(photos, error):
    def fail(_):
        raise error

    item = batch.segment_one(photos / "b.png", "b", fail)
    assert item.problem.startswith("b.png could not be analysed: ") and "\n" not in item.problem


def test_a_disk_that_cannot_be_read_costs_a_row(photos, monkeypatch):
    def fail(_):
        raise OSError(errno.EIO, "Input/output error", "b.png")

    monkeypatch.setattr(batch, "read_image", fail)
    assert batch.segment_one(photos / "b.png", "b", segment).problem == "b.png cannot be used: Input/output error."


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfone.png\r\n two.png\r\n\r\ncaf\xe9.png",
        b"one.png\n two.png\n" + b"caf\xe9.png\n",
    ],
)
def test_a_list_may_have_a_mark_of_byte_order_and_names_of_any_bytes(tmp_path, content):
    (tmp_path / "list.txt").write_bytes(content)
    assert batch.read_list(tmp_path / "list.txt") == [Path("one.png"), Path(" two.png"), Path("caf\udce9.png")]


def test_a_list_as_powershell_writes_it_is_read(tmp_path):
    (tmp_path / "list.txt").write_text("한.png\r\n", encoding="utf-16")
    assert batch.read_list(tmp_path / "list.txt") == [Path("한.png")]


def test_a_line_ends_at_a_line_s_end_alone(tmp_path):
    (tmp_path / "list.txt").write_bytes("a\u2028b.png\na\x0cb.png".encode())
    assert len(batch.read_list(tmp_path / "list.txt")) == 2


@pytest.mark.parametrize("content", [b"\x89PNG\0\0", b"\xff\xfea\0b"])
def test_what_is_no_list_is_refused(tmp_path, content):
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(ValueError, match=r"list\.txt is (no list|damaged)"):
        batch.read_list(tmp_path / "list.txt")


def test_photos_of_one_name_are_told_apart_by_the_table(photos, tmp_path):
    (photos / "deeper" / "B.PNG").write_bytes((photos / "b.png").read_bytes())
    items = list(segment_all([photos / "b.png", photos / "deeper" / "B.PNG"], segment))
    rows = [table_row(item) for item in items]
    assert [(row["photo"], row["results"]) for row in rows] == [("b.png", "b"), ("B.PNG", "B-2")]
    written = write_item(tmp_path, items[1], Style())
    assert {path.name.removeprefix("B-2") for path in written.values()} == {
        "_mask.png",
        "_overlay.png",
        "_heatmap.png",
        ".json",
    }


def test_no_cell_of_the_table_is_a_formula(tmp_path):
    rows = [{"photo": "=1+1.png", "results": "_=1+1", "problem": "", "=cat": "0.5"}]
    with write_table(tmp_path, rows).open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert "'=1+1.png" in cells and "'=cat" in cells
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]


def test_a_class_may_have_a_column_s_name():
    row = batch.row_from_facts(Path("a.png"), "a", {"image_size": [1, 2], "areas": {"photo": 0.25, "cat": 0.75}})
    assert row["photo"] == "a.png" and batch.describe_areas(row) == "cat 75.0%, class photo 25.0%"


def test_old_facts_go_before_the_first_picture_and_new_ones_come_after_the_last(photos, tmp_path, monkeypatch):
    item = next(segment_all([photos / "b.png"], segment))
    facts = write_item(tmp_path, item, Style())["facts"]
    order, write = [], batch.write_bytes
    monkeypatch.setattr(
        batch, "write_bytes", lambda path, content: order.append(facts.exists()) or write(path, content)
    )
    monkeypatch.setattr(batch, "write_text", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_item(tmp_path, item, Style(opacity=0))
    assert order == [False] * 3 and not facts.exists()
