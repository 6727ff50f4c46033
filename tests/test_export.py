"""Networks as files: they compute what the networks compute, at any size."""

import errno
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from gradio import get_image
from test_segmenter import METADATA
from test_tiles import small_conv1x1, small_fcn, small_unet

from segdemo import catalog, commands, export
from segdemo.__main__ import main
from segdemo.checkpoints import save
from segdemo.models import build

pytestmark = pytest.mark.skipif(not export.is_supported(), reason="this torch is too old to export")
NETWORKS = {
    "fcn8s": lambda: small_fcn(8),
    "fcn32s": lambda: small_fcn(32),
    "unet": small_unet,
    "conv1x1": small_conv1x1,
    "resnet": lambda: build("conv1x1_resnet", backbone="resnet18", num_classes=3),
}


@torch.no_grad()
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_an_onnx_file_scores_photos_of_any_size_and_says_how_they_are_prepared(network, tmp_path):
    network, path = network().eval(), tmp_path / "network.onnx"
    assert export.export(network, METADATA, path) <= export.TOLERANCE
    session = onnxruntime.InferenceSession(path)
    for size in ((1, 3, 33, 130), (3, 3, 64, 64)):
        images = torch.randn(size)
        (scores,) = session.run(None, {"images": images.numpy()})
        np.testing.assert_allclose(scores, network(images).numpy(), rtol=1e-3, atol=1e-4)
    notes = {each.key: each.value for each in onnx.load(path).metadata_props}
    assert json.loads(notes["classes"]) == list(METADATA.classes)
    assert json.loads(notes["mean"]) == list(METADATA.mean)
    assert json.loads(notes["analysis_size"]) == METADATA.analysis_size


@torch.no_grad()
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_a_torch_file_scores_photos_of_any_size(network, tmp_path):
    network, path = network().eval(), tmp_path / "network.pt2"
    assert export.export(network, METADATA, path) <= export.TOLERANCE
    notes = {"segdemo.json": ""}
    loaded = torch.export.load(path, extra_files=notes).module()
    images = torch.randn(1, 3, 33, 130)
    torch.testing.assert_close(loaded(images), network(images), rtol=1e-3, atol=1e-4)
    assert json.loads(json.loads(notes["segdemo.json"])["classes"]) == list(METADATA.classes)


def test_a_file_that_computes_something_else_is_deleted(tmp_path, monkeypatch):
    path = tmp_path / "network.pt2"
    another = SimpleNamespace(module=lambda: lambda images: images[:, :3] * 0)
    monkeypatch.setattr(torch.export, "load", lambda _: another)
    with pytest.raises(ValueError, match="differ by"):
        export.export(small_conv1x1().eval(), METADATA, path)
    assert not path.exists()


def test_the_command_takes_a_checkpoint_and_writes_over_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = {"backbone": "resnet18", "num_classes": 3}
    metadata = type(METADATA)(**{**vars(METADATA), "architecture": "conv1x1_resnet", "arguments": arguments})
    save(tmp_path / "mine.safetensors", build("conv1x1_resnet", **arguments), metadata)
    assert main(["export", "mine.safetensors", "--format", "torch"]) == 0
    assert (tmp_path / "mine.pt2").stat().st_size > 1 << 20
    assert main(["export", "mine.safetensors", "--format", "torch"]) == commands.BAD_INPUT
    assert "is there already" in capsys.readouterr().err
    assert main(["export", "none.safetensors"]) == commands.BAD_INPUT
    assert "none" in capsys.readouterr().err


README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("form", export.FORMATS)
@pytest.mark.parametrize("name", catalog.BUNDLED)
def test_every_bundled_network_can_be_exported(name, form, tmp_path):
    entry = catalog.BUNDLED[name]
    path = tmp_path / f"{name}{export.FORMATS[form]}"
    assert export.export(entry.load(), entry.metadata, path) <= export.TOLERANCE
    shutil.rmtree(tmp_path)  # up to 70 MB each


@pytest.mark.parametrize(("form", "needs"), [("onnx", "onnxruntime.InferenceSession"), ("torch", "torch.export.load")])
def test_the_lines_of_the_readme_run_the_file(form, needs, tmp_path):
    (lines,) = (
        code for code in re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL) if needs in code
    )
    entry = catalog.find("fcn8s_vgg16")
    export.export(entry.load(), entry.metadata, tmp_path / f"fcn8s_vgg16{export.FORMATS[form]}")
    shutil.copy(get_image("cheetah1.jpg"), tmp_path / "photo.jpg")
    # In a folder and without a path that lead to this package.
    run = subprocess.run(
        [sys.executable, "-I", "-c", lines], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    assert str(list(entry.metadata.classes)) in run.stdout


@pytest.mark.parametrize("ending", export.FORMATS.values())
def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path, capsys, monkeypatch, ending):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    path = tmp_path / f"network{ending}"
    assert main(["export", "conv1x1_vgg11", "--format", "onnx", "--out", str(path)]) == 2
    assert f"The disk is full: {path} could not be written." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_torch_that_is_too_old_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "is_supported", lambda: False)
    with pytest.raises(ValueError, match="cannot export photos of any size"):
        export.export(small_conv1x1().eval(), METADATA, tmp_path / "network.pt2")
