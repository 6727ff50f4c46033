"""A network made ready for inference gives the same scores."""

import copy

import torch
from torch import nn

from segdemo.models import build
from segdemo.models.inference import fold_batch_norm


def test_folding_batch_norm_changes_no_score_and_leaves_no_batch_norm():
    network = build("fcn_vgg", backbone="vgg11_bn", num_classes=3, fc_width=8, fc_kernel=1).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.1, 0.1)
    folded = fold_batch_norm(copy.deepcopy(network))
    images = torch.randn(1, 3, 64, 40)
    with torch.inference_mode():
        torch.testing.assert_close(folded(images), network(images), rtol=1e-4, atol=1e-4)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in folded.modules())


def test_batch_norm_is_folded_into_a_resnets_blocks():
    network = build("conv1x1_resnet", backbone="resnet18", num_classes=3).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        wanted = network(images)
        folded = fold_batch_norm(copy.deepcopy(network))
        torch.testing.assert_close(folded(images), wanted, rtol=1e-3, atol=1e-3)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
