"""A Linear layer and the conv made from it compute the same numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segdemo.models.convolutionize import convolutionize


@pytest.mark.parametrize("kernel_size", [1, 3, 7])
def test_whole_weight_and_bias_are_copied(kernel_size):
    linear = nn.Linear(5 * kernel_size**2, 4)
    conv = convolutionize(linear, kernel_size)
    assert conv.weight.shape == (4, 5, kernel_size, kernel_size)
    assert torch.equal(conv.weight.flatten(1), linear.weight)
    assert torch.equal(conv.bias, linear.bias)


@pytest.mark.parametrize("kernel_size", [1, 7])
def test_the_conv_has_storage_of_its_own(kernel_size):
    linear = nn.Linear(2 * kernel_size**2, 3)
    conv = convolutionize(linear, kernel_size)
    assert conv.weight.data_ptr() != linear.weight.data_ptr()
    assert conv.bias.data_ptr() != linear.bias.data_ptr()


@pytest.mark.parametrize("kernel_size", [1, 7])
def test_a_map_through_the_conv_equals_it_flattened_through_the_linear(kernel_size):
    linear = nn.Linear(6 * kernel_size**2, 10)
    features = torch.randn(2, 6, kernel_size, kernel_size)
    scores = convolutionize(linear, kernel_size)(features)
    assert scores.shape == (2, 10, 1, 1)
    torch.testing.assert_close(scores.flatten(1), linear(features.flatten(1)), rtol=1e-4, atol=1e-5)


def test_on_a_larger_map_each_cell_is_the_linear_on_its_window():
    linear = nn.Linear(4 * 9, 5)
    features = torch.randn(1, 4, 6, 8)
    windows = F.unfold(features, 3).transpose(1, 2)
    wanted = linear(windows).transpose(1, 2).view(1, 5, 4, 6)
    torch.testing.assert_close(convolutionize(linear, 3)(features), wanted)


def test_vgg16s_fc6_becomes_a_7_by_7_conv_on_512_channels():
    linear = nn.Linear(512 * 7 * 7, 16)
    conv = convolutionize(linear, 7)
    assert (conv.in_channels, conv.out_channels, conv.kernel_size) == (512, 16, (7, 7))
    assert torch.equal(conv.weight, linear.weight.view(16, 512, 7, 7))


def test_the_conv_adds_no_stride_and_no_padding():
    conv = convolutionize(nn.Linear(9, 1), 3)
    assert (conv.stride, conv.padding, conv.dilation, conv.groups) == ((1, 1), (0, 0), (1, 1), 1)


def test_a_linear_without_bias_gives_a_conv_without_bias():
    assert convolutionize(nn.Linear(4, 3, bias=False)).bias is None


def test_training_the_conv_leaves_the_linear_unchanged():
    linear = nn.Linear(8, 3)
    before = {name: tensor.clone() for name, tensor in linear.state_dict().items()}
    conv = convolutionize(linear)
    conv(torch.randn(1, 8, 4, 4)).square().sum().backward()
    torch.optim.SGD(conv.parameters(), 1.0).step()
    assert all(parameter.grad is None for parameter in linear.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in linear.state_dict().items())
    assert not torch.equal(conv.weight.flatten(1), linear.weight)


def test_the_dtype_is_the_linears():
    assert convolutionize(nn.Linear(4, 3).double()).bias.dtype == torch.float64


@pytest.mark.parametrize(("inputs", "kernel_size"), [(10, 3), (512, 7), (4, 3), (48, 7)])
def test_inputs_that_are_no_whole_maps_are_refused(inputs, kernel_size):
    with pytest.raises(ValueError, match=f"{inputs} inputs are no whole number of {kernel_size}×{kernel_size} maps"):
        convolutionize(nn.Linear(inputs, 3), kernel_size)
