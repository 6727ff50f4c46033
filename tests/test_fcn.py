"""FCN-32s, 16s and 8s from one set of weights."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segdemo.models import build
from segdemo.models.blocks import InBlocks
from segdemo.models.fcn import FCN, STRIDES, Upscore, fc_head, fcn_vgg
from segdemo.models.initialisation import bilinear_

SIZES = [(1, 1), (31, 31), (32, 32), (33, 33), (333, 500)]


def thin_fcn(stride=8, num_classes=3):
    """Make an FCN whose stages are one 1×1 conv each, so that photos of full size are fast."""
    widths = (3, 4, 4, 256, 512, 512)
    stages = [nn.Sequential(nn.Conv2d(i, o, 1), nn.ReLU(), nn.MaxPool2d(2)) for i, o in pairwise(widths)]
    return FCN(stages, fc_head(8, 1, 0.0), 8, num_classes, stride).eval()


def with_skips(network):
    """Give the skips, which start at zero, something to say."""
    for conv in (network.score_pool4, network.score_pool3):
        nn.init.normal_(conv.weight, std=0.1)
        nn.init.normal_(conv.bias)
    return network


def bare_upscore(stride):
    """Make the transposed conv without the extended border."""
    return bilinear_(nn.ConvTranspose2d(1, 1, 2 * stride, stride, padding=stride // 2, bias=False))


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stride", STRIDES)
def test_scores_have_the_size_of_the_image(stride, size):
    network = thin_fcn(stride)
    images = torch.rand(1, 3, *size)
    assert network(images).shape == (1, 3, *size)
    every = {output: scores.shape for output, scores in network.forward_all(images).items()}
    assert every == dict.fromkeys(STRIDES, (1, 3, *size))


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stride", STRIDES)
def test_the_score_map_has_a_cell_for_each_stride_begun(stride, size):
    score_map, _ = thin_fcn(stride).forward_with_map(torch.rand(1, 3, *size))
    assert score_map.shape == (1, 3, -(-size[0] // stride), -(-size[1] // stride))


@torch.no_grad()
@pytest.mark.parametrize(("size", "returned"), [(500, 480), (333, 320), (33, 32), (32, 32)])
def test_without_padding_the_paper_s_transposed_conv_returns_a_smaller_picture(size, returned):
    chain = nn.Sequential(*[nn.MaxPool2d(2) for _ in range(5)], nn.ConvTranspose2d(1, 1, 64, 32, padding=16))
    assert chain(torch.rand(1, 1, size, size)).shape == (1, 1, returned, returned)
    assert returned == 32 * (size // 32)


def test_the_transposed_convs_are_the_papers():
    network = thin_fcn()
    shapes = {
        name: (layer.kernel_size[0], layer.stride[0], layer.padding[0])
        for name, layer in network.named_modules()
        if isinstance(layer, nn.ConvTranspose2d)
    }
    assert shapes == {
        "upscore_fc7.conv": (4, 2, 1),
        "upscore_pool4.conv": (4, 2, 1),
        "upscore32.conv": (64, 32, 16),
        "upscore16.conv": (32, 16, 8),
        "upscore8.conv": (16, 8, 4),
    }


@torch.no_grad()
@pytest.mark.parametrize("stride", [2, 8, 16, 32])
@pytest.mark.parametrize("size", [(1, 1), (3, 5)])
def test_upscore_starts_as_bilinear_interpolation_up_to_the_border(stride, size):
    scores = torch.randn(2, 3, *size)
    wanted = F.interpolate(scores, scale_factor=stride, mode="bilinear", align_corners=False)
    torch.testing.assert_close(Upscore(3, stride)(scores), wanted, rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("stride", [2, 8, 16, 32])
def test_upscore_keeps_a_constant_map_constant_at_edges_and_corners(stride):
    upsampled = Upscore(1, stride)(torch.ones(1, 1, 3, 4))
    torch.testing.assert_close(upsampled, torch.ones(1, 1, 3 * stride, 4 * stride))


@torch.no_grad()
@pytest.mark.parametrize("stride", [2, 8, 16, 32])
def test_the_bare_transposed_conv_fades_a_constant_map_at_edges_and_corners(stride):
    upsampled = bare_upscore(stride)(torch.ones(1, 1, 3, 3))[0, 0]
    middle, edge = 3 * stride // 2, 0.5 + 0.5 / stride  # 0.516 at stride 32
    assert upsampled[middle, middle].item() == pytest.approx(1)
    assert upsampled[0, middle].item() == pytest.approx(edge)
    assert upsampled[0, 0].item() == pytest.approx(edge**2)


def test_the_skips_start_at_zero_and_the_main_score_does_not():
    network = thin_fcn()
    for skip in (network.score_pool4, network.score_pool3):
        assert skip.weight.eq(0).all()
        assert skip.bias.eq(0).all()
    assert network.score.weight.std() > 0.1


@torch.no_grad()
def test_an_untrained_network_does_not_answer_all_background():
    images = torch.randn(1, 3, 64, 64)
    scores = torch.cat([thin_fcn()(images) for _ in range(8)])
    assert scores.std(1).min() > 0
    assert scores.argmax(1).unique().tolist() == [0, 1, 2]


@torch.no_grad()
def test_the_finer_outputs_start_as_the_coarsest_one_upsampled():
    network = thin_fcn()
    maps = network.score_maps(torch.randn(1, 3, 64, 96))
    wanted = F.interpolate(maps[32], scale_factor=2, mode="bilinear")
    torch.testing.assert_close(maps[16], wanted)
    torch.testing.assert_close(maps[8], F.interpolate(wanted, scale_factor=2, mode="bilinear"))


@torch.no_grad()
@pytest.mark.parametrize(("skip", "pool", "changed"), [("score_pool4", 3, {16, 8}), ("score_pool3", 2, {8})])
def test_a_skip_adds_its_own_pool_to_the_finer_outputs(skip, pool, changed):
    network = thin_fcn()
    images = torch.randn(1, 3, 64, 64)
    before = network.score_maps(images)
    nn.init.normal_(getattr(network, skip).weight)
    after = network.score_maps(images)
    assert {stride for stride in STRIDES if not torch.allclose(before[stride], after[stride])} == changed
    features = nn.Sequential(*network.stages[: pool + 1])(images)
    coarsest = max(changed)
    torch.testing.assert_close(
        after[coarsest] - before[coarsest], getattr(network, skip)(features), rtol=1e-4, atol=1e-5
    )


@torch.no_grad()
@pytest.mark.parametrize("stride", STRIDES)
def test_forward_is_the_output_of_the_chosen_stride(stride):
    network = with_skips(thin_fcn(stride))
    images = torch.randn(2, 3, 40, 70)
    every = network.forward_all(images)
    torch.testing.assert_close(network(images), every[stride])
    assert all(not torch.allclose(every[stride], every[other], atol=1e-3) for other in STRIDES if other != stride)


@torch.no_grad()
def test_the_three_outputs_share_one_set_of_weights():
    networks = {stride: with_skips(thin_fcn(stride)) for stride in STRIDES}
    images = torch.randn(1, 3, 33, 64)
    wanted = networks[8].forward_all(images)
    for stride, network in networks.items():
        network.load_state_dict(networks[8].state_dict())
        torch.testing.assert_close(network(images), wanted[stride])


@pytest.mark.parametrize("backbone", ["vgg11", "vgg16_bn"])
def test_joint_training_reaches_every_parameter(backbone):
    network = fcn_vgg(backbone, 3, fc_width=8, fc_kernel=1, dropout=0.0).train()
    outputs = network.forward_all(torch.randn(2, 3, 64, 64))
    F.cross_entropy(torch.cat(list(outputs.values())), torch.randint(3, (6, 64, 64))).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.ndim == 1 or parameter.grad.ne(0).any(), name


@torch.no_grad()
@pytest.mark.parametrize("backbone", ["vgg11", "vgg11_bn"])
@pytest.mark.parametrize("fc_kernel", [1, 7])
def test_plain_and_batchnorm_backbones_take_light_and_original_heads(backbone, fc_kernel):
    network = fcn_vgg(backbone, 4, fc_width=8, fc_kernel=fc_kernel).eval()
    assert network.head[0].kernel_size == (fc_kernel, fc_kernel)
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules()) == backbone.endswith("_bn")
    score_map, scores = network.forward_with_map(torch.rand(1, 3, 33, 65))
    assert (score_map.shape, scores.shape) == ((1, 4, 5, 9), (1, 4, 33, 65))


@pytest.mark.parametrize("kernel_size", [1, 3, 7])
def test_the_head_keeps_the_maps_size(kernel_size):
    assert fc_head(8, kernel_size, 0.5)(torch.rand(1, 512, 2, 5)).shape == (1, 8, 2, 5)


def test_the_builders_defaults_are_the_papers():
    with torch.device("meta"):
        network = fcn_vgg("vgg16", 21)
    assert network.stride == 8
    assert [tuple(layer.weight.shape) for layer in network.head if isinstance(layer, nn.Conv2d)] == [
        (4096, 512, 7, 7),
        (4096, 4096, 1, 1),
    ]
    assert [layer.p for layer in network.head if isinstance(layer, nn.Dropout)] == [0.5, 0.5]
    assert network.score.out_channels == 21


@pytest.mark.parametrize("stride", [0, 4, 64, "8"])
def test_a_wrong_stride_is_refused(stride):
    with pytest.raises(ValueError, match=f"stride 32, 16 or 8, not {stride}"):
        thin_fcn(stride)


def test_an_fcn_in_blocks_gives_the_same_scores(monkeypatch):
    monkeypatch.setattr("segdemo.models.fcn._LARGE", 40 * 96)
    monkeypatch.setattr("segdemo.models.fcn._SMALL", 16 * 96)
    network = build("fcn_vgg", backbone="vgg11", num_classes=3, fc_width=8, fc_kernel=1).eval()
    for skip in (network.score_pool4, network.score_pool3):
        nn.init.normal_(skip.weight, std=0.1)
    images = torch.randn(1, 3, 128, 96)
    with torch.inference_mode():
        whole = network.outputs(images)
        blocks = []
        assert network.run_in_blocks()
        for layer in network.modules():
            if isinstance(layer, InBlocks):
                layer.register_forward_hook(lambda layer, inputs, _: blocks.append(inputs[0][0, 0].numel()))
        for stride, outputs in network.outputs(images).items():
            for found, wanted in zip(outputs, whole[stride], strict=True):
                torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    assert 128 * 96 in blocks and len(blocks) > 8


def test_a_pass_gives_the_outputs_that_are_asked_for():
    network, images = with_skips(thin_fcn(8)), torch.randn(1, 3, 40, 64)
    assert list(network.outputs(images)) == [32, 16, 8]
    assert list(network.outputs(images, (16,))) == [16]
    torch.testing.assert_close(network.outputs(images, (16,))[16][1], network.forward_all(images)[16])
