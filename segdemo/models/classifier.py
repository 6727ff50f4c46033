"""A classifier that takes any input size, and the dense classifier that it becomes, which answers at every position."""

import copy
from typing import cast

from torch import Tensor, nn
from torchvision.models import ResNet, get_model

from segdemo.models.backbones import resnet_trunk, vgg_features, without_last_pool
from segdemo.models.convolutionize import convolutionize
from segdemo.models.initialisation import he_
from segdemo.models.network import SegmentationNetwork, architecture, pad_to_multiple


class Classifier(nn.Module):
    """Backbone → adaptive average pooling to 1×1 → one Linear layer, with dropout before it in training.

    The backbone maps `[N, 3, H, W]` to `[N, channels, H/stride, W/stride]`, the Linear layer has `channels` inputs.

    Source of the form: Lin, Chen, Yan, "Network in Network", 2014 (global average pooling).
    """

    def __init__(self, backbone: nn.Sequential, stride: int, fc: nn.Linear, dropout: float = 0.0) -> None:
        super().__init__()
        self.backbone = backbone
        self.stride = stride
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = fc

    def features(self, images: Tensor) -> Tensor:
        """Run the backbone: `[N, 3, H, W]` → `[N, channels, ⌈H/stride⌉, ⌈W/stride⌉]`."""
        return self.backbone(pad_to_multiple(images, self.stride))

    def forward(self, images: Tensor) -> Tensor:
        """Classify whole images: `[N, 3, H, W]` of any size → logits `[N, num_classes]`."""
        return self.answer(self.features(images))

    def answer(self, features: Tensor) -> Tensor:
        """Classify by the backbone's features: `[N, channels, h, w]` → logits `[N, num_classes]`."""
        return self.fc(self.dropout(self.pool(features).flatten(1)))


class Conv1x1Segmenter(SegmentationNetwork):
    """A dense classifier: the Linear layer, as a 1×1 conv, answers at every cell, not once for the mean of all cells.

    Because pooling is a mean and the layer is linear, the mean of the score map is the classifier's answer. It shares
    no storage with the classifier.
    """

    interpolates = classifies = True

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(classifier.backbone)
        self.score = convolutionize(classifier.fc)
        self.stride = self.size_multiple = classifier.stride

    def score_map(self, images: Tensor) -> Tensor:
        """Score each cell of the backbone's map: `[N, 3, H, W]` → `[N, C, H/stride, W/stride]`."""
        return self.score(self.backbone(images))


def vgg_classifier(backbone: str, num_classes: int, dropout: float = 0.0) -> Classifier:
    """Build a VGG classifier of stride 16, such as of `vgg11_bn`: last pooling dropped, global pooling, one Linear."""
    features = without_last_pool(vgg_features(backbone))
    return Classifier(features, 16, he_(nn.Linear(512, num_classes)), dropout)


def resnet_classifier(backbone: str, num_classes: int, dropout: float = 0.0) -> Classifier:
    """Build a ResNet classifier of stride 32 (`resnet18` or `resnet34`): adaptive pooling and Linear are its own."""
    resnet = cast(ResNet, get_model(backbone, weights=None))
    resnet.fc = he_(nn.Linear(resnet.fc.in_features, num_classes))
    return from_resnet(resnet, dropout)


def from_resnet(resnet: ResNet, dropout: float = 0.0) -> Classifier:
    """Take torchvision's ResNet, Linear layer included, as a `Classifier`; its layers are shared.

    It averages over the aligned cells, so its logits are close to torchvision's own and not equal.
    """
    return Classifier(resnet_trunk(resnet), 32, resnet.fc, dropout)


@architecture
def conv1x1_vgg(backbone: str, num_classes: int) -> Conv1x1Segmenter:
    """Build the dense form of `vgg_classifier` with random weights, to be filled from a checkpoint."""
    return Conv1x1Segmenter(vgg_classifier(backbone, num_classes))


@architecture
def conv1x1_resnet(backbone: str, num_classes: int) -> Conv1x1Segmenter:
    """Build the dense form of `resnet_classifier` with random weights, to be filled from a checkpoint."""
    return Conv1x1Segmenter(resnet_classifier(backbone, num_classes))
