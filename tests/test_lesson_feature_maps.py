"""Feature maps, against the layers themselves."""

import pytest
import torch
from PIL import Image
from torch import nn

from segdemo import catalog
from segdemo.lessons import feature_maps as lesson
from segdemo.models import build
from segdemo.models.network import pad_to_multiple
from segdemo.seeing import fit
from segdemo.ui import lesson_feature_maps as page

NETWORKS = {
    "fcn_vgg": ({"fc_width": 8, "fc_kernel": 1, "backbone": "vgg11_bn"}, [1, 2, 4, 8, 16, 32]),
    "conv1x1_vgg": ({"backbone": "vgg11_bn"}, [1, 2, 4, 8, 16]),
    "conv1x1_resnet": ({"backbone": "resnet18"}, [2, 4, 8, 16, 32]),
    "unet_vgg": ({"backbone": "vgg11_bn", "widths": (8,) * 5}, [1, 2, 4, 8, 16, 8, 4, 2, 1]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_stage_ends_where_the_size_changes(name):
    arguments, strides = NETWORKS[name]
    network = build(name, num_classes=3, **arguments).eval()
    for height, width in ((64, 32), (41, 33)):
        found = lesson.stages(network, torch.randn(3, height, width))
        assert [stage.stride for stage in found] == strides
        for stage in found:
            assert stage.maps.shape[1:] == (-(-height // stage.stride), -(-width // stage.stride))
            assert stage.maps.min() >= 0


def test_the_maps_are_those_behind_the_last_relu_of_each_size():
    network = build("conv1x1_vgg", num_classes=3, backbone="vgg11").eval()
    image = torch.randn(3, 40, 56)
    found = lesson.stages(network, image)
    features, wanted = pad_to_multiple(image[None], 16), []
    with torch.no_grad():
        for layer in network.backbone:
            if isinstance(layer, nn.MaxPool2d):
                wanted.append(features)
            features = layer(features)
    for stage, maps in zip(found, [*wanted, features], strict=True):
        torch.testing.assert_close(stage.maps, maps[0, :, : stage.maps.shape[1], : stage.maps.shape[2]])
    assert [stage.layer for stage in found] == [f"backbone.{i}" for i in (1, 4, 9, 14, 19)]


def test_no_hook_stays_behind():
    network = build("conv1x1_vgg", num_classes=3, backbone="vgg11").eval()
    lesson.stages(network, torch.randn(3, 16, 16))
    assert not any(layer._forward_hooks for layer in network.modules())
    with pytest.raises(RuntimeError):
        lesson.stages(network, torch.randn(4, 16, 16))
    assert not any(layer._forward_hooks for layer in network.modules())


def test_the_strongest_channels_come_first_and_silent_ones_are_counted():
    maps = torch.tensor([0.0, 3.0, 1.0, 2.0])[:, None, None].expand(4, 2, 5)
    stage = lesson.Stage("relu", maps, 2)
    assert stage.strongest(3) == [1, 3, 2]
    assert len(stage.strongest(9)) == 4
    assert stage.silent == 1
    torch.testing.assert_close(stage.mean, torch.full((2, 5), 1.5))


@pytest.mark.parametrize("size", [(300, 2), (1, 1), (40, 90)])
def test_a_photo_of_any_shape_is_drawn(tmp_path, size):
    path = tmp_path / "photo.png"
    Image.new("RGB", size, (200, 90, 10)).save(path)
    text = page._draw(str(path), 64, "conv1x1_vgg11")
    assert "<figure>" in text
    assert text.count("<img") == text.count("alt='") == text.count("download='")
    assert "×".join(map(str, fit(size, 64))) in text


def test_networks_of_one_checkpoint_are_offered_once():
    names = [entry.name for entry in page.offered()]
    assert {catalog.find(name).file for name in names} == {entry.file for entry in catalog.BUNDLED.values()}
    assert len(names) == len({catalog.find(name).file for name in names})
