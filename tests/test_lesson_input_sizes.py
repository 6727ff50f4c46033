"""One classifier at several sizes, against the classifier itself."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from segdemo.lessons import input_sizes as lesson
from segdemo.models import build
from segdemo.ui import lesson_pooled_photo as page


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = build("conv1x1_resnet", backbone="resnet18", num_classes=3).eval()
    nn.init.normal_(made.score.bias)
    return made


@settings(max_examples=6)
@given(made_for=st.integers(0, 2))
def test_adaptive_pooling_takes_every_size_and_the_fixed_layer_only_its_own(network, made_for):
    images = [torch.randn(3, height, width) for height, width in ((33, 64), (64, 96), (70, 130))]
    found = lesson.classify_sizes(network, images, lesson.feature_maps(network, images), made_for)
    assert [each.features for each in found] == [(512, 2, 2), (512, 2, 3), (512, 3, 5)]
    for index, (image, each) in enumerate(zip(images, found, strict=True)):
        assert each.image == tuple(image.shape[1:])
        assert each.pooled == 512
        with torch.no_grad():
            torch.testing.assert_close(each.logits, network.classify(image[None])[0], atol=1e-4, rtol=1e-4)
        assert float(each.probabilities.sum()) == pytest.approx(1)
        assert (each.error == "") == (index == made_for)
        assert (each.fixed is None) == (index != made_for)
        assert index == made_for or "shapes cannot be multiplied" in each.error
    torch.testing.assert_close(found[made_for].fixed, found[made_for].logits, atol=1e-4, rtol=1e-4)


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 5))
def test_a_flattening_layer_can_say_what_the_mean_says(channels, rows, columns):
    linear, features = nn.Linear(channels, 3), torch.randn(2, channels, rows, columns)
    wide = lesson.flattening_linear(linear, rows * columns)
    assert wide.in_features == channels * rows * columns
    torch.testing.assert_close(wide(features.flatten(1)), linear(features.mean((2, 3))), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(300, 2), (1, 1), (40, 90)])
def test_a_photo_of_any_shape_is_pooled_and_classified(tmp_path, size):
    path = tmp_path / "photo.png"
    Image.new("RGB", size, (200, 90, 10)).save(path)
    before, text, after = page._take(str(path), 5, "max")
    assert page._pool(str(path), 5, "max")[0] == text, "a moved control needs nothing but the photo's path"
    assert after.size[0] == after.size[1]
    assert len(set(np.asarray(after).flatten())) == 1
    assert "→ 5×5, max" in text
    assert max(page._grey(str(path)).size) == page._CELLS and max(before.size) <= page._SHOWN
    assert "fits 1 of 3 sizes" in page._classify(str(path), page.SIZES[0])
