"""One way from an image and its settings to a segmentation."""

import numpy as np
import pytest
import torch
from PIL import Image

from segdemo import analysis as module
from segdemo.analysis import Analysis, Style, analyse
from segdemo.refine import refine_edges
from segdemo.segmenter import Segmenter

NETWORK = "conv1x1_vgg11"


@pytest.fixture
def image():
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))


@pytest.mark.parametrize("settings", [{}, {"size": 64}, {"size": 64, "best_quality": True}])
def test_an_analysis_is_what_the_segmenter_makes(image, settings):
    found = analyse(image, Analysis(NETWORK, **settings))
    wanted = Segmenter.load(NETWORK)(image, settings.get("size"), settings.get("best_quality", False))
    assert found.network == NETWORK
    torch.testing.assert_close(found.scores, wanted.scores)


def test_edges_are_refined_only_if_that_is_wanted(image):
    plain, refined = (analyse(image, Analysis(NETWORK, 64, refine=refine)) for refine in (False, True))
    torch.testing.assert_close(refined.scores, refine_edges(plain, image).scores)
    assert refined.scores.shape != plain.scores.shape


def test_a_segmenter_that_is_at_hand_is_not_loaded_again(image, monkeypatch):
    segmenter = Segmenter.load(NETWORK)
    monkeypatch.setattr(module.Segmenter, "load", lambda *_: pytest.fail("it was loaded"))
    assert analyse(image, Analysis(NETWORK, 32), segmenter).analysis_size == (32, 21)


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match="no network named 'resnet'"):
        analyse(Image.new("RGB", (8, 8)), Analysis("resnet"))


def test_the_defaults_of_a_style_stand_in_one_place():
    assert Style() == Style("auto", 0.6, "viridis")
