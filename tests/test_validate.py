"""Measuring a network in training."""

import pytest
import torch
from torch import nn

from segdemo.models import build
from segdemo.training.data import Pets
from segdemo.training.validate import evaluating, validate, validate_outputs


@pytest.mark.parametrize("training", [True, False])
def test_evaluating_brings_the_mode_back(training):
    network = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(3)).train(training)
    with evaluating(network):
        assert not any(module.training for module in network.modules())
        assert not network(torch.rand(2, 3, 4, 4)).requires_grad
    assert all(module.training == training for module in network.modules())


def test_evaluating_leaves_frozen_parts_frozen():
    network = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3)).train()
    network[0].eval()
    with evaluating(network):
        pass
    assert [module.training for module in network] == [False, True]


def test_evaluating_brings_the_mode_back_after_an_error():
    network = nn.Dropout().train()
    with pytest.raises(RuntimeError), evaluating(network):
        raise RuntimeError
    assert network.training
    assert torch.is_grad_enabled()


class Oracle(nn.Module):
    """Reads the class off the red channel: a network that is always right."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        red = images[:, :1] * 0.229 + 0.485
        return -(red - torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1)).abs()


@pytest.fixture
def pets():
    labels = torch.zeros(5, 16, 16, dtype=torch.uint8)
    species = torch.tensor([1, 2, 1, 2, 1])
    labels[:, 4:12, 4:12] = species.to(torch.uint8)[:, None, None]
    images = labels[:, None].float().div(2).mul(255).byte().expand(-1, 3, -1, -1).contiguous()
    labels[:, 0] = 255
    return Pets(images, labels, species)


@pytest.mark.parametrize("batch_size", [2, 5, 32])
def test_a_network_that_is_right_has_full_marks(pets, batch_size):
    figures = validate(Oracle(), pets, 16, batch_size)
    assert figures["miou"] == figures["foreground_iou"] == figures["pixel_accuracy"] == 1


def test_an_fcn_is_measured_at_each_of_its_strides(pets):
    arguments = {"backbone": "vgg11_bn", "num_classes": 3, "fc_width": 8, "fc_kernel": 1}
    network = build("fcn_vgg", **arguments, stride=16)
    nn.init.normal_(network.score_pool3.weight)
    figures = validate_outputs(network, "any", pets, 32)
    assert list(figures) == ["fcn32s", "fcn16s", "fcn8s"]
    assert network.stride == 16
    assert figures["fcn8s"]["pixel_accuracy"] != figures["fcn16s"]["pixel_accuracy"]


def test_a_network_of_one_output_is_measured_under_its_name(pets):
    figures = validate_outputs(build("conv1x1_vgg", backbone="vgg11_bn", num_classes=3), "mine", pets, 32)
    assert list(figures) == ["mine"]
    assert 0 <= figures["mine"]["image_accuracy"] <= 1
