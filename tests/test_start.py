"""Starts: ImageNet's features rescaled, as BatchNorm, and what cannot be started from."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import get_model, get_model_weights

from segdemo.models import build
from segdemo.models.backbones import vgg_features, without_last_pool
from segdemo.models.classifier import from_resnet, resnet_classifier, vgg_classifier
from segdemo.training.start import (
    RANDOM,
    STD,
    TORCHVISION_TERMS,
    VGG_TERMS,
    StartError,
    fill_backbone,
    fill_from_torchvision,
    is_checkpoint,
    read_features,
    rescale_,
    starting_layers,
    starting_terms,
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
    read = read_features(str(path))[0]
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


@pytest.mark.parametrize(("name", "builder"), [("vgg11_bn", vgg_classifier), ("resnet18", resnet_classifier)])
def test_a_classifier_starts_from_torchvision_s_weights_for_its_own_photos(name, builder, monkeypatch):
    model = get_model(name).eval()
    weights = get_model_weights(name)["IMAGENET1K_V1"]
    monkeypatch.setattr(type(weights), "get_state_dict", lambda *_, **__: model.state_dict())
    classifier = builder(name, 4).eval()
    assert starting_terms(fill_from_torchvision(classifier, name)) == [TORCHVISION_TERMS]
    photo = torch.rand(1, 3, 64, 64)
    ours = (photo - 0.5) / torch.tensor(STD).view(3, 1, 1)
    theirs = (photo - 0.5) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    wanted = builder(name, 4).eval()
    source = from_resnet(model).backbone if name == "resnet18" else without_last_pool(model.features)
    wanted.backbone.load_state_dict(source.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(classifier.features(ours), wanted.features(theirs), rtol=1e-3, atol=1e-3)


def test_with_no_network_a_start_from_torchvision_is_one_sentence(monkeypatch):
    def offline(*_, **__):
        raise OSError("no route")

    weights = get_model_weights("resnet18")["IMAGENET1K_V1"]
    monkeypatch.setattr(type(weights), "get_state_dict", offline)
    with pytest.raises(StartError, match="cannot start from imagenet: no route"):
        fill_from_torchvision(resnet_classifier("resnet18", 4), "resnet18")


def test_terms_follow_the_start():
    assert starting_terms(RANDOM) == []
    assert starting_terms("random weights, taught by ImageNet's features of VGG16, x") == [VGG_TERMS]
