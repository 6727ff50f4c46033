"""What the page and the API share."""

import ast
from pathlib import Path

import gradio as gr
import pytest

from segdemo.segmenter import Segmenter
from segdemo.ui import api, service


def test_the_api_takes_nothing_from_a_tab_or_a_lesson_s_page():
    tree = ast.parse(Path(api.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "segdemo.ui.service" in modules
    assert not [name for name in modules if name.startswith("segdemo.ui.lesson") or name.endswith("_tab")]


def test_networks_of_one_checkpoint_are_compared_in_one_pass(striped_photo, monkeypatch):
    passes, original = [], Segmenter._forward
    monkeypatch.setattr(Segmenter, "_forward", lambda *values: passes.append(1) or original(*values))
    found = service.compare_file(striped_photo, ["fcn8s_vgg16", "fcn32s_vgg16", "fcn8s_vgg16"])
    assert [each.network for each in found.segmentations] == ["fcn8s_vgg16", "fcn32s_vgg16"]
    assert len(passes) == 1
    assert {picture.size for picture in (*found.overlays, found.disagreement)} == {(300, 200)}


@pytest.mark.parametrize(("names", "said"), [(["fcn8s_vgg16"], "two networks"), (["fcn8s_vgg16", "x"], "named 'x'")])
def test_a_comparison_that_cannot_be_made_is_refused_in_a_sentence(striped_photo, names, said):
    with pytest.raises(gr.Error, match=said):
        service.compare_file(striped_photo, names)


def test_the_dense_classifier_says_what_the_classifier_says(striped_photo):
    seen, features, found = service.linear_and_conv(striped_photo, 96)
    assert tuple(seen.shape) == (3, 64, 96)
    assert tuple(features.shape[2:]) == found.features[1:] == (4, 6)
    assert found.mean_difference < 1e-4
