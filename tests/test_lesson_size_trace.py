"""The size trace, against hooks on the real networks."""

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from segdemo import catalog
from segdemo.lessons.size_trace import conv_size, shell, size_trace, transposed_size

SMALL_FCN = {"backbone": "vgg11_bn", "num_classes": 3, "fc_width": 8, "fc_kernel": 7}
NETWORKS = {
    "fcn8s": ("fcn_vgg", SMALL_FCN | {"stride": 8}),
    "fcn32s": ("fcn_vgg", SMALL_FCN | {"stride": 32}),
    "conv1x1_vgg": ("conv1x1_vgg", {"backbone": "vgg11", "num_classes": 3}),
    "conv1x1_resnet": ("conv1x1_resnet", {"backbone": "resnet18", "num_classes": 3}),
    "unet": ("unet_vgg", {"backbone": "vgg11_bn", "num_classes": 3, "widths": (8,) * 5}),
}


def real_sizes(network, height, width):
    """Run a network for real and note what each layer puts out."""
    sizes = {}
    layers = (nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d)
    for name, layer in network.named_modules():
        if isinstance(layer, layers):
            layer.register_forward_hook(lambda _, __, output, name=name: sizes.update({name: tuple(output.shape[1:])}))
    with torch.no_grad():
        network(torch.zeros(1, 3, height, width))
    return sizes


@pytest.mark.parametrize("name", NETWORKS)
def test_every_size_is_that_of_the_real_network(name):
    architecture, arguments = NETWORKS[name]
    empty = shell(architecture, arguments)
    from segdemo.models import build  # noqa: PLC0415 - the real one, beside the empty one

    real = build(architecture, **arguments).eval()
    draw = random.Random(name)
    for _ in range(20):
        height, width = draw.randint(1, 90), draw.randint(1, 90)
        rows = size_trace(empty, height, width)
        found = {row.name: (row.channels, *row.after) for row in rows if row.kernel}
        assert found == real_sizes(real, height, width)
        assert rows[0].before == rows[-1].after == (height, width)
        for row in rows[1:-1]:
            assert row.formula.endswith(f"= {row.after[0]}")


@given(*(st.integers(1, 40) for _ in range(1)), st.integers(1, 7), st.integers(1, 4), st.integers(0, 3))
def test_the_formulas_are_torchs(size, kernel, stride, padding):
    if size + 2 * padding >= kernel:
        layer = nn.Conv2d(1, 1, kernel, stride, padding)
        assert conv_size(size, kernel, stride, padding)[0] == layer(torch.zeros(1, 1, size, size)).shape[-1]
    if (size - 1) * stride - 2 * padding + kernel >= 1:
        layer = nn.ConvTranspose2d(1, 1, kernel, stride, padding)
        assert transposed_size(size, kernel, stride, padding)[0] == layer(torch.zeros(1, 1, size, size)).shape[-1]


def test_vgg16_s_receptive_fields_are_the_known_ones():
    rows = {row.name: row for row in size_trace(shell("fcn_vgg", {"backbone": "vgg16", "num_classes": 3}), 224, 224)}
    pools = [row.receptive_field for row in rows.values() if row.kind == "max pool"]
    assert pools == [6, 16, 44, 100, 212]
    assert rows["head.0"].receptive_field == 404  # FC6, 7×7: as Long et al. give it
    assert rows["score_pool4"].receptive_field is None


def test_a_receptive_field_is_what_a_pixel_can_reach():
    """Move each pixel of a row and see which cells change: no more than the field says, and the field's ends do."""
    network, _ = NETWORKS["conv1x1_vgg"], None
    row = [r for r in size_trace(shell(*network), 160, 160) if r.receptive_field][-1]
    from segdemo.models import build  # noqa: PLC0415

    real = build(network[0], **network[1]).double().eval()
    base = torch.rand(1, 3, 480, 480, dtype=torch.float64, requires_grad=True)
    real.score_map(base)[0, 0, 15, 15].backward()
    touched = base.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    assert touched.max() - touched.min() + 1 <= row.receptive_field
    assert row.receptive_field == 134
    assert touched.max() - touched.min() + 1 > 100


def test_multiply_adds_and_parameters_are_counted():
    rows = {row.name: row for row in size_trace(shell("conv1x1_vgg", NETWORKS["conv1x1_vgg"][1]), 32, 48)}
    first = rows["backbone.0"]
    assert (first.parameters, first.multiply_adds) == (3 * 64 * 9 + 64, 3 * 64 * 9 * 32 * 48)
    assert rows["score"].multiply_adds == 512 * 3 * 2 * 3
    assert sum(row.parameters for row in rows.values()) == sum(
        parameter.numel() for parameter in shell("conv1x1_vgg", NETWORKS["conv1x1_vgg"][1]).parameters()
    )


@pytest.mark.parametrize("name", catalog.ENTRIES)
def test_every_network_of_the_catalog_can_be_traced_without_its_weights(name):
    metadata = catalog.find(name).metadata
    arguments = catalog.find(name).arguments
    rows = size_trace(shell(metadata.architecture, metadata.arguments | arguments), 333, 500)
    assert rows[-1].after == (333, 500)
    assert sum(row.multiply_adds for row in rows) > 1e9
