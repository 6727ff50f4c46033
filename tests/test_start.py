"""Starts: ImageNet's features rescaled, as BatchNorm, and what cannot be started from."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from segdemo.models import build
from segdemo.models.backbones import vgg_features
from segdemo.training.start import (
    StartError,
    fill_backbone,
    is_checkpoint,
    read_features,
    rescale_,
    starting_layers,
    with_batch_norm,
)


def grown_features():
    """Make VGG16's layers with biases, whose values grow as the trained ones' do."""
    features = vgg_features("vgg16")
    with torch.no_grad():
        for layer in features:
            if isinstance(layer, nn.Conv2d):
                layer.weight.mul_(1.5)
                layer.bias.normal_(std=0.3)
    return features.eval()


def test_rescaled_features_are_the_same_up_to_one_factor():
    features, images = grown_features(), torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        before = features(images)
        factor = rescale_(features, images)
        after = features(images)
    assert factor > 5
    torch.testing.assert_close(after * factor, before, rtol=1e-3, atol=1e-3 * before.abs().max().item())


def test_each_rescaled_conv_gives_an_rms_of_one():
    features, values = grown_features(), torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        rescale_(features, values.clone())
        for layer in features:
            values = layer(values)
            if isinstance(layer, nn.Conv2d):
                assert values.square().mean().sqrt().item() == pytest.approx(1, abs=1e-3)


def test_the_batch_norm_changes_nothing_in_eval_mode():
    features, images = grown_features(), torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        rescale_(features, images)
        normed = with_batch_norm(features, images).eval()
        torch.testing.assert_close(normed(images), features(images), rtol=1e-3, atol=1e-4)
        normed.train()
        torch.testing.assert_close(normed(images), features(images), rtol=2e-2, atol=2e-2)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in normed) == 13
    assert normed[0].weight.data_ptr() != features[0].weight.data_ptr()


@pytest.mark.parametrize("architecture", ["fcn_vgg", "unet_vgg"])
def test_a_backbone_computes_what_the_features_do(architecture):
    features, images = grown_features(), torch.randn(2, 3, 64, 64)
    arguments = {"fcn_vgg": {"backbone": "vgg16", "fc_width": 8, "fc_kernel": 1}, "unet_vgg": {"backbone": "vgg16_bn"}}
    network = build(architecture, **arguments[architecture], num_classes=2).eval()
    with torch.no_grad():
        rescale_(features, images)
        layers = features if architecture == "fcn_vgg" else with_batch_norm(features, images)
        fill_backbone(network, layers)
        values = images
        for stage in network.stages:
            values = stage(values)
        torch.testing.assert_close(values, features(images), rtol=1e-3, atol=1e-4)


def write_features(path, features):
    save_file({f"features.{k}": v.half() for k, v in features.state_dict().items()}, path)


def test_a_file_of_features_is_taken_with_its_own_scale(tmp_path):
    path = tmp_path / "features.safetensors"
    features = grown_features()
    write_features(path, features)
    read = read_features(str(path)).network()
    photo = torch.rand(1, 3, 32, 32) - 0.5
    with torch.no_grad():
        wanted = features.half().float()(photo * 255)  # VGG16's own input, less the mean
        torch.testing.assert_close(read(photo / 0.25), wanted, rtol=1e-3, atol=1e-2 * wanted.abs().max().item())
    layers, told = starting_layers(str(path), torch.randn(2, 3, 32, 32))
    assert "features.safetensors (sha256 " in told
    assert len(layers) == 31


@pytest.mark.parametrize(
    "content", [None, b"nothing", {"features.0.weight": torch.zeros(1)}], ids=["missing", "damaged", "another network"]
)
def test_what_is_no_start_is_said(tmp_path, content):
    path = tmp_path / "start.safetensors"
    if isinstance(content, dict):
        save_file(content, path)
    elif content:
        path.write_bytes(content)
    assert not is_checkpoint(path)
    with pytest.raises(StartError, match=r"start\.safetensors"):
        read_features(str(path))
