"""`train` and `evaluate` as they are typed."""

import json

import numpy as np
import pytest
from PIL import Image

from segdemo import entries
from segdemo.__main__ import main
from segdemo.training.log import read_log
from segdemo.training.recipes import RECIPES


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    """Work in an empty folder, with the checkpoints of one's own in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(entries, "OWN", tmp_path / "own")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evaluate", "--data", "."], "name one or more networks"),
        (["evaluate", "fcn8s_vgg16", "--dataset", "pets", "--data", "."], "name another"),
        (["evaluate", "fcn8s_vgg16", "--dataset", "camvid", "--data", "."], "name another"),
        (["evaluate", "--all", "--write", "--refine-edges", "--data", "."], "--write goes with"),
        (["evaluate", "dense_vgg16_imagenet", "--data", "."], "--dataset"),
        (["train", "nothing", "--data", "."], "no recipe"),
        (["train", "fcn_vgg16", "--data", "."], "name another"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(at_home, capsys, arguments, says):
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_a_bad_mask_is_one_line_before_training_begins(at_home, own_folder, capsys):
    (own_folder / "masks" / "02.png").write_bytes(b"no image")
    assert main(["train", "fcn_vgg16", "--data", str(own_folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "02.png" in line
    assert not (at_home / "runs").exists()


def test_one_s_own_photos_become_a_network_that_predicts_and_is_measured(at_home, own_folder, capsys):
    assert main(["train", "fcn_vgg16", "--data", str(own_folder), "--steps", "1"]) == 0
    steps = len(RECIPES["fcn_vgg16"].phases)
    assert f"{steps} of {steps} steps" in capsys.readouterr().out
    photo = own_folder / "images" / "04.png"
    assert main(["predict", str(photo), "--model", "mugs", "--out", "out"]) == 0
    facts = json.loads((at_home / "out" / "04.json").read_text(encoding="utf-8"))
    assert facts["classes"] == ["background", "mug"]
    assert Image.open(at_home / "out" / "04_mask.png").size == Image.open(photo).size
    capsys.readouterr()
    assert main(["evaluate", "mugs", "--data", str(own_folder), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["mugs"]
    assert figures["images"] == 4
    assert set(figures["class_iou"]) == {"background", "mug"}
    assert np.isfinite(figures["miou"])
    assert main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mugs"]["classes"] == ["background", "mug"]
    # What is there already is not written over by another run.
    assert main(["train", "fcn_vgg16", "--data", str(own_folder), "--steps", "2", "--out", "elsewhere"]) == 2
    assert "is there already" in capsys.readouterr().err


def test_train_makes_a_run_and_resumes_it(at_home, own_folder, capsys):
    command = ["train", "conv1x1_vgg11", "--data", str(own_folder), "--steps", "2"]
    assert main([*command, "--max-minutes", "0"]) == 0
    assert "2 of 4 steps, go on with --resume" in capsys.readouterr().out
    assert main(command) == 2
    assert "holds a run" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert "4 of 4 steps" in capsys.readouterr().out
    assert [row["step"] for row in read_log(at_home / "runs" / "mugs" / "log.csv")] == ["2", "4"]
    assert (at_home / "own" / "mugs.safetensors").exists()


def test_evaluate_prints_the_figures_as_json(pet_folder, capsys):
    assert (
        main(["evaluate", "conv1x1_vgg11", "fcn32s_vgg16", "--dataset", "pets", "--data", str(pet_folder), "--json"])
        == 0
    )
    results = json.loads(capsys.readouterr().out)
    shared = {"images", "miou", "class_iou", "foreground_iou", "pixel_accuracy", "boundary_iou", "images_per_second"}
    assert set(results["fcn32s_vgg16"]) == shared
    assert set(results["conv1x1_vgg11"]) == shared | {"image_accuracy"}
    assert results["fcn32s_vgg16"]["images"] == 2
