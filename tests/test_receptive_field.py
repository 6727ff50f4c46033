"""The bound on the receptive field."""

from math import lcm

import pytest
import torch
from torch import nn

from segdemo.models import build
from segdemo.models.receptive_field import receptive_radius

SIZE = 480
NETWORKS = [
    ("fcn_vgg", {"backbone": "vgg11", "fc_width": 8, "fc_kernel": 1, "stride": 8}),
    ("fcn_vgg", {"backbone": "vgg11", "fc_width": 8, "fc_kernel": 1, "stride": 32}),
    ("conv1x1_vgg", {"backbone": "vgg11"}),
    ("conv1x1_resnet", {"backbone": "resnet18"}),
    ("taught_vgg", {"backbone": "vgg11"}),
    ("unet_vgg", {"backbone": "vgg11", "widths": (8, 8, 8, 8, 8)}),
]


def traced(network):
    """Give the bound, and the scores that it is about."""
    run = network.padded_score_map if network.interpolates else network
    return receptive_radius(network, run, lcm(network.size_multiple, network.stride)), run


@pytest.mark.parametrize(("architecture", "arguments"), NETWORKS)
def test_no_score_depends_on_a_pixel_beyond_it_and_some_come_near(architecture, arguments):
    network = build(architecture, num_classes=3, **arguments).eval()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.01)  # all alike, so that nothing cancels and no ReLU closes
    bound, run = traced(network)
    image = torch.ones(1, 3, 32, SIZE, requires_grad=True)
    scores = run(image)
    cell = SIZE // scores.shape[-1]
    at = scores.shape[-1] // 2
    scores[..., at].sum().backward()
    seen = image.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    before, after = at * cell - int(seen[0]), int(seen[-1]) - at * cell
    assert 0.4 * bound <= max(before, after) <= bound < SIZE // 2


def test_layers_one_behind_the_other_add_up_exactly():
    layers = nn.Conv2d(3, 3, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(3, 3, 5, padding=4, dilation=2)
    network = nn.Sequential(*layers)
    # A pixel before, one after the first conv's; the pool adds one after; the dilated conv four cells of two pixels.
    assert receptive_radius(network, network, 2) == 1 + 1 + 4 * 2


def test_the_network_is_left_as_it_was():
    network = build("conv1x1_vgg", num_classes=3, backbone="vgg11").eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    traced(network)
    receptive_radius(network, network, 16)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert not any(layer._forward_hooks for layer in network.modules())
