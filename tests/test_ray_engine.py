"""The same job on two workers of a local Ray."""

import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

from segdemo.__main__ import main
from segdemo.analysis import Analysis
from segdemo.predict import Job, listed
from segdemo.ray_engine import Worker, predict_on_ray

NETWORK = ["--model", "conv1x1_vgg11", "--analysis-size", "32", "--device", "cpu"]


@pytest.fixture(scope="module")
def local_ray():
    """Start Ray here; where it has no build for this Python or system, there is nothing to test."""
    if os.environ.get("CI") == "true" and sys.platform == "linux" and sys.version_info < (3, 14):
        import ray  # noqa: PLC0415 - requirements-dev.txt has it
    else:
        ray = pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


@pytest.fixture
def folder(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, 255, (30 + number, 50, 3), np.uint8)
        Image.fromarray(pixels).save(photos / f"photo{number}.png")
    (photos / "notes.txt").write_text("no photo")
    return photos


def test_ray_writes_the_files_that_one_process_writes(native_precision, local_ray, folder, tmp_path, capsys):
    here, there = tmp_path / "here", tmp_path / "there"
    assert main(["predict", str(folder), *NETWORK, "--out", str(here)]) == 2
    alone = capsys.readouterr()
    assert main(["predict", str(folder), *NETWORK, "--out", str(there), "--engine", "ray", "--workers", "2"]) == 2
    shared = capsys.readouterr()
    assert sorted(path.name for path in there.iterdir()) == sorted(path.name for path in here.iterdir())
    assert len(list(here.glob("*_mask.png"))) == 5
    for path in here.iterdir():
        if path.suffix == ".png":
            assert np.array_equal(Image.open(path), Image.open(there / path.name)), path.name
        elif path.suffix == ".json":
            facts, others = (json.loads((side / path.name).read_text(encoding="utf-8")) for side in (here, there))
            assert {**facts, "milliseconds": 0} == {**others, "milliseconds": 0}
    assert (here / "areas.csv").read_bytes() == (there / "areas.csv").read_bytes()
    assert "notes.txt" in shared.err and shared.err == alone.err
    assert sorted(shared.out.splitlines()) == sorted(alone.out.splitlines())

    before = {path.name: path.stat().st_mtime_ns for path in there.glob("*.png")}
    assert main(["predict", str(folder), *NETWORK, "--out", str(there), "--engine", "ray", "--workers", "2"]) == 2
    assert {path.name: path.stat().st_mtime_ns for path in there.glob("*.png")} == before
    assert (here / "areas.csv").read_bytes() == (there / "areas.csv").read_bytes()


def test_a_job_that_cannot_be_done_is_refused_in_words(local_ray, folder, tmp_path):
    with pytest.raises(ValueError, match="no network named"):
        next(predict_on_ray(Job(Analysis("resnet"), tmp_path), listed(sorted(folder.iterdir())), 2))


def test_without_ray_it_is_said_how_to_get_it(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["predict", str(folder), *NETWORK, "--out", str(tmp_path / "out"), "--engine", "ray"]) == 2
    assert "pip install -r requirements-ray.txt" in capsys.readouterr().err


def test_a_worker_takes_any_path_and_gives_a_row_for_each(tmp_path, folder):
    (tmp_path / "loop.png").symlink_to("loop.png")
    paths = [folder / "photo0.png", tmp_path / "loop.png", tmp_path / "caf\udce9.png"]
    worker = Worker(Job(Analysis("conv1x1_vgg11", 32), tmp_path / "out", "cpu"))
    photos = [json.dumps([str(path), stem]) for path, stem in zip(paths, ("photo0", "loop", "caf_"), strict=True)]
    done = worker({"index": np.array([4, 7, 9]), "photo": np.array(photos)})
    rows = [json.loads(row) for row in done["row"]]
    assert done["index"] == [4, 7, 9]
    assert [(row["photo"], row["results"]) for row in rows] == [
        ("photo0.png", "photo0"),
        ("loop.png", ""),
        ("caf\udce9.png", ""),
    ]
    assert (tmp_path / "out" / "photo0_mask.png").exists()
