"""A job of many photos: done once, taken up again, redone where something changed."""

import errno
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from segdemo import batch, predict
from segdemo.analysis import Analysis, Style
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
    return Job(Analysis("conv1x1_vgg11", 32), tmp_path / "out" / "deep", device="cpu")


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
    [
        {"analysis": Analysis("conv1x1_vgg11", 48)},
        {"analysis": Analysis("conv1x1_resnet18", 32)},
        {"analysis": Analysis("conv1x1_vgg11", 32, refine=True)},
        {"style": Style(opacity=0.2)},
    ],
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
        ({"analysis": Analysis("resnet")}, "no network named"),
        ({"device": "toaster"}, "no device"),
        ({"analysis": Analysis("conv1x1_vgg11", 9)}, "between 32 and 1024"),
        ({"style": Style(heatmap_class="horse")}, "horse"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused_before_the_first_photo(job, change, said):
    with pytest.raises(ValueError, match=said):
        Predictor(replace(job, **change))


@pytest.mark.parametrize("name", ["one_mask.png", "one_overlay.png", "one_heatmap.png", "one.json"])
@pytest.mark.parametrize("content", [None, b"", b"cut"])
def test_a_result_that_was_deleted_or_damaged_is_made_again(job, photos, seen, name, content):
    first = rows(job, listed([photos[0].path], job.out))
    whole = {path.name: path.read_bytes() for path in job.out.glob("*.png")}
    path = job.out / name
    path.unlink() if content is None else path.write_bytes(content)
    assert rows(job, listed([photos[0].path], job.out)) == first
    assert seen == ["one.png", "one.png"]
    assert {path.name: path.read_bytes() for path in job.out.glob("*.png")} == whole
    assert len(list(job.out.iterdir())) == 4


def test_results_of_a_stopped_run_are_not_taken_for_done(job, photos, seen, monkeypatch):
    """The facts of the first run must not vouch for pictures of the second."""
    rows(job, photos[:1])
    changed = replace(job, style=Style(opacity=0.1))
    with monkeypatch.context() as stopped:
        stopped.setattr(batch, "write_text", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rows(changed, photos[:1])
    again = listed([photos[0].path], job.out)
    assert again[0].stem == "one"
    rows(job, again)
    assert seen == ["one.png"] * 3


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ])
def test_a_name_that_the_disk_refuses_costs_its_own_row(job, photos, monkeypatch, number):
    def refuse(path, _):
        raise OSError(number, "refused", str(path))

    monkeypatch.setattr(batch, "write_bytes", refuse)
    done = rows(job, photos[:2])
    assert "one_mask.png" in done[0]["problem"] and "bad.jpg" in done[1]["problem"]


def test_a_full_disk_ends_the_job(job, photos, monkeypatch):
    def full(path, _):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(batch, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        rows(job, photos)
