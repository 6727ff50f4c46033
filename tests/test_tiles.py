"""Tiles: they cover a photo once, and what comes out is what a pass over the whole gives."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_segmenter import METADATA, Tiny
from torch import nn

from segdemo.models import SegmentationNetwork, build
from segdemo.models.classifier import Classifier, Conv1x1Segmenter
from segdemo.models.fcn import FCN, fc_head
from segdemo.models.unet import UNet
from segdemo.seeing import FULL
from segdemo.segmenter import Segmenter
from segdemo.tiles import Cut


def noise(width, height):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def stage(channels, width):
    return nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))


def small_fcn(stride):
    widths = (3, 4, 4, 256, 512, 512)
    stages = [stage(*pair) for pair in pairwise(widths)]
    network = FCN(stages, fc_head(8, 1, 0), 8, 3, stride)
    for name, parameter in network.named_parameters():
        if "upscore" in name or "score_pool" in name:
            nn.init.normal_(parameter, std=0.1)
    return network


def small_unet():
    widths = (3, 4, 4, 4, 4, 4)
    return UNet([stage(*pair) for pair in pairwise(widths)], (4, 4, 4, 4, 4), 3, 0)


def small_conv1x1():
    backbone = nn.Sequential(stage(3, 4), stage(4, 8), nn.Conv2d(8, 8, 3, padding=1))
    return Conv1x1Segmenter(Classifier(backbone, 4, nn.Linear(8, 3)))


def loaded(network):
    return Segmenter("some", network.eval(), METADATA, torch.device("cpu"))


def check_tiled_equals_whole(segmenter, photo, pixels, least_tiles):
    segmenter.pixels_at_once = photo.width * photo.height
    whole = segmenter(photo, FULL)
    segmenter.pixels_at_once = pixels
    assert len(segmenter._cut((segmenter.network.stride,)).tiles(*photo.size)) >= least_tiles
    tiled = segmenter(photo, FULL)
    assert whole.scores.std() > 1e-3
    for name in ("score_map", "scores"):
        torch.testing.assert_close(getattr(tiled, name), getattr(whole, name), rtol=1e-4, atol=1e-4)
    assert tiled.analysis_size == whole.analysis_size == photo.size
    assert (tiled.class_map() == whole.class_map()).mean() > 0.999


@given(
    width=st.integers(1, 900),
    height=st.integers(1, 900),
    window=st.integers(40, 500),
    multiple=st.sampled_from((1, 8, 32)),
    halo_cells=st.integers(0, 9),
)
def test_tiles_cover_each_pixel_once_with_a_whole_halo_inside_the_photo(width, height, window, multiple, halo_cells):
    cut = Cut(window * window, halo_cells * multiple, multiple)
    tiles = cut.tiles(width, height)
    assert sum((r.stop - r.start) * (c.stop - c.start) for r, c in tiles) == width * height
    for rows, columns in tiles:
        for span, length in ((rows, height), (columns, width)):
            assert 0 <= span.first <= span.start < span.stop <= span.last <= length
            assert span.start % multiple == span.first % multiple == 0
            assert span.first == 0 or span.start - span.first >= cut.halo
            assert span.last == length or span.last - span.stop >= cut.halo
        seen = (rows.last - rows.first) * (columns.last - columns.first)
        assert seen <= max(cut.pixels, cut.least)


def test_a_photo_that_fits_is_one_tile_without_a_halo():
    ((rows, columns),) = Cut(1000 * 1000, 96, 32).tiles(1500, 600)
    assert (rows.first, rows.last, columns.first, columns.last) == (0, 600, 0, 1500)


@pytest.mark.parametrize(
    ("width", "height", "rows", "columns"),
    [(1500, 1400, 1, 2), (1400, 1500, 2, 1), (2000, 2000, 2, 2), (9000, 300, 1, 2), (300, 9000, 2, 1)],
)
def test_a_photo_is_cut_where_least_is_seen_twice(width, height, rows, columns):
    tiles = Cut(1300 * 1300, 96, 32).tiles(width, height)
    assert len({row for row, _ in tiles}) == rows
    assert len({column for _, column in tiles}) == columns


@pytest.mark.parametrize(
    "network",
    [lambda: small_fcn(8), lambda: small_fcn(16), lambda: small_fcn(32), small_unet, small_conv1x1, Tiny],
    ids=["fcn8s", "fcn16s", "fcn32s", "unet", "conv1x1", "tiny"],
)
def test_tiles_give_what_the_whole_pass_gives(network):
    check_tiled_equals_whole(loaded(network()), noise(431, 333), 352 * 352, 2)


@pytest.mark.parametrize(
    ("architecture", "backbone", "size"),
    [
        ("conv1x1_resnet", "resnet18", (700, 33)),
        ("fcn_resnet", "fcn_resnet50", (33, 700)),
        ("dense_vgg", "vgg11", (700, 33)),
    ],
)
def test_torchvisions_networks_can_be_tiled(architecture, backbone, size):
    segmenter = loaded(build(architecture, backbone=backbone, num_classes=3).eval())
    check_tiled_equals_whole(segmenter, noise(*size), 16 * 1000, 2)


@pytest.mark.parametrize("name", ["fcn8s_vgg16", "conv1x1_vgg11"])
def test_the_bundled_networks_can_be_tiled(name):
    check_tiled_equals_whole(Segmenter.load(name, "cpu"), noise(1100, 40), 40 * 500, 3)


def test_several_outputs_of_one_pass_are_tiled_together():
    segmenter = Segmenter.load("fcn8s_vgg16", "cpu")
    names, photo = ["fcn8s_vgg16", "fcn16s_vgg16", "fcn32s_vgg16"], noise(40, 1100)
    whole = segmenter.outputs(names, [photo], FULL)
    segmenter.pixels_at_once = 40 * 560
    for name, (tiled,) in segmenter.outputs(names, [photo], FULL).items():
        torch.testing.assert_close(tiled.scores, whole[name][0].scores, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(tiled.score_map, whole[name][0].score_map, rtol=1e-4, atol=1e-4)


class Cramped(Tiny):
    """Has memory for so many pixels at once."""

    def __init__(self, room):
        super().__init__()
        self.room, self.seen = room, []

    def score_map(self, images):
        if images.is_meta:  # nothing is computed
            return super().score_map(images)
        pixels = images[:, 0].numel()
        self.seen.append(pixels)
        if pixels > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().score_map(images)


def test_where_memory_runs_out_tiles_become_smaller_and_stay_so():
    network = Cramped(5000)
    segmenter = loaded(network)
    photo = noise(300, 200)
    torch.testing.assert_close(segmenter(photo, FULL).scores, loaded(Tiny())(photo, FULL).scores)
    assert max(network.seen) == 60_000
    network.seen.clear()
    segmenter(photo, FULL)
    assert max(network.seen) <= 5000


def test_where_memory_runs_out_batches_become_smaller():
    network = Cramped(64 * 64 * 3)
    photos = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in range(10)]
    for found, wanted in zip(loaded(network)(photos), loaded(Tiny())(photos), strict=True):
        assert torch.equal(found.scores, wanted.scores)
    assert network.seen[-1] <= 64 * 64 * 3


def test_where_not_even_the_smallest_tile_fits_the_error_stays():
    with pytest.raises(torch.OutOfMemoryError):
        loaded(Cramped(0))(noise(90, 90), FULL)


class Watching(SegmentationNetwork):
    """Notes the largest input."""

    stride = size_multiple = 8
    interpolates = True

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 9, padding=4, stride=8)
        self.most = 0

    def score_map(self, images):
        if not images.is_meta:
            self.most = max(self.most, images.numel())
        return self.conv(images)

    def upsample(self, score_map):
        return nn.functional.interpolate(score_map, scale_factor=8.0, mode="bilinear")


def test_what_a_pass_sees_does_not_grow_with_the_photo():
    most = []
    for side in (700, 2800):
        network = Watching()
        segmenter = loaded(network)
        segmenter.pixels_at_once = 300 * 300
        segmenter(Image.new("RGB", (side, side)), FULL)
        most.append(network.most)
    assert max(most) <= 3 * 300 * 300


def test_full_is_the_photos_own_size_and_larger_sizes_end_there():
    segmenter = loaded(Tiny())
    photo = noise(1500, 20)
    assert segmenter(photo, FULL).analysis_size == (1500, 20)
    assert segmenter(photo, 1500).analysis_size == (1500, 20)
    assert segmenter(noise(5, 3), FULL).analysis_size == (32, 19)
    assert [each.analysis_size for each in segmenter([photo, noise(40, 50)], FULL)] == [(1500, 20), (40, 50)]
    with pytest.raises(ValueError, match="between 32 and 1500, the photo's own longer side"):
        segmenter(photo, 1501)
    with pytest.raises(ValueError, match="six passes"):
        segmenter(photo, FULL, best_quality=True)
    with pytest.raises(ValueError, match="between 32 and 1024"):
        segmenter(photo, 1500, best_quality=True)
