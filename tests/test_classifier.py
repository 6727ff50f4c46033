"""The classifier and the dense classifier that it becomes."""

import pytest
import torch
from torch import nn
from torchvision.models import get_model

from segdemo.models.classifier import Classifier, Conv1x1Segmenter, conv1x1_vgg, from_resnet, vgg_classifier

SIZES = [(1, 1), (16, 16), (17, 31), (32, 48), (50, 70)]


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    made = vgg_classifier("vgg11", 3).eval()
    nn.init.normal_(made.fc.bias)  # at zero, a network without the bias would pass
    return made


@pytest.fixture(scope="module")
def network(classifier):
    return Conv1x1Segmenter(classifier).eval()


def small_classifier(channels=6, num_classes=5, dropout=0.0):
    """Make a classifier of stride 2."""
    made = Classifier(
        nn.Sequential(nn.Conv2d(3, channels, 1), nn.MaxPool2d(2)), 2, nn.Linear(channels, num_classes), dropout
    )
    nn.init.normal_(made.fc.bias)
    return made


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES)
def test_the_mean_of_the_dense_scores_is_the_classifiers_answer(classifier, network, size):
    images = torch.randn(2, 3, *size)
    dense = network.score(classifier.features(images))
    logits = classifier(images)
    torch.testing.assert_close(dense.mean((2, 3)), logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(network.classify(images), logits, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_with_max_pooling_the_same_equality_is_false():
    made = small_classifier()
    features = made.features(torch.randn(2, 3, 16, 16))
    dense = Conv1x1Segmenter(made).score(features)
    torch.testing.assert_close(dense.mean((2, 3)), made.fc(features.mean((2, 3))))
    of_the_maximum = made.fc(features.amax((2, 3)))
    assert not torch.allclose(dense.mean((2, 3)), of_the_maximum, atol=0.1)
    assert not torch.allclose(dense.amax((2, 3)), of_the_maximum, atol=0.1)


@torch.no_grad()
def test_a_forgotten_bias_shifts_every_heatmap_by_a_constant_per_class():
    made = small_classifier()
    network, broken = Conv1x1Segmenter(made), Conv1x1Segmenter(made)
    nn.init.normal_(broken.score.bias)
    images = torch.randn(2, 3, 10, 14)
    shift = (broken.score.bias - made.fc.bias)[:, None, None]
    assert shift.abs().min() > 0
    torch.testing.assert_close(broken(images) - network(images), shift.expand(2, -1, 10, 14))
    assert not torch.allclose(broken.classify(images), made(images), atol=1e-3)


def test_classes_and_channels_are_read_from_the_layer():
    network = Conv1x1Segmenter(small_classifier(channels=24, num_classes=7))
    assert (network.score.in_channels, network.score.out_channels) == (24, 7)
    assert network(torch.rand(1, 3, 9, 5)).shape == (1, 7, 9, 5)


def test_the_twin_shares_no_storage_with_the_classifier():
    made = small_classifier()
    network = Conv1x1Segmenter(made)
    theirs = {tensor.data_ptr() for tensor in made.state_dict().values()}
    assert not theirs & {tensor.data_ptr() for tensor in network.state_dict().values()}


def test_training_the_twin_leaves_the_classifier_unchanged():
    made = small_classifier()
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    network = Conv1x1Segmenter(made)
    network(torch.randn(1, 3, 8, 8)).square().sum().backward()
    torch.optim.SGD(network.parameters(), 1.0).step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in made.state_dict().items())
    assert not torch.equal(network.backbone[0].weight, made.backbone[0].weight)


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES)
def test_scores_have_the_images_size_and_the_map_has_stride_16(network, size):
    score_map, scores = network.forward_with_map(torch.rand(1, 3, *size))
    assert scores.shape == (1, 3, *size)
    assert score_map.shape == (1, 3, -(-size[0] // 16), -(-size[1] // 16))


def test_logits_have_no_positions_whatever_the_size(classifier):
    with torch.no_grad():
        assert classifier(torch.rand(2, 3, 20, 40)).shape == (2, 3)


def test_dropout_is_for_training_alone():
    made = small_classifier(channels=64, dropout=0.5)
    images = torch.randn(1, 3, 8, 8)
    assert not torch.equal(made.train()(images), made(images))
    assert torch.equal(made.eval()(images), made(images))
    torch.testing.assert_close(Conv1x1Segmenter(made).train().classify(images), made(images))


def test_the_builder_gives_the_twin_of_the_named_backbone():
    with torch.device("meta"):
        network = conv1x1_vgg("vgg13_bn", 4)
    assert (network.stride, network.size_multiple, network.score.out_channels) == (16, 16, 4)
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in network.backbone) == 4


@torch.no_grad()
@pytest.mark.parametrize("size", [(64, 64), (33, 70), (1, 5), (1, 1)])
def test_the_twin_of_a_resnet_averages_to_its_logits_at_any_size(size):
    classifier = from_resnet(get_model("resnet18", num_classes=7)).eval()
    network = Conv1x1Segmenter(classifier).eval()
    images = torch.randn(2, 3, *size)
    torch.testing.assert_close(network.classify(images), classifier(images), rtol=1e-4, atol=1e-4)
    assert network.padded_score_map(images).shape == (2, 7, -(-size[0] // 32), -(-size[1] // 32))
