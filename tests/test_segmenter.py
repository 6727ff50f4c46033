"""The inference module: sizes, order, devices, threads."""

import copy
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from segdemo.metadata import Metadata
from segdemo.models import SegmentationNetwork
from segdemo.seeing import fit
from segdemo.segmenter import Segmenter

METADATA = Metadata(
    architecture="tiny",
    arguments={},
    classes=("background", "red", "green"),
    colours=("#000000", "#ff0000", "#00ff00"),
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    analysis_size=64,
)


class Tiny(SegmentationNetwork):
    """Scores red and green by their channels, on a grid of 4 pixels."""

    stride = size_multiple = 4

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(3, 1, 1))

    def score_map(self, images):
        red, green, _ = F.avg_pool2d(images, self.stride).unbind(1)
        return torch.stack((torch.zeros_like(red), red, green), 1) + self.bias

    def upsample(self, score_map):
        return F.interpolate(score_map, scale_factor=self.stride, mode="nearest")


@pytest.fixture
def segmenter():
    return Segmenter("tiny", Tiny().eval(), METADATA, torch.device("cpu"))


def half_red_half_green(width=120, height=80):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 255
    pixels[:, width // 2 :, 1] = 255
    return Image.fromarray(pixels)


def test_a_photo_comes_back_at_its_own_size_with_the_right_classes(segmenter):
    segmentation = segmenter(half_red_half_green())
    class_map = segmentation.class_map()
    assert class_map.shape == (80, 120)
    assert (class_map[:, :56] == 1).all()
    assert (class_map[:, 64:] == 2).all()
    assert segmentation.image_size == (120, 80)
    assert segmentation.analysis_size == (64, 43)
    assert segmentation.scores.shape == (3, 43, 64)
    assert segmentation.score_map.shape == (3, 11, 16)
    assert (segmentation.network, segmentation.device, segmentation.precision) == ("tiny", "cpu", "float32")
    assert set(segmentation.milliseconds) == {"resize", "network"}


def test_several_photos_of_mixed_sizes_keep_their_order_and_equal_what_they_get_alone(segmenter):
    photos = [half_red_half_green(w, h) for w, h in ((120, 80), (80, 120), (120, 80), (30, 30), (60, 40))]
    together = segmenter(photos)
    for photo, segmentation in zip(photos, together, strict=True):
        alone = segmenter(photo)
        assert segmentation.image_size == photo.size
        assert torch.equal(segmentation.scores, alone.scores)
        np.testing.assert_array_equal(segmentation.class_map(), alone.class_map())


def test_threads_that_share_a_segmenter_each_get_their_own_result(segmenter):
    photos = [Image.new("RGB", (40, 40), (255, 0, 0) if i % 2 else (0, 255, 0)) for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(segmenter, photos))
    assert [r.main_class for r in results] == [1 if i % 2 else 2 for i in range(24)]


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (31, 33)])
def test_any_photo_size_works(segmenter, size):
    assert segmenter(Image.new("RGB", size, (255, 0, 0))).class_map().shape == size[::-1]


def test_no_photos_give_no_results(segmenter):
    assert segmenter([]) == []


@pytest.mark.parametrize("size", [31, 1025, -5, 0])
@pytest.mark.parametrize("best_quality", [False, True])
def test_an_analysis_size_out_of_range_is_refused(segmenter, size, best_quality):
    with pytest.raises(ValueError, match=f"analysis size is {size} pixels"):
        segmenter(half_red_half_green(), size, best_quality)


def test_the_analysis_size_is_the_longer_side(segmenter):
    assert segmenter(half_red_half_green(200, 100), 128).analysis_size == (128, 64)
    assert segmenter(half_red_half_green(100, 200), 128).analysis_size == (64, 128)
    assert fit((10_000, 1), 96) == (96, 1)


def test_photos_are_normalised_as_the_checkpoint_says(segmenter):
    score_map = segmenter(Image.new("RGB", (64, 64), (255, 0, 0))).score_map
    # (1 - 0.5) / 0.25 for red, (0 - 0.5) / 0.25 for green
    assert score_map[1].unique().tolist() == [2.0]
    assert score_map[2].unique().tolist() == [-2.0]


def test_a_pass_in_bfloat16_gives_nearly_the_same_scores_as_float32(striped_photo):
    photo = Image.open(striped_photo).convert("RGB")
    full, half = (Segmenter.load("conv1x1_vgg11", "cpu", precision)(photo) for precision in ("float32", "bfloat16"))
    assert (full.precision, half.precision) == ("float32", "bfloat16")
    assert half.scores.dtype == torch.float32
    assert not torch.equal(half.scores, full.scores)
    torch.testing.assert_close(half.scores, full.scores, rtol=0.05, atol=0.1)


def test_an_unknown_network_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"no network named 'resnet'.*fcn8s_vgg16"):
        Segmenter.load("resnet")


class Coarse(Tiny):
    """The same scores, upsampled by plain interpolation: only the map is kept."""

    interpolates = True

    def upsample(self, score_map):
        return F.interpolate(score_map, scale_factor=self.stride, mode="bilinear")


def test_of_a_network_that_interpolates_only_the_score_map_is_kept():
    network = Coarse().eval()
    segmentation = Segmenter("coarse", network, METADATA, torch.device("cpu"))(half_red_half_green(120, 83))
    assert segmentation.analysis_size == (64, 44)
    assert segmentation.scores.data_ptr() == segmentation.score_map.data_ptr()
    assert segmentation.scores.shape == (3, 11, 16)
    assert segmentation.extent == (16, 11)
    odd = Segmenter("coarse", network, METADATA, torch.device("cpu"))(half_red_half_green(), 62)
    assert odd.extent == (15.5, 10.25)
    assert odd.score_map.shape == (3, 11, 16)


def test_the_fcns_of_one_checkpoint_share_a_pass(striped_photo):
    photos = [Image.open(striped_photo).convert("RGB"), half_red_half_green()]
    segmenter = Segmenter.load("fcn32s_vgg16", "cpu")
    names = ["fcn8s_vgg16", "fcn32s_vgg16"]
    outputs = segmenter.outputs(names, photos)
    assert list(outputs) == names
    for name, segmentations in outputs.items():
        alone = Segmenter.load(name, "cpu")
        for photo, shared in zip(photos, segmentations, strict=True):
            wanted = alone(photo)
            assert (shared.network, shared.stride) == (name, wanted.stride)
            torch.testing.assert_close(shared.scores, wanted.scores, rtol=1e-3, atol=1e-3)
            assert shared.score_map.shape == wanted.score_map.shape


def test_no_card_is_asked_for_its_precision_before_a_pass_runs(monkeypatch):
    def fail(including_emulation):
        raise RuntimeError("no card is lent now")

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", fail)
    monkeypatch.setattr(nn.Module, "to", lambda self, *_, **__: self)
    monkeypatch.setattr(torch, "tensor", lambda values, device: torch.as_tensor(values))
    segmenter = Segmenter("tiny", Tiny().eval(), METADATA, torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert segmenter.precision == "bfloat16"
    with pytest.raises(ValueError, match="no precision 'int3'"):
        Segmenter("tiny", Tiny().eval(), METADATA, torch.device("cuda"), "int3")


@pytest.mark.parametrize("again", [lambda segmenter: pickle.loads(pickle.dumps(segmenter)), copy.deepcopy])
def test_a_copy_sees_the_same(segmenter, again):
    photo = half_red_half_green()
    np.testing.assert_array_equal(again(segmenter)(photo).class_map(), segmenter(photo).class_map())


FORK = """
import multiprocessing as mp, sys, torch
from PIL import Image
from segdemo.devices import device_lock
from segdemo.segmenter import Segmenter
torch.set_num_threads(2)
segmenter = Segmenter.load("conv1x1_vgg11", "cpu")
photo = Image.effect_noise((300, 400), 90).convert("RGB")
before = segmenter(photo).class_map()
def work():
    sys.exit(0 if (segmenter(photo).class_map() == before).all() else 3)
child = mp.get_context("fork").Process(target=work)
with device_lock("cpu"):  # as another thread's pass would
    child.start()
child.join(60)
child.kill()
sys.exit(child.exitcode)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_child_answers_too():
    assert subprocess.run([sys.executable, "-c", FORK], check=False, timeout=120).returncode == 0
