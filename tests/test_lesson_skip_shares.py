"""The parts of an FCN's scores, against the network itself."""

from itertools import pairwise

import gradio as gr
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from segdemo import catalog
from segdemo.lessons import skip_shares as lesson
from segdemo.models.fcn import FCN, fc_head
from segdemo.ui import lesson_skip_shares as page


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    widths = (3, 4, 8, 256, 512, 512)
    stages = [
        nn.Sequential(nn.Conv2d(before, width, 1), nn.ReLU(), nn.MaxPool2d(2)) for before, width in pairwise(widths)
    ]
    made = FCN(stages, fc_head(8, 1, 0.0), 8, num_classes=3, stride=8).eval()
    for scores in (made.score, made.score_pool4, made.score_pool3):  # skips start at zero: let them count
        nn.init.normal_(scores.weight, std=0.1)
        nn.init.normal_(scores.bias)
    return made


@settings(max_examples=12)
@given(height=st.integers(1, 70), width=st.integers(1, 70))
def test_the_parts_add_up_to_the_networks_scores_at_any_size(network, height, width):
    image = torch.randn(3, height, width)
    found = lesson.decompose(network, image)
    with torch.no_grad():
        wanted = network.forward_all(image[None])
    for stride in (32, 16, 8):
        torch.testing.assert_close(found.outputs[stride], wanted[stride][0])
    torch.testing.assert_close(sum(found.parts.values()), wanted[8][0], atol=1e-4, rtol=0)
    assert found.largest_difference < 1e-4


@pytest.mark.parametrize("bfloat16", [False, True])
def test_the_parts_of_the_shipped_network_add_up_too(bfloat16):
    shipped = catalog.find("fcn8s_vgg16").load()
    found = lesson.decompose(shipped, torch.randn(3, 50, 75), bfloat16)
    assert {part.dtype for part in found.parts.values()} == {torch.float32}
    assert found.largest_difference < 1e-4
    assert found.grids == {"fc7": (2, 3), "pool4": (4, 6), "pool3": (8, 12)}
    assert min(found.shares().values()) > 0


def test_no_transposed_conv_has_a_bias_and_each_scores_bias_is_in_its_own_part(network):
    assert not [name for name, _ in network.named_parameters() if "upscore" in name and name.endswith("bias")]
    image = torch.randn(3, 40, 40)
    before = lesson.decompose(network, image)
    with torch.no_grad():
        network.score_pool4.bias += 1
    after = lesson.decompose(network, image)
    with torch.no_grad():
        network.score_pool4.bias -= 1
    for source in ("fc7", "pool3"):
        assert torch.equal(after.parts[source], before.parts[source])
    # Bilinear upsampling of a constant is that constant.
    torch.testing.assert_close(after.parts["pool4"] - before.parts["pool4"], torch.ones(3, 40, 40))
    torch.testing.assert_close(after.constants()["pool4"] - before.constants()["pool4"], torch.ones(3))


def test_a_constant_is_no_share():
    ramp = torch.arange(4.0).expand(2, 3, 4)
    parts = {"fc7": 3 * ramp + 100, "pool4": -ramp, "pool3": torch.full((2, 3, 4), 7.0)}
    found = lesson.Decomposition({8: sum(parts.values())}, parts, {})
    assert found.shares() == pytest.approx({"fc7": 0.75, "pool4": 0.25, "pool3": 0})
    assert found.shares(1) == pytest.approx({"fc7": 0.75, "pool4": 0.25, "pool3": 0})


def test_one_classs_shares_look_at_that_class_alone():
    part = torch.stack((torch.zeros(1, 4), torch.arange(4.0)[None]))
    found = lesson.Decomposition({8: part * 2}, {"fc7": part, "pool4": part.flip(0)}, {})
    assert found.shares(0) == {"fc7": 0, "pool4": 1}
    assert found.shares(1) == {"fc7": 1, "pool4": 0}
    assert found.shares() == {"fc7": 0.5, "pool4": 0.5}


def test_an_image_of_one_pixel_varies_nowhere(network):
    shares = lesson.decompose(network, torch.randn(3, 1, 1)).shares()
    assert shares == {"fc7": 0, "pool4": 0, "pool3": 0}


def test_the_main_class_and_the_pixels_that_change():
    background, cat = torch.tensor([1.0, 0, 0]), torch.tensor([0, 1.0, 0])
    fine = torch.stack((background, background, background, cat), 1)[:, None]
    coarse = torch.stack((background,) * 4, 1)[:, None]
    found = lesson.Decomposition({32: coarse, 8: fine}, {}, {})
    assert found.main_class() == 1
    assert found.changed(8, 32) == 0.25
    assert lesson.Decomposition({8: coarse}, {}, {}).main_class() == 0


@pytest.mark.parametrize("size", [(300, 2), (1, 1), (40, 90)])
def test_a_photo_of_any_shape_is_drawn(tmp_path, size):
    path = tmp_path / "photo.png"
    Image.new("RGB", size, (200, 90, 10)).save(path)
    text, *pictures = page._draw(str(path), 64)
    assert "The parts add up" in text
    assert len(pictures) == 7
    assert len({picture.size for picture in pictures}) == 1


def test_a_file_that_is_no_photo_gets_a_sentence(tmp_path):
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no photo")
    with pytest.raises(gr.Error, match=r"broken\.jpg"):
        page._draw(str(path), 64)
