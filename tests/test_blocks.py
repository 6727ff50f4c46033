"""Stages in blocks compute what they compute as a whole."""

import pytest
import torch
from torch import nn

from segdemo.models.backbones import split_at_max_pools, vgg_features
from segdemo.models.blocks import InBlocks


def conv(channels, kernel=3, **options):
    return nn.Conv2d(channels, 4, kernel, **({"padding": kernel // 2} | options))


def sizes_seen(pixels, height, width):
    """Give heights and widths of what the first layer of a stage in blocks sees, block by block."""
    stage, seen = split_at_max_pools(vgg_features("vgg16"))[0].eval(), []
    stage[0].register_forward_hook(lambda _, inputs, __: seen.append(tuple(inputs[0].shape[2:])))
    InBlocks(stage, pixels)(torch.randn(1, 3, height, width))
    return seen


@pytest.mark.parametrize("backbone", ["vgg11", "vgg16_bn"])
@pytest.mark.parametrize("size", [(64, 40), (66, 40), (65, 41), (34, 7), (2, 40)])
def test_blocks_of_any_size_give_the_same(backbone, size):
    stage = split_at_max_pools(vgg_features(backbone))[0].eval()
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        whole = stage(images)
        for pixels in (1, 2 * 2 * size[1], 2 * 6 * size[1], 2 * 22 * size[1]):
            torch.testing.assert_close(InBlocks(stage, pixels)(images), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(64, 40), (72, 40), (67, 41), (8, 40)])
@pytest.mark.parametrize("low", [1, 2 * 6 * 40, 10**6])
def test_several_stages_in_large_blocks_may_run_in_small_ones(size, low):
    stages = [stage.eval() for stage in split_at_max_pools(vgg_features("vgg11_bn"))[:3]]
    images = torch.randn(2, 3, *size)
    inside = [InBlocks(stage, low >> index) for index, stage in enumerate(stages)]
    with torch.no_grad():
        whole = nn.Sequential(*stages)(images)
        for pixels in (1, 2 * 8 * size[1], 2 * 24 * size[1]):
            together = InBlocks(nn.Sequential(*inside), pixels)
            torch.testing.assert_close(together(images), whole, rtol=1e-5, atol=1e-5)


def test_rows_on_which_several_stages_depend_are_counted_in_pixels_of_the_first():
    stages = split_at_max_pools(vgg_features("vgg16"))[:3]
    together = InBlocks(nn.Sequential(InBlocks(stages[0], 64), *stages[1:]), 64)
    # Two convs at one pixel a row, two at two, three at four: 18 rows, and whole cells of 8.
    assert (together.step, together.halo) == (8, 24)


def test_all_blocks_are_of_one_size():
    assert sizes_seen(40 * 40, 70, 70) == [(40, 40)] * 4


def test_wide_windows_get_as_many_rows_as_they_look_at():
    stage = nn.Sequential(conv(3, 7), nn.ReLU(), conv(4, 5), nn.MaxPool2d(3)).eval()
    images = torch.randn(1, 3, 48, 12)
    with torch.no_grad():
        torch.testing.assert_close(InBlocks(stage, 12 * 6)(images), stage(images), rtol=1e-5, atol=1e-5)


def test_no_layer_sees_more_than_a_block_and_its_halo():
    assert sizes_seen(16 * 16, 32, 48) == [(20, 20)] * 6
    assert sizes_seen(16 * 32, 8, 128) == [(8, 68)] * 2


def test_a_small_input_runs_as_a_whole():
    assert sizes_seen(64 * 32, 64, 32) == [(64, 32)]


def test_a_batch_of_small_images_is_split_between_images():
    stage, seen = split_at_max_pools(vgg_features("vgg16"))[0].eval(), []
    stage[0].register_forward_hook(lambda _, inputs, __: seen.append(tuple(inputs[0].shape)))
    images = torch.randn(5, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(InBlocks(stage, 2 * 16 * 16)(images), stage(images), rtol=1e-5, atol=1e-5)
    assert seen == [(2, 3, 16, 16), (2, 3, 16, 16), (1, 3, 16, 16), (5, 3, 16, 16)]
