"""A job of many photos: done once, taken up again, redone where something changed."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from segdemo import batch, predict
from segdemo.batch import Style
from segdemo.predict import Job, Predictor, listed, predict_here


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    paths = [folder / name for name in ("one.png", "bad.jpg", "two.png")]
    for path in paths[::2]:
        Image.fromarray(np.random.default_rng(len(path.stem)).integers(0, 255, (40, 60, 3), np.uint8)).save(path)
    paths[1].write_bytes(b"\xff\xd8\xff no photo")
    return listed(paths)


@pytest.fixture
def job(tmp_path):
    return Job("conv1x1_vgg11", tmp_path / "out" / "deep", device="cpu", analysis_size=32)


@pytest.fixture
def seen(monkeypatch):
    """Collect the names of the photos that are really looked at."""
    names, original = [], predict.segment_one
    monkeypatch.setattr(predict, "segment_one", lambda path, *rest: names.append(path.name) or original(path, *rest))
    return names


def rows(job, photos):
    return [row for _, row in predict_here(job, photos)]


def test_what_is_done_is_not_done_again(job, photos, seen):
    first = rows(job, photos)
    assert [row["photo"] for row in first] == ["one.png", "bad.jpg", "two.png"]
    assert [bool(row["problem"]) for row in first] == [False, True, False]
    assert seen == ["one.png", "bad.jpg", "two.png"]
    seen.clear()
    assert rows(job, photos) == first
    assert seen == ["bad.jpg"]  # which may have been mended


@pytest.mark.parametrize(
    "change",
    [{"analysis_size": 48}, {"model": "conv1x1_resnet18"}, {"style": Style(opacity=0.2)}, {"refine_edges": True}],
)
def test_other_settings_are_done_anew(job, photos, seen, change):
    rows(job, photos[:1])
    rows(replace(job, **change), photos[:1])
    assert seen == ["one.png", "one.png"]


def test_another_photo_of_the_same_name_is_done_anew(job, photos, seen):
    rows(job, photos[:1])
    Image.new("RGB", (10, 20)).save(photos[0].path)
    assert rows(job, photos[:1])[0]["width"] == 10
    assert seen == ["one.png", "one.png"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"request": {}}', "null", "\x00"])
def test_damaged_facts_are_no_reason_to_skip(job, photos, content):
    rows(job, photos[:1])
    facts = job.out / "one.json"
    whole = json.loads(facts.read_text(encoding="utf-8"))
    facts.write_text(content, encoding="utf-8")
    rows(job, photos[:1])
    again = json.loads(facts.read_text(encoding="utf-8"))
    assert again | {"milliseconds": 0} == whole | {"milliseconds": 0}


def test_facts_are_written_last(job, photos, monkeypatch):
    def fail(*arguments):
        raise OSError("the disk is full")

    monkeypatch.setattr(batch.render, "heatmap", fail)
    with pytest.raises(OSError, match="full"):
        rows(job, photos[:1])
    assert not (job.out / "one.json").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "resnet"}, "no network named"),
        ({"device": "toaster"}, "no device"),
        ({"analysis_size": 9}, "between 32 and 1024"),
        ({"style": Style(heat_class="horse")}, "horse"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused_before_the_first_photo(job, change, said):
    with pytest.raises(ValueError, match=said):
        Predictor(replace(job, **change))
