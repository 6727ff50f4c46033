"""The command line as a person uses it."""

import errno
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import gradio as gr
import matplotlib
import numpy as np
import pytest
from PIL import Image

from segdemo import catalog, entries
from segdemo.__main__ import main


def test_models_lists_every_network_with_classes_and_checkpoint(capsys):
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert list(rows) == list(catalog.ENTRIES)
    for name in catalog.BUNDLED:
        assert rows[name]["classes"] == list(catalog.find(name).metadata.classes)
        assert rows[name]["checkpoint"].endswith(".safetensors")
        assert rows[name]["present"]
        assert rows[name]["group"] in ("pets and people", "streets")
        assert rows[name]["terms"]
    assert len(rows) >= 12
    assert len(rows["dense_vgg16_imagenet"]["classes"]) == 1000
    assert "terms of the images" in rows["dense_vgg16_imagenet"]["terms"]
    assert rows["dense_vgg16_imagenet"]["licence"].startswith("BSD-3")
    assert rows["dense_vgg16_imagenet"]["checkpoint"] == "vgg16-397923af.pth"


def test_models_prints_a_table_for_people(capsys):
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert "conv1x1_vgg11" in printed
    assert "1,000 classes" in printed


HOPPER = str(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg")


@pytest.mark.parametrize(
    ("path", "network", "least", "most"),
    [
        (gr.get_image("cheetah1.jpg"), "fcn8s_vgg16", {"cat": 0.45}, {"dog": 0.05}),
        (gr.get_image("lion.jpg"), "fcn8s_vgg16", {"cat": 0.45}, {"person": 0.03, "dog": 0.05}),
        (gr.get_image("tower.jpg"), "fcn8s_vgg16", {"background": 0.9}, {}),
        (gr.get_image("tower.jpg"), "fcn8s_vgg16_camvid", {"sky": 0.4}, {}),
        (HOPPER, "fcn8s_vgg16", {"person": 0.35}, {"cat": 0.03, "dog": 0.03}),
    ],
)
def test_predict_finds_what_is_there_and_nothing_else(tmp_path, path, network, least, most):
    photo = Path(path).stem
    assert main(["predict", path, "--model", network, "--out", str(tmp_path)]) == 0
    mask = Image.open(tmp_path / f"{photo}_mask.png")
    indices = np.asarray(mask)
    areas = json.loads((tmp_path / f"{photo}.json").read_text())["areas"]
    assert mask.mode == "P"
    assert mask.size == Image.open(path).size
    for kind in ("overlay", "heatmap"):
        assert Image.open(tmp_path / f"{photo}_{kind}.png").size == mask.size
    assert all(areas[name] >= share for name, share in least.items()), areas
    assert all(areas[name] <= share for name, share in most.items()), areas
    assert list(areas.values()) == pytest.approx(np.bincount(indices.ravel(), minlength=len(areas)) / indices.size)


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
    classes = catalog.find("conv1x1_vgg11").metadata.classes
    assert rows[0] == f"photo,results,width,height,{','.join(classes)},problem"
    assert [row.split(",")[:2] for row in rows[1:]] == [["notes.txt", ""], ["one.png", "one"], ["two.png", "two"]]
    assert (out / "two_mask.png").exists()


def test_sums_writes_the_table_of_the_bundled_checkpoints(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(entries, "CHECKPOINTS", tmp_path)
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


def test_results_beside_the_photos_replace_nothing_and_are_no_photos(tmp_path, striped_photo, capsys):
    theirs = {"stripes_mask.png": striped_photo.read_bytes(), "areas.csv": b"region,area\nnorth,3\n"}
    for name, content in theirs.items():
        (tmp_path / name).write_bytes(content)
    command = ["predict", str(tmp_path), "--model", "conv1x1_vgg11", "--out", str(tmp_path)]
    lines = []
    for _ in range(2):
        main(command)
        lines.append(capsys.readouterr().out.splitlines())
    assert len(lines[0]) == 2 and lines[0] == lines[1]
    assert {name: (tmp_path / name).read_bytes() for name in theirs} == theirs
    table = (tmp_path / "areas-2.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[:2] for row in table] == [
        ["photo", "results"],
        ["areas.csv", ""],
        ["stripes.png", "stripes-2"],
        ["stripes_mask.png", "stripes_mask"],
    ]


def test_a_terminal_does_not_obey_a_photo_s_name(tmp_path, striped_photo, capsys):
    odd = striped_photo.rename(tmp_path / "\x1b[2Jgone.png")
    missing = tmp_path / "\x1b]0;title\x07.png"
    assert main(["predict", str(odd), str(missing), "--model", "conv1x1_vgg11", "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err and "\x07" not in printed.err
    assert "\\x1b[2Jgone.png: " in printed.out


def test_results_alone_are_said_to_be_left_out(tmp_path, striped_photo, capsys):
    out = tmp_path / "out"
    arguments = ["--model", "conv1x1_vgg11", "--out", str(out)]
    assert main(["predict", str(striped_photo), *arguments]) == 0
    capsys.readouterr()
    assert main(["predict", str(out), *arguments]) == 2
    assert "there is no photo in" in capsys.readouterr().err


def test_a_full_disk_is_one_sentence(tmp_path, striped_photo, capsys, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    assert main(["predict", str(striped_photo), "--model", "conv1x1_vgg11", "--out", str(tmp_path / "out")]) == 2
    path = tmp_path / "out" / "stripes_mask.png"
    assert capsys.readouterr().err == (
        f"segdemo predict: The disk is full: {path} could not be written. Free some space, then try again.\n"
    )


def test_ctrl_c_is_one_line(tmp_path, striped_photo, capsys, monkeypatch):
    monkeypatch.setattr("segdemo.commands.predict_here", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main(["predict", str(striped_photo), "--model", "conv1x1_vgg11", "--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == (
        "segdemo predict: stopped. The same command goes on with the photos that are not done.\n"
    )


def test_a_reader_that_leaves_is_no_error(tmp_path):
    command = f"{sys.executable} -m segdemo models --json | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, check=True, cwd=entries.CHECKPOINTS.parent)
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--max-minutes", "nan", "not a number of minutes"),
        ("--max-minutes", "-1", "not a number of minutes"),
        ("--seed", "9" * 40, "not a whole number from 0 to 4294967295"),
        ("--seed", "-1", "not a whole number"),
        ("--seed", "1.5", "not a whole number"),
        ("--steps", "0", "not a whole number, 1 or more"),
    ],
)
def test_a_number_that_cannot_be_trained_with_is_refused(capsys, option, value, said):
    with pytest.raises(SystemExit) as ended:
        main(["train", "conv1x1_vgg11", "--data", ".", f"{option}={value}"])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_workers_that_are_none_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "x.png", "--model", "fcn8s_vgg16", "--out", "x", "--engine", "ray", "--workers=-2"])
    assert "-2 is not a whole number, 1 or more" in capsys.readouterr().err


def test_a_photo_alone_is_enough_to_predict(striped_photo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", str(striped_photo)]) == 0
    (facts,) = (tmp_path / "out").glob("*.json")
    assert json.loads(facts.read_text(encoding="utf-8"))["network"] == "fcn8s_vgg16"
