"""A classifier that takes any input size, and its twin that answers at every position."""

import copy

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import ResNet, get_model

from segdemo.models.backbones import resnet_trunk, vgg_features, without_last_pool
from segdemo.models.convolutionize import convolutionize
from segdemo.models.initialisation import he_
from segdemo.models.network import SegmentationNetwork, pad_to_multiple


class Classifier(nn.Module):
    """Backbone → adaptive average pooling to 1×1 → one Linear layer.

    Source of the form: Lin, Chen, Yan, "Network in Network", 2014 (global average pooling).

    Args:
        backbone: Maps `[N, 3, H, W]` to `[N, channels, H/stride, W/stride]`.
        stride: Pixels of the input per cell of the backbone's map.
        fc: The Linear layer, with `channels` inputs.
        dropout: Share of the pooled features that is dropped in training.
        size_multiple: The input is padded to a multiple of this many pixels; the stride where the backbone rounds sizes
            down, 1 where it rounds them up by itself.
    """

    def __init__(
        self, backbone: nn.Module, stride: int, fc: nn.Linear, dropout: float = 0.0, size_multiple: int | None = None
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.stride = stride
        self.size_multiple = size_multiple or stride
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = fc

    def features(self, images: Tensor) -> Tensor:
        """Run the backbone: `[N, 3, H, W]` → `[N, channels, ⌈H/stride⌉, ⌈W/stride⌉]`."""
        return self.backbone(pad_to_multiple(images, self.size_multiple))

    def forward(self, images: Tensor) -> Tensor:
        """Classify whole images: `[N, 3, H, W]` of any size → logits `[N, num_classes]`."""
        return self.fc(self.dropout(self.pool(self.features(images)).flatten(1)))


class Conv1x1Segmenter(SegmentationNetwork):
    """The classifier's twin: its Linear, as a 1×1 conv, answers at every cell, not once for the mean of all cells.

    Because pooling is a mean and the layer is linear, the mean of the score map is the classifier's answer.

    Args:
        classifier: Deep-copied; the twin shares no storage with it.
    """

    interpolates = True

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(classifier.backbone)
        self.score = convolutionize(classifier.fc)
        self.stride, self.size_multiple = classifier.stride, classifier.size_multiple

    def score_map(self, images: Tensor) -> Tensor:
        """Score each cell of the backbone's map: `[N, 3, H, W]` → `[N, C, H/stride, W/stride]`."""
        return self.score(self.backbone(images))

    def upsample(self, score_map: Tensor) -> Tensor:
        """Interpolate bilinearly by the stride: `[N, C, h, w]` → `[N, C, h·stride, w·stride]`."""
        return F.interpolate(score_map, scale_factor=self.stride, mode="bilinear", align_corners=False)

    def classify(self, images: Tensor) -> Tensor:
        """Give the classifier's logits, `[N, C]`: the mean of the score map."""
        return self.padded_score_map(images).mean((2, 3))


def vgg_classifier(backbone: str, num_classes: int, dropout: float = 0.0, weights: str | None = None) -> Classifier:
    """Build a VGG classifier of stride 16: last pooling dropped, global average pooling, one Linear.

    Args:
        backbone: A name that `vgg_features` takes, such as `vgg11_bn`.
        num_classes: Outputs.
        dropout: Before the Linear layer, in training.
        weights: torchvision weights for the backbone, or None for a random start.

    Returns:
        A classifier of any input size.
    """
    features = without_last_pool(vgg_features(backbone, weights))
    return Classifier(features, 16, he_(nn.Linear(512, num_classes)), dropout)


def resnet_classifier(backbone: str, num_classes: int, dropout: float = 0.0, weights: str | None = None) -> Classifier:
    """Build a ResNet classifier of stride 32: adaptive average pooling to 1×1 and one Linear are its own.

    Args:
        backbone: `resnet18` or `resnet34`.
        num_classes: Outputs.
        dropout: Before the Linear layer, in training.
        weights: torchvision weights for the backbone, or None for He's.

    Returns:
        A classifier of any input size.
    """
    resnet = get_model(backbone, weights=weights)
    resnet.fc = he_(nn.Linear(resnet.fc.in_features, num_classes))
    return from_resnet(resnet, dropout)


def from_resnet(resnet: ResNet, dropout: float = 0.0) -> Classifier:
    """Take torchvision's ResNet, Linear layer included, as a `Classifier`; its layers are shared."""
    return Classifier(resnet_trunk(resnet), 32, resnet.fc, dropout, size_multiple=1)


def conv1x1_vgg(backbone: str, num_classes: int) -> Conv1x1Segmenter:
    """Build the 1×1-conv twin of `vgg_classifier` with random weights, to be filled from a checkpoint."""
    return Conv1x1Segmenter(vgg_classifier(backbone, num_classes))


def conv1x1_resnet(backbone: str, num_classes: int) -> Conv1x1Segmenter:
    """Build the 1×1-conv twin of `resnet_classifier` with random weights, to be filled from a checkpoint."""
    return Conv1x1Segmenter(resnet_classifier(backbone, num_classes))
