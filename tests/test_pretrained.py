"""torchvision's networks as segmenters; that they compute torchvision's numbers is in test_catalog.py."""

import pytest
import torch
from torch import nn
from torchvision.models import get_model

from segdemo.models.pretrained import DenseVGG, dense_vgg, from_torchvision


@pytest.fixture(scope="module")
def dense():
    torch.manual_seed(0)
    return dense_vgg("vgg11", 5).eval()


def test_the_three_linear_layers_became_convs(dense):
    shapes = [tuple(layer.weight.shape) for layer in (dense.fc6, dense.fc7, dense.score)]
    assert shapes == [(4096, 512, 7, 7), (4096, 4096, 1, 1), (5, 4096, 1, 1)]
    assert not any(isinstance(layer, nn.Linear | nn.Dropout | nn.AdaptiveAvgPool2d) for layer in dense.modules())


@torch.no_grad()
@pytest.mark.parametrize(("rows", "columns"), [(7, 7), (9, 7), (8, 10)])
def test_each_inner_cell_is_the_classifier_on_its_own_7x7_window_of_the_features(rows, columns):
    classifier = get_model("vgg11", num_classes=5).eval()
    network = DenseVGG(classifier).eval()
    images = torch.randn(1, 3, 32 * rows, 32 * columns)
    score_map, features = network.score_map(images), classifier.features(images)
    for row in range(3, rows - 3):
        for column in range(3, columns - 3):
            window = features[..., row - 3 : row + 4, column - 3 : column + 4]
            wanted = classifier.classifier(window.flatten(1))
            torch.testing.assert_close(score_map[..., row, column], wanted, rtol=1e-3, atol=1e-4)


def test_weights_of_any_number_of_classes_are_taken():
    network = from_torchvision("conv1x1_resnet", "resnet18", get_model("resnet18", num_classes=7).state_dict())
    assert network.score.weight.shape == (7, 512, 1, 1)
    assert not network.training
    assert not any(parameter.is_meta for parameter in network.parameters())


def test_another_model_s_weights_are_refused():
    with pytest.raises(RuntimeError, match=r"state_dict|size"):
        from_torchvision("dense_vgg", "vgg11", get_model("resnet18").state_dict())
