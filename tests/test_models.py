"""What every architecture must do; a new one is a line of CASES."""

import copy
from dataclasses import dataclass, replace

import gradio as gr
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter, ImageOps
from torch import nn

from segdemo.checkpoints import load, save
from segdemo.metadata import Metadata
from segdemo.models import ARCHITECTURES, SegmentationNetwork, build
from segdemo.models.alignment import Shift
from segdemo.segmenter import Segmenter


@dataclass(frozen=True)
class Case:
    """A network to test.

    Attributes:
        architecture: A key of ARCHITECTURES.
        arguments: What its builder takes; no dropout, so that training is repeatable.
        encoder: The attribute that is frozen when only the rest is to learn.
        idle: Parts whose weights the output does not use.
    """

    architecture: str
    arguments: dict[str, object]
    encoder: str
    idle: tuple[str, ...] = ()


FCN = {"backbone": "vgg11_bn", "num_classes": 3, "fc_width": 8, "fc_kernel": 1, "dropout": 0.0}
SKIPS = ("score_pool3", "upscore_pool4")
CASES = {
    "conv1x1_vgg": Case("conv1x1_vgg", {"backbone": "vgg11_bn", "num_classes": 3}, "backbone"),
    "conv1x1_resnet": Case("conv1x1_resnet", {"backbone": "resnet18", "num_classes": 3}, "backbone"),
    "unet_vgg": Case("unet_vgg", {"backbone": "vgg11_bn", "num_classes": 3, "widths": (16, 16, 8, 8, 8)}, "stages"),
    "taught_vgg": Case("taught_vgg", {"backbone": "vgg11_bn", "num_classes": 3}, "stages"),
    "dense_vgg": Case("dense_vgg", {"backbone": "vgg11_bn", "num_classes": 3}, "features"),
    "fcn_resnet": Case("fcn_resnet", {"backbone": "fcn_resnet50", "num_classes": 3}, "backbone"),
    "fcn8s": Case("fcn_vgg", FCN | {"stride": 8}, "stages", ("upscore32", "upscore16")),
    "fcn16s": Case("fcn_vgg", FCN | {"stride": 16}, "stages", (*SKIPS, "upscore32", "upscore8")),
    "fcn32s": Case(
        "fcn_vgg",
        FCN | {"stride": 32},
        "stages",
        (*SKIPS, "score_pool4", "upscore_fc7", "upscore16", "upscore8"),
    ),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def case(request):
    return request.param


@pytest.fixture(scope="module")
def shared_network(case):
    torch.manual_seed(0)
    return build(case.architecture, **case.arguments).eval()


@pytest.fixture
def network(shared_network):
    return copy.deepcopy(shared_network)


def used_parameters(network, case):
    """Give those that the network's own output depends on, by name."""
    return {name: p for name, p in network.named_parameters() if name.split(".")[0] not in case.idle}


def has_shift(network):
    return any(isinstance(layer, Shift) for layer in network.modules())


def running_statistics(module):
    """Copy what BatchNorm has counted so far."""
    return {name: buffer.clone() for name, buffer in module.named_buffers()}


def test_every_architecture_has_a_case():
    assert {case.architecture for case in CASES.values()} == set(ARCHITECTURES)


@torch.no_grad()
@pytest.mark.parametrize("size", [(1, 1), (31, 33), (32, 64), (45, 70)])
def test_scores_have_the_size_of_the_image(shared_network, size):
    assert shared_network(torch.randn(2, 3, *size)).shape == (2, 3, *size)


@torch.no_grad()
def test_the_score_map_has_a_cell_for_each_stride_begun(shared_network):
    stride = shared_network.stride
    score_map, _ = shared_network.forward_with_map(torch.randn(1, 3, 33, 65))
    assert score_map.shape == (1, 3, -(-33 // stride), -(-65 // stride))


def test_the_padding_fits_the_stride(shared_network):
    assert isinstance(shared_network, SegmentationNetwork)
    assert shared_network.size_multiple % shared_network.stride == 0


@pytest.mark.parametrize("upright", [False, True], ids=["across", "down"])
@pytest.mark.parametrize("width", [1024, 1001])
def test_a_cell_is_drawn_where_it_looks(network, width, upright):
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())  # so that nothing cancels and no ReLU closes
        elif isinstance(layer, nn.MaxPool2d):  # a mean over the same window looks at all of it
            network.set_submodule(name, nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding))
    image = torch.ones(1, 3, 32, width, requires_grad=True)
    block = 32 // network.stride  # the cells over 32 pixels: some see farther to their left, others to their right
    first = width // 64 * block
    cells = network.padded_score_map(image.mT).mT if upright else network.padded_score_map(image)
    cells[..., first : first + block].sum().backward()
    seen = image.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    assert seen[0] > 0 and seen[-1] < width - 1
    centre = (int(seen[0]) + int(seen[-1]) + 1) / 2
    # A window of an odd number of pixels has its centre in the middle of one, and cells end at the edges of pixels.
    assert abs((first + block / 2) * network.stride - centre) <= (0.5 if has_shift(network) else 0)


@torch.no_grad()
def test_a_mirrored_photo_has_the_mirrored_map(network):
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.weight.copy_((layer.weight + layer.weight.flip(3)) / 2)
    images = torch.randn(1, 3, 32, 1024)
    mirrored = network.score_map(images.flip(3)).flip(3)
    # Half a pixel off from the left and half a pixel off from the right are a pixel, and the edge of the photo moves.
    plain = network.score_map(images.roll(int(has_shift(network)), 3))
    inner = slice(512 // network.stride - 1, 512 // network.stride + 1) if has_shift(network) else slice(None)
    torch.testing.assert_close(mirrored[..., inner], plain[..., inner], rtol=1e-3, atol=1e-4)
    assert mirrored.std(3).max() > 1e-3


@torch.no_grad()
def test_a_photo_mirrored_and_mirrored_back_gets_the_same_map(network, case):
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.weight.copy_((layer.weight + layer.weight.flip(3)) / 2)
    look = {"classes": ("a", "b", "c"), "colours": ("#000000", "#ff0000", "#00ff00")}
    metadata = Metadata(case.architecture, {}, mean=(0.5,) * 3, std=(0.25,) * 3, analysis_size=256, **look)
    segmenter = Segmenter("any", network, metadata, torch.device("cpu"))
    photo = Image.open(gr.get_image("lion.jpg")).convert("RGB").resize((512, 384)).filter(ImageFilter.GaussianBlur(8))
    plain, mirrored = (_balanced(segmenter(each)).class_map() for each in (photo, ImageOps.mirror(photo)))
    assert (plain == mirrored[:, ::-1]).mean() > 0.97
    assert (plain == mirrored).mean() < 0.9


def _balanced(segmentation):
    """Let each class win somewhere: random weights give almost all to one."""
    deviation, mean = torch.std_mean(segmentation.scores, (1, 2), keepdim=True)
    return replace(segmentation, scores=(segmentation.scores - mean) / deviation)


@torch.no_grad()
def test_a_network_that_interpolates_may_be_interpolated_by_others(shared_network):
    if shared_network.interpolates:
        score_map, scores = shared_network.forward_with_map(torch.randn(1, 3, 64, 96))
        torch.testing.assert_close(F.interpolate(score_map, (64, 96), mode="bilinear"), scores, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_the_score_map_alone_is_that_of_the_whole_pass(shared_network):
    images = torch.randn(1, 3, 33, 70)
    torch.testing.assert_close(shared_network.padded_score_map(images), shared_network.forward_with_map(images)[0])


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scores_have_the_dtype_of_weights_and_image(network, dtype):
    scores = network.to(dtype)(torch.randn(1, 3, 32, 32, dtype=dtype))
    assert scores.dtype == dtype
    assert scores.isfinite().all()


@torch.no_grad()
def test_two_passes_in_eval_agree_and_change_nothing(network):
    images = torch.randn(2, 3, 40, 33)
    before = running_statistics(network)
    network.train().eval()
    assert torch.equal(network(images), network(images))
    assert all(torch.equal(buffer, before[name]) for name, buffer in network.named_buffers())


@torch.no_grad()
def test_an_image_scores_the_same_alone_and_in_a_batch(shared_network):
    images = torch.randn(3, 3, 32, 48)
    alone = torch.cat([shared_network(image[None]) for image in images])
    torch.testing.assert_close(shared_network(images), alone, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_the_scores_depend_on_the_image(shared_network):
    first, second = shared_network(torch.randn(2, 3, 32, 32))
    assert not torch.allclose(first, second)


def test_gradients_reach_every_parameter_of_the_output(network, case):
    network.train()(torch.randn(2, 3, 64, 64)).square().mean().backward()
    used = used_parameters(network, case)
    for name, parameter in network.named_parameters():
        if name in used:
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
            assert parameter.ndim == 1 or parameter.grad.ne(0).any(), name
        else:
            assert parameter.grad is None, name


def test_a_frozen_encoder_neither_learns_nor_counts(network, case):
    encoder = getattr(network, case.encoder)
    before = running_statistics(encoder)
    encoder.requires_grad_(False)
    network.train()
    encoder.eval()
    network(torch.randn(2, 3, 64, 64)).square().mean().backward()
    assert all(parameter.grad is None for parameter in encoder.parameters())
    assert all(torch.equal(buffer, before[name]) for name, buffer in encoder.named_buffers())
    rest = [p for name, p in used_parameters(network, case).items() if not name.startswith(case.encoder)]
    assert rest
    assert all(parameter.grad is not None for parameter in rest)


@torch.no_grad()
def test_a_checkpoint_brings_the_network_back(network, case, tmp_path):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    path = tmp_path / "network.safetensors"
    colours = ("#000000", "#111111", "#222222")
    save(path, network, Metadata(case.architecture, case.arguments, ("a", "b", "c"), colours, (0,) * 3, (1,) * 3, 128))
    loaded, _ = load(path)
    restored = loaded.state_dict()
    assert restored.keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        kept = tensor.half().float() if tensor.ndim > 1 else tensor
        assert restored[name].dtype == tensor.dtype, name
        assert torch.equal(restored[name], kept), name
        tensor.copy_(kept)
    images = torch.randn(1, 3, 40, 50)
    torch.testing.assert_close(loaded(images), network(images))


def test_an_unknown_architecture_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="unknown architecture 'fcn': choose from conv1x1_vgg, "):
        build("fcn")


@pytest.mark.parametrize("arguments", [{}, {"backbone": "vgg11"}, {"backbone": "vgg11", "num_classes": 3, "depth": 1}])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_arguments_that_do_not_fit_are_refused_by_name(architecture, arguments):
    with pytest.raises(ValueError, match=f"{architecture}: .*argument"):
        build(architecture, **arguments)
