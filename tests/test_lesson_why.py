"""Why a network says what it says: sums that add up, fields that hold, and Grad-CAM against torch's own gradients."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from segdemo.lessons import why
from segdemo.lessons.why import Asked
from segdemo.models import build

ARGUMENTS = {
    "conv1x1_vgg": {"backbone": "vgg11_bn"},
    "conv1x1_resnet": {"backbone": "resnet18"},
    "taught_vgg": {"backbone": "vgg11"},
    "unet_vgg": {"backbone": "vgg11", "widths": (8, 8, 8, 8, 8)},
    "fcn_vgg": {"backbone": "vgg11", "fc_width": 8, "fc_kernel": 3},
}
ONE_LAYER = ("conv1x1_vgg", "conv1x1_resnet", "taught_vgg", "unet_vgg")
SIZE = (50, 70)  # no multiple of any stride


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    return {name: build(name, num_classes=3, **arguments).eval() for name, arguments in ARGUMENTS.items()}


@pytest.fixture(scope="module")
def image():
    return torch.randn(3, *SIZE, generator=torch.Generator().manual_seed(1))


def fcn(networks):
    """Give the FCN with skips that are not zero, as trained ones are."""
    network = networks["fcn_vgg"]
    for layer in (network.score_pool4, network.score_pool3):
        nn.init.normal_(layer.weight, std=0.1)
        nn.init.normal_(layer.bias)
    return network


@pytest.mark.parametrize("name", ARGUMENTS)
def test_no_pixel_outside_the_theoretical_field_moves_the_score(networks, image, name):
    network = networks[name]
    network.double()
    try:
        stride = network.stride
        row, column = SIZE[0] // stride // 2, SIZE[1] // stride // 2
        field = why.effective_field(Asked(network, image.double(), 1, row, column))
    finally:
        network.float()
    box = why.theoretical_field(Asked(network, image, 1, row, column)).clipped(SIZE[1], SIZE[0])
    outside = field.clone()
    outside[box.top : box.bottom, box.left : box.right] = 0
    assert field.sum() > 0
    assert outside.eq(0).all()


@pytest.mark.parametrize(
    ("architecture", "arguments", "side"),
    [
        # Without its last pooling: the sum of (k − 1)·jump over the layers, and 1.
        ("conv1x1_vgg", {"backbone": "vgg11"}, 134),
        ("conv1x1_vgg", {"backbone": "vgg16"}, 196),
    ],
)
def test_the_theoretical_field_is_as_large_as_the_formula_says(architecture, arguments, side):
    network = build(architecture, num_classes=2, **arguments).eval()
    field = jump = 1
    for layer in network.backbone:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            kernel = layer.kernel_size[0] if isinstance(layer, nn.Conv2d) else layer.kernel_size
            field += (kernel - 1) * jump
            jump *= layer.stride if isinstance(layer, nn.MaxPool2d) else 1
    box = why.theoretical_field(Asked(network, torch.empty(0), 0, 3, 5))
    assert box.size == (field, field) == (side, side)
    # It stands round the cell's own 16 pixels.
    assert (box.left + box.right) / 2 == 5 * 16 + 8 and (box.top + box.bottom) / 2 == 3 * 16 + 8


def test_all_pixels_of_the_theoretical_field_can_count():
    network = build("conv1x1_vgg", num_classes=2, backbone="vgg11").eval()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.01)
    asked = Asked(network, torch.rand(3, 192, 192), 0, 6, 6)
    field, box = why.effective_field(asked), why.theoretical_field(asked)
    seen = field.nonzero()
    # Of a pooling's four pixels the gradient goes through the largest alone, so the edge may lie a few pixels inside.
    assert torch.tensor([box.top, box.left]).sub(seen.min(0).values).abs().max() <= 16
    assert torch.tensor([box.bottom, box.right]).sub(seen.max(0).values).abs().max() <= 17


def test_the_square_that_holds_a_share_is_found():
    field = torch.zeros(41, 61)
    field[18:23, 28:33] = 1
    assert why.share_box(field, 1.0) == why.Box(28, 18, 33, 23)
    assert why.share_box(field, 0.3) == why.Box(29, 19, 32, 22)  # 9 of 25 pixels


@pytest.mark.parametrize("name", ONE_LAYER)
def test_what_the_channels_say_adds_up_with_the_bias_to_the_score(networks, image, name):
    network = networks[name]
    nn.init.normal_(network.score_layer.bias)
    stride = network.stride
    for class_index, row, column in ((0, 0, 0), (2, (SIZE[0] - 1) // stride, (SIZE[1] - 1) // stride)):
        found = why.contributions(Asked(network, image, class_index, row, column))
        with torch.inference_mode():
            score = network.padded_score_map(image[None])[0, class_index, row, column]
        assert found.score == pytest.approx(float(score), abs=1e-5)
        assert found.total == pytest.approx(found.score, abs=1e-4)
        channels = found.largest(4)
        assert len(channels) == 4
        assert found.terms[channels].abs().min() >= found.terms.abs().sort(descending=True).values[3]


@pytest.mark.parametrize(("stride", "paths"), [(8, ["fc7", "pool4", "pool3"]), (16, ["fc7", "pool4"]), (32, ["fc7"])])
def test_the_paths_add_up_to_the_score(networks, image, stride, paths):
    network = copy.copy(fcn(networks))
    network.stride = stride
    found = why.path_shares(Asked(network, image, 1, 1, 1))
    with torch.inference_mode():
        wanted = float(network.padded_score_map(image[None])[0, 1, 1, 1])
    assert list(found.parts) == paths
    assert all(abs(part) > 1e-4 for part in found.parts.values())
    assert found.score == pytest.approx(wanted, abs=1e-5)
    assert sum(found.parts.values()) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("name", ONE_LAYER)
def test_grad_cam_is_the_cam_without_the_bias_up_to_the_number_of_cells(networks, image, name):
    network = networks[name]
    nn.init.normal_(network.score_layer.bias)
    found = why.grad_cam(Asked(network, image, 2))
    with torch.inference_mode():
        scores = network.padded_score_map(image[None])[0, 2]
    assert found.factor == scores.numel()
    assert found.difference < 1e-4
    torch.testing.assert_close(found.grad_cam * found.factor, found.cam, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found.cam + network.score_layer.bias[2].detach(), scores, rtol=1e-4, atol=1e-5)


def test_grad_cam_is_what_a_backward_pass_through_the_classifier_gives(networks, image):
    """By torch alone: hooks, `backward`, the mean gradient of each channel, a weighted sum."""
    network = networks["conv1x1_vgg"]
    padded = torch.nn.functional.pad(image[None], (0, -SIZE[1] % 16, 0, -SIZE[0] % 16), mode="replicate")
    features = network.backbone(padded)
    features.retain_grad()
    network.score(features).mean((2, 3))[0, 1].backward()
    wanted = (features.grad.mean((2, 3), keepdim=True) * features).sum(1)[0]
    torch.testing.assert_close(why.grad_cam(Asked(network, image, 1)).grad_cam, wanted.detach(), rtol=1e-4, atol=1e-6)
    network.zero_grad()


def test_an_fcn_adds_up_several_layers_and_says_so(networks):
    assert networks["fcn_vgg"].score_layer is None


def test_no_hook_stays_on_a_network(networks, image):
    asked = Asked(networks["taught_vgg"], image, 0)
    why.grad_cam(asked)
    why.contributions(asked)
    assert not any(layer._forward_pre_hooks for layer in networks["taught_vgg"].modules())


def test_a_grey_square_hides_what_is_under_it_and_nothing_else(image):
    hidden = why.occlude(image, why.Box(-5, 40, 20, 200))
    assert hidden[:, 40:, :20].eq(0).all()
    changed = (hidden != image).any(0).nonzero()
    assert changed[:, 0].min() == 40 and changed[:, 1].max() == 19
    assert image[:, 45, 5].ne(0).all()  # the original is left


def test_what_is_hidden_outside_a_cell_s_field_leaves_its_score_and_inside_it_moves_it(networks):
    network = networks["conv1x1_vgg"]
    wide = torch.randn(3, 64, 512, generator=torch.Generator().manual_seed(2))
    asked = Asked(network, wide, 1, 1, 3)
    before, box = why.score(asked), why.theoretical_field(asked)
    far = why.occlude(wide, why.Box(box.right, 0, 512, 64))
    near = why.occlude(wide, why.Box(48, 16, 64, 32))
    assert why.score(replace(asked, image=far)) == pytest.approx(before, abs=1e-5)
    assert abs(why.score(replace(asked, image=near)) - before) > 1e-5
