"""The command line as a person uses it."""

import json
from dataclasses import replace
from hashlib import sha256

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from segdemo import catalog, commands
from segdemo.__main__ import main
from segdemo.training.recipes import RECIPES, Phase


def test_models_lists_every_network_with_classes_and_checkpoint(capsys):
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert list(rows) == list(catalog.ENTRIES)
    for name in catalog.BUNDLED:
        assert rows[name]["classes"] == ["background", "cat", "dog"]
        assert rows[name]["checkpoint"].endswith(".safetensors")
        assert rows[name]["present"]
    assert len(rows["dense_vgg16_imagenet"]["classes"]) == 1000
    assert rows["dense_vgg16_imagenet"]["checkpoint"] == "vgg16-397923af.pth"


def test_models_prints_a_table_for_people(capsys):
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert "conv1x1_vgg11" in printed
    assert "1,000 classes" in printed


@pytest.mark.parametrize(("photo", "has_pet"), [("cheetah1", True), ("lion", True), ("tower", False)])
def test_predict_finds_the_animal_and_only_where_there_is_one(tmp_path, photo, has_pet):
    path = gr.get_image(f"{photo}.jpg")
    assert main(["predict", path, "--model", "fcn8s_vgg16", "--out", str(tmp_path)]) == 0
    mask = Image.open(tmp_path / f"{photo}_mask.png")
    indices = np.asarray(mask)
    areas = json.loads((tmp_path / f"{photo}.json").read_text())["areas"]
    assert mask.mode == "P"
    assert mask.size == Image.open(path).size
    for kind in ("overlay", "heatmap"):
        assert Image.open(tmp_path / f"{photo}_{kind}.png").size == mask.size
    assert bool((indices > 0).mean() > 0.15) is has_pet
    assert areas["cat"] + areas["dog"] == pytest.approx((indices > 0).mean())


def test_a_bad_photo_among_good_ones_is_one_line_and_the_rest_goes_on(tmp_path, striped_photo, capsys):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff nothing")
    code = main(
        ["predict", str(broken), str(striped_photo), "--model", "conv1x1_vgg11", "--out", str(tmp_path / "out")]
    )
    printed = capsys.readouterr()
    assert code == 2
    assert len(printed.err.splitlines()) == 1
    assert "broken.jpg" in printed.err
    assert (tmp_path / "out" / "stripes.json").exists()
    assert not (tmp_path / "out" / "broken.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "x.jpg", "--model", "resnet", "--out", "out"],
        ["predict", "x.jpg", "--model", "fcn8s_vgg16", "--class", "horse", "--out", "out"],
        ["predict", "missing.jpg", "--model", "fcn8s_vgg16", "--out", "out"],
        ["predict", "x.jpg", "--model", "fcn8s_vgg16", "--device", "toaster", "--out", "out"],
        ["evaluate", "--data", "."],
        ["evaluate", "fcn8s_vgg16", "--data", "."],
        ["evaluate", "--all", "--write", "--refine-edges", "--data", "."],
        ["evaluate", "fcn_resnet50_voc", "--data", "."],
        ["calibrate", "missing.safetensors", "--data", "."],
        ["train", "nothing", "--data", "."],
        ["train", "fcn_vgg16", "--data", "."],
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_analysis_size_out_of_range_is_one_line(tmp_path, striped_photo, capsys):
    out = ["--out", str(tmp_path), "--analysis-size", "9"]
    assert main(["predict", str(striped_photo), "--model", "conv1x1_vgg11", *out]) == 2
    assert capsys.readouterr().err == (
        "segdemo predict: The analysis size is 9 pixels; it must lie between 32 and 1024.\n"
    )


def test_photos_of_one_name_do_not_overwrite_each_other(tmp_path, striped_photo):
    other = tmp_path / "other" / "stripes.jpg"
    other.parent.mkdir()
    Image.new("RGB", (40, 60)).save(other)
    out = tmp_path / "out"
    assert main(["predict", str(striped_photo), str(other), "--model", "conv1x1_vgg11", "--out", str(out)]) == 0
    assert Image.open(out / "stripes_mask.png").size == (300, 200)
    assert Image.open(out / "stripes-2_mask.png").size == (40, 60)


def test_no_name_leads_out_of_the_folder(tmp_path, striped_photo):
    odd = tmp_path / "..png"
    striped_photo.rename(odd)
    out = tmp_path / "out"
    assert main(["predict", str(odd), "--model", "conv1x1_vgg11", "--out", str(out)]) == 0
    assert len(list(out.iterdir())) == 4
    assert {path.name for path in tmp_path.iterdir()} == {"..png", "out"}


def test_a_folder_of_photos_gets_a_table(tmp_path, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("one.png", "two.png"):
        Image.new("RGB", (40, 60)).save(folder / name)
    (folder / "notes.txt").write_text("no photo")
    out = tmp_path / "out"
    assert main(["predict", str(folder), "--model", "conv1x1_vgg11", "--out", str(out)]) == 2
    assert "notes.txt" in capsys.readouterr().err
    rows = (out / "areas.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "photo,width,height,background,cat,dog,problem"
    assert [row.split(",")[0] for row in rows[1:]] == ["notes.txt", "one.png", "two.png"]
    assert (out / "two_mask.png").exists()


def test_evaluate_prints_the_figures_as_json(pet_folder, capsys):
    assert main(["evaluate", "conv1x1_vgg11", "fcn32s_vgg16", "--data", str(pet_folder), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    shared = {"images", "miou", "class_iou", "foreground_iou", "pixel_accuracy", "boundary_iou", "images_per_second"}
    assert set(results["fcn32s_vgg16"]) == shared
    assert set(results["conv1x1_vgg11"]) == shared | {"image_accuracy"}
    assert results["fcn32s_vgg16"]["images"] == 2


def test_train_makes_a_run_and_resumes_it(pet_folder, tmp_path, monkeypatch, capsys):
    small = replace(RECIPES["conv1x1_vgg11"], phases=(Phase(epochs=2, image_size=32),), batch_size=3, analysis_size=32)
    monkeypatch.setitem(commands.RECIPES, "conv1x1_vgg11", small)
    command = ["train", "conv1x1_vgg11", "--data", str(pet_folder), "--out", str(tmp_path / "runs")]
    assert main([*command, "--max-minutes", "0.0001"]) == 0
    assert "1 of 2 epochs, go on with --resume" in capsys.readouterr().out
    assert main(command) == 2
    assert "holds a run" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert "2 of 2 epochs" in capsys.readouterr().out
    checkpoint = tmp_path / "runs" / "conv1x1_vgg11" / "conv1x1_vgg11.safetensors"
    assert checkpoint.exists()
    assert len((tmp_path / "runs" / "conv1x1_vgg11" / "log.csv").read_text().splitlines()) == 3


def test_sums_writes_the_table_of_the_bundled_checkpoints(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(catalog, "CHECKPOINTS", tmp_path)
    (tmp_path / "some.safetensors").write_bytes(b"some")
    assert main(["sums"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'SHA256SUMS'}\n"
    assert (tmp_path / "SHA256SUMS").read_text() == f"{sha256(b'some').hexdigest()}  some.safetensors\n"


def test_a_photo_can_be_seen_at_its_own_size(tmp_path, striped_photo):
    size = ["--analysis-size", "full"]
    assert main(["predict", str(striped_photo), "--model", "conv1x1_vgg11", "--out", str(tmp_path), *size]) == 0
    assert json.loads((tmp_path / "stripes.json").read_text())["analysis_size"] == [300, 200]


def test_a_size_that_is_no_number_is_refused(striped_photo, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(striped_photo), "--model", "conv1x1_vgg11", "--out", "x", "--analysis-size", "huge"])
    assert ended.value.code == 2
    assert "huge is neither a number of pixels nor `full`" in capsys.readouterr().err


def test_a_size_too_large_for_one_photo_stops_no_other(tmp_path, striped_photo, capsys):
    wide = tmp_path / "wide.png"
    Image.new("RGB", (1200, 8)).save(wide)
    out = tmp_path / "out"
    arguments = ["--model", "conv1x1_vgg11", "--out", str(out), "--analysis-size", "1100"]
    assert main(["predict", str(striped_photo), str(wide), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("segdemo predict: stripes.png: The analysis size is 1100 pixels; it must lie between 32 and")
    assert (out / "wide.json").exists()
    assert not (out / "stripes.json").exists()
