"""The lesson on Linear layers as convs, against torch itself."""

import gradio as gr
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from segdemo.lessons import fc_as_conv as lesson
from segdemo.models.classifier import Classifier, Conv1x1Segmenter
from segdemo.ui import lesson_fc_as_conv as page


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4))
    made = Classifier(nn.Sequential(*layers), 4, nn.Linear(12, 3)).eval()
    nn.init.normal_(made.fc.bias)
    return made


@pytest.fixture(scope="module")
def network(classifier):
    return Conv1x1Segmenter(classifier).eval()


def test_the_linear_layer_comes_back_from_the_conv(classifier, network):
    linear = lesson.linear_of(network)
    assert torch.equal(linear.weight, classifier.fc.weight)
    assert torch.equal(linear.bias, classifier.fc.bias)
    assert linear.weight.data_ptr() != network.score.weight.data_ptr()


@settings(max_examples=15)
@given(st.integers(1, 40), st.integers(1, 40))
def test_both_ways_agree_on_images_of_any_size(height, width):
    torch.manual_seed(height * 41 + width)
    backbone = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4))
    classifier = Classifier(backbone, 4, nn.Linear(12, 3)).eval()
    image = torch.randn(3, height, width)
    network = Conv1x1Segmenter(classifier).eval()
    found = lesson.compare(network, lesson.feature_map(network, image))
    with torch.no_grad():
        torch.testing.assert_close(found.logits, classifier(image[None])[0])
    assert found.pooled_difference < 1e-5
    assert found.mean_difference < 1e-5
    assert found.features == (12, -(-height // 4), -(-width // 4))
    assert found.score_map.shape == (3, *found.features[1:])


def test_a_forgotten_bias_moves_every_score_of_a_class_by_it(network):
    features = lesson.feature_map(network, torch.randn(3, 24, 20))
    right, wrong = lesson.compare(network, features), lesson.compare(lesson.without_bias(network), features)
    shift = (right.score_map - wrong.score_map).flatten(1)
    torch.testing.assert_close(shift, network.score.bias.detach()[:, None].expand_as(shift))
    assert network.score.bias.abs().min() > 0  # the network itself forgets nothing


def test_a_classifier_that_flattens_fails_with_torchs_own_words_at_another_size(network):
    square = torch.randn(3, 16, 16)
    features = tuple(lesson.feature_map(network, square).shape[1:])
    assert "shapes cannot be multiplied" in lesson.flattening_classifier_error(
        network, features, torch.randn(3, 16, 24)
    )
    assert lesson.flattening_classifier_error(network, features, square) == ""


@pytest.mark.parametrize(("height", "width", "crop"), [(16, 16, 8), (24, 32, 12), (8, 8, 16)])
def test_each_crop_s_logits_are_the_classifiers(classifier, network, height, width, crop):
    image = torch.randn(3, height, width)
    found = lesson.slide(network, image, crop)
    assert found.dense.shape == found.crops.shape == (3, height // 4, width // 4)
    margin = (crop - 4) // 2
    for row in range(height // 4):
        for column in range(width // 4):
            top, left = row * 4 - margin, column * 4 - margin
            if top >= 0 and left >= 0 and top + crop <= height and left + crop <= width:
                with torch.no_grad():
                    wanted = classifier(image[None, :, top : top + crop, left : left + crop])[0]
                torch.testing.assert_close(found.crops[:, row, column], wanted)
    assert found.dense_seconds > 0 and found.crop_seconds > 0


def test_a_photo_thinner_than_a_cell_is_slid_over_too(tmp_path):
    path = tmp_path / "line.png"
    Image.new("RGB", (300, 2), (200, 90, 10)).save(path)
    text, _, *maps = page._slide(str(path), 96)
    assert "times as long" in text
    assert all(picture.width > picture.height for picture in maps)


def test_crops_of_one_cell_differ_from_the_dense_pass_only_by_padding(network):
    image = torch.randn(3, 16, 16)
    found = lesson.slide(network, image, 4)
    assert found.crops.shape == found.dense.shape
    assert not torch.equal(found.crops, found.dense)


def test_the_lesson_opens_on_an_example_that_the_classifier_gets_right():
    name = page.first_example()
    *_, found = page.linear_and_conv(gr.get_image(name))
    classes = page.catalog.find(page.DENSE_CLASSIFIER).metadata.classes
    assert classes[int(found.logits.argmax())] == page._SHOWS[name]
