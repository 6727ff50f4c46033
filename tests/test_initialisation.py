"""He's and the bilinear start."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segdemo.models.initialisation import bilinear_, bilinear_kernel, he_


@pytest.mark.parametrize(
    ("layer", "fan_in"),
    [
        (nn.Conv2d(64, 128, 3), 64 * 9),
        (nn.Linear(512, 128), 512),
        (nn.ConvTranspose2d(64, 128, 4), 64 * 16),
        (nn.ConvTranspose2d(64, 128, 4, stride=2), 64 * 4),
        (nn.ConvTranspose2d(128, 128, 2, stride=2), 128),
    ],
    ids=lambda value: type(value).__name__,
)
def test_he_draws_with_the_std_that_the_fan_in_asks_for(layer, fan_in):
    he_(layer)
    assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.03)
    assert abs(layer.weight.mean().item()) < 0.03 * (2 / fan_in) ** 0.5


@torch.no_grad()
@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (4, 2), (3, 1)])
def test_he_keeps_the_mean_square_through_relu_and_transposed_conv(kernel, stride):
    layer = he_(nn.ConvTranspose2d(256, 256, kernel, stride))
    signal = torch.randn(4, 256, 12, 12)
    after = layer(F.relu(signal))[..., kernel:-kernel, kernel:-kernel]
    assert after.square().mean().item() == pytest.approx(signal.square().mean().item(), rel=0.1)


def test_he_makes_every_bias_zero_and_batchnorm_the_identity():
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ConvTranspose2d(4, 4, 2), nn.Linear(4, 4))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(7)
    he_(module)
    assert all(layer.bias.eq(0).all() for layer in module)
    assert module[1].weight.eq(1).all()
    assert not any(layer.weight.eq(7).any() for layer in module)


def test_he_takes_layers_without_a_bias():
    assert he_(nn.Conv2d(3, 4, 1, bias=False)).bias is None


def test_he_changes_only_the_module_handed_in():
    model = nn.ModuleDict({"encoder": nn.Conv2d(3, 4, 1), "decoder": nn.Conv2d(4, 3, 1)})
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert he_(model["decoder"]) is model["decoder"]
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"decoder.weight", "decoder.bias"}


def test_the_bilinear_kernel_is_a_tent():
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    torch.testing.assert_close(bilinear_kernel(4), torch.outer(tent, tent))


def test_the_bilinear_kernel_of_odd_size_peaks_on_a_cell():
    tent = torch.tensor([0.5, 1, 0.5])
    torch.testing.assert_close(bilinear_kernel(3), torch.outer(tent, tent))


@pytest.mark.parametrize("kernel_size", [*range(1, 10), 16, 31, 32, 63, 64])
def test_a_constant_map_stays_constant_and_a_ramp_a_ramp_by_the_bilinear_kernel(kernel_size):
    stride = (kernel_size + 1) // 2
    ramp = torch.arange(8.0).expand(8, 8)
    for values, step in ((torch.ones(8, 8), 0), (ramp, 1 / stride), (ramp.T, 0)):
        upsampled = F.conv_transpose2d(values[None, None], bilinear_kernel(kernel_size)[None, None], stride=stride)
        inside = upsampled[0, 0, 2 * stride : -2 * stride, 2 * stride : -2 * stride]
        torch.testing.assert_close(inside.diff(dim=1), torch.full_like(inside, step)[:, 1:], rtol=0, atol=1e-5)
        torch.testing.assert_close(inside.mean(), values.mean(), rtol=0.1, atol=0)
    assert bilinear_kernel(kernel_size).sum() == pytest.approx(stride**2)


def test_bilinear_joins_each_class_to_itself_alone():
    layer = bilinear_(nn.ConvTranspose2d(3, 3, 4, 2, padding=1, bias=False))
    torch.testing.assert_close(layer.weight, torch.eye(3)[:, :, None, None] * bilinear_kernel(4))


def test_bilinear_interpolates_away_from_the_border():
    layer = bilinear_(nn.ConvTranspose2d(2, 2, 8, 4, padding=2, bias=False))
    scores = torch.randn(1, 2, 5, 6)
    wanted = F.interpolate(scores, scale_factor=4, mode="bilinear", align_corners=False)
    torch.testing.assert_close(layer(scores)[..., 4:-4, 4:-4], wanted[..., 4:-4, 4:-4])
