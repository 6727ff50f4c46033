"""The U-Net and its encoder that may come from another network."""

import pytest
import torch
from torch import nn

from segdemo.models import build
from segdemo.models.backbones import split_at_max_pools, vgg_features
from segdemo.models.unet import WIDTHS, DecoderBlock, UNet, unet_vgg


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    return unet_vgg("vgg16_bn", 3)


def test_the_stages_end_where_vgg16_bn_pools(unet):
    # 6, 13, 23, 33 and 43 in the flat list of layers; the tutorial's slices are VGG13-BN's and still fit.
    lengths = torch.tensor([len(stage) for stage in unet.stages])
    assert lengths.cumsum(0).tolist() == [7, 14, 24, 34, 44]
    assert all(isinstance(stage[-1], nn.MaxPool2d) for stage in unet.stages)


def test_he_initialisation_leaves_the_encoder_as_it_came():
    stages = split_at_max_pools(vgg_features("vgg11_bn"))
    for stage in stages:
        for parameter in stage.parameters():
            nn.init.constant_(parameter, 0.123)
    network = UNet(stages, (16,) * 5, 3, 0.0)
    assert all(parameter.eq(0.123).all() for parameter in network.stages.parameters())


def test_the_decoder_s_convs_and_transposed_convs_are_drawn_by_he_and_their_biases_are_zero(unet):
    for name, layer in [*unet.decoder.named_modules(), ("score", unet.score)]:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            fan_in = layer.in_channels * layer.kernel_size[0] ** 2 / layer.stride[0] ** 2
            if layer.weight.numel() > 5000:
                assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.1), name
            assert layer.bias is None or layer.bias.eq(0).all(), name


@torch.no_grad()
@pytest.mark.parametrize("size", [(1, 1), (31, 32), (33, 100)])
def test_the_scores_are_made_at_the_image_s_own_size(size):
    network = build("unet_vgg", backbone="vgg11_bn", num_classes=3, widths=(16, 8, 8, 8, 8)).eval()
    score_map, scores = network.forward_with_map(torch.randn(1, 3, *size))
    assert score_map.shape == scores.shape == (1, 3, *size)
    assert torch.equal(score_map, scores)


@torch.no_grad()
def test_every_skip_reaches_the_scores():
    network = build("unet_vgg", backbone="vgg11_bn", num_classes=3, widths=(16, 8, 8, 8, 8)).eval()
    images = torch.randn(1, 3, 32, 32)
    wanted = network(images)
    for block in network.decoder:
        hook = block.register_forward_pre_hook(lambda _, inputs: (inputs[0], torch.zeros_like(inputs[1])))
        assert not torch.allclose(network(images), wanted)
        hook.remove()


def test_a_block_doubles_the_size():
    block = DecoderBlock(12, 6, 4)
    assert block(torch.randn(2, 12, 5, 3), torch.randn(2, 6, 10, 6)).shape == (2, 4, 10, 6)


def test_the_encoder_has_the_names_of_the_fcn_s_so_that_weights_can_be_transferred(unet):
    fcn = build("fcn_vgg", backbone="vgg16_bn", num_classes=3, fc_width=8, fc_kernel=1).state_dict()
    encoder = {name: tensor.shape for name, tensor in unet.state_dict().items() if name.startswith("stages.")}
    assert encoder == {name: tensor.shape for name, tensor in fcn.items() if name.startswith("stages.")}


def test_the_file_stays_below_fifty_megabytes(unet):
    assert sum(parameter.numel() for parameter in unet.parameters()) * 2 < 45e6
    assert len(WIDTHS) == 5
