"""A stage in strips computes what it computes as a whole."""

import pytest
import torch
from torch import nn

from segdemo.models.backbones import split_at_max_pools, vgg_features
from segdemo.models.strips import InStrips


def conv(channels, kernel=3, **options):
    return nn.Conv2d(channels, 4, kernel, **({"padding": kernel // 2} | options))


@pytest.mark.parametrize("backbone", ["vgg11", "vgg16_bn"])
@pytest.mark.parametrize("size", [(64, 40), (66, 40), (65, 41), (34, 7), (2, 40)])
def test_strips_of_any_size_give_the_same(backbone, size):
    stage = split_at_max_pools(vgg_features(backbone))[0].eval()
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        whole = stage(images)
        for pixels in (1, 2 * 2 * size[1], 2 * 6 * size[1], 2 * 22 * size[1]):
            torch.testing.assert_close(InStrips(stage, pixels)(images), whole, rtol=1e-5, atol=1e-5)


def test_wide_windows_get_as_many_rows_as_they_look_at():
    stage = nn.Sequential(conv(3, 7), nn.ReLU(), conv(4, 5), nn.MaxPool2d(3)).eval()
    images = torch.randn(1, 3, 48, 12)
    with torch.no_grad():
        torch.testing.assert_close(InStrips(stage, 12 * 6)(images), stage(images), rtol=1e-5, atol=1e-5)


def test_no_layer_sees_more_than_a_strip_and_its_halo():
    stage, seen = split_at_max_pools(vgg_features("vgg16"))[0].eval(), []
    stage[0].register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[2]))
    InStrips(stage, 16 * 32)(torch.randn(1, 3, 64, 32))
    assert seen == [18, 20, 20, 18]


def test_a_small_input_runs_as_a_whole():
    stage, seen = split_at_max_pools(vgg_features("vgg16"))[0].eval(), []
    stage[0].register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[2]))
    InStrips(stage, 64 * 32)(torch.randn(1, 3, 64, 32))
    assert seen == [64]


@pytest.mark.parametrize(
    "stage",
    [
        nn.Sequential(conv(3), nn.ReLU()),
        nn.Sequential(conv(3), nn.MaxPool2d(3, 2)),
        nn.Sequential(conv(3), nn.MaxPool2d(2, padding=1)),
        nn.Sequential(conv(3, stride=2), nn.MaxPool2d(2)),
        nn.Sequential(conv(3, padding=0), nn.MaxPool2d(2)),
    ],
)
def test_another_form_is_refused(stage):
    with pytest.raises(ValueError, match="stage"):
        InStrips(stage, 1)
