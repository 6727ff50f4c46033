"""VGG's layers and where they are cut."""

import pytest
import torch
from torch import nn
from torchvision.models import vgg

from segdemo.models.backbones import split_at_max_pools, vgg_features, without_last_pool

# Where torchvision has its MaxPool layers.
MAX_POOLS = {
    "vgg11": [2, 5, 10, 15, 20],
    "vgg11_bn": [3, 7, 14, 21, 28],
    "vgg13_bn": [6, 13, 20, 27, 34],
    "vgg16": [4, 9, 16, 23, 30],
    "vgg16_bn": [6, 13, 23, 33, 43],
}


def on_meta(name: str) -> nn.Sequential:
    """Build without memory or random numbers, for tests of structure."""
    with torch.device("meta"):
        return vgg_features(name)


@pytest.mark.parametrize("name", MAX_POOLS)
def test_stages_end_where_the_max_pools_are(name):
    features = on_meta(name)
    stages = split_at_max_pools(features)
    ends = torch.tensor([len(stage) for stage in stages]).cumsum(0) - 1
    assert ends.tolist() == MAX_POOLS[name]
    assert [layer for stage in stages for layer in stage] == list(features)


@pytest.mark.parametrize("name", MAX_POOLS)
def test_every_stage_ends_with_its_only_max_pool(name):
    for stage in split_at_max_pools(on_meta(name)):
        assert [isinstance(layer, nn.MaxPool2d) for layer in stage] == [False] * (len(stage) - 1) + [True]


def test_layers_behind_the_last_max_pool_make_a_stage_of_their_own():
    stages = split_at_max_pools(nn.Sequential(nn.ReLU(), nn.MaxPool2d(2), nn.ReLU(), nn.ReLU()))
    assert [len(stage) for stage in stages] == [2, 2]


@pytest.mark.parametrize("name", [*MAX_POOLS, "vgg13", "vgg19", "vgg19_bn"])
def test_the_layers_are_torchvisions(name):
    with torch.device("meta"):
        wanted = getattr(vgg, name)().features
    features = on_meta(name)
    assert str(features) == str(wanted)
    assert features.state_dict().keys() == wanted.state_dict().keys()


def test_a_random_start_is_hes():
    first = vgg_features("vgg11")[3]
    assert first.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.03)
    assert first.bias.eq(0).all()


@pytest.mark.parametrize("name", ["resnet18", "vgg", "vgg12", "vgg16_bn_bn", ""])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match=r"unknown VGG .* choose from vgg11, vgg13, vgg16, vgg19"):
        vgg_features(name)


def test_without_the_last_pool_the_stride_is_half():
    features = nn.Sequential(*[nn.MaxPool2d(2) for _ in range(5)])
    assert without_last_pool(features)(torch.rand(1, 1, 64, 32)).shape[2:] == (4, 2)


def test_dropping_a_pool_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="not a MaxPool2d"):
        without_last_pool(nn.Sequential(nn.MaxPool2d(2), nn.ReLU()))
