"""torchvision's pretrained networks as segmenters: VGG with its three Linear layers as convs, and the ResNet-FCN."""

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import VGG, get_model
from torchvision.models import segmentation as torchvision_segmentation

from segdemo.models.alignment import DropOuter, Shift
from segdemo.models.classifier import Conv1x1Segmenter, from_resnet
from segdemo.models.convolutionize import convolutionize
from segdemo.models.network import SegmentationNetwork, architecture

_FC_KERNEL = 7  # cells: VGG's first Linear layer reads a 7×7 map


class DenseVGG(SegmentationNetwork):
    """A VGG classifier that answers at every cell: 7×7, 1×1 and 1×1 convs in place of its three Linear layers.

    The 7×7 conv pads by three cells, so that there is an answer above every 32×32 pixels. For a 224×224 image the cell
    in the middle sees no padding: it computes what the classifier computes. Its conv layers are shared, its Linear
    layers copied.

    Source: Sermanet et al., "OverFeat", ICLR 2014; Long, Shelhamer, Darrell, CVPR 2015, section 3.1.
    """

    stride = size_multiple = 32
    interpolates = classifies = True

    def __init__(self, classifier: VGG) -> None:
        super().__init__()
        fc6, fc7, score = (layer for layer in classifier.classifier if isinstance(layer, nn.Linear))
        self.features = classifier.features
        self.fc6 = convolutionize(fc6, _FC_KERNEL)
        self.fc6.padding = (_FC_KERNEL // 2, _FC_KERNEL // 2)
        self.fc7 = convolutionize(fc7)
        self.score = convolutionize(score)

    def score_map(self, images: Tensor) -> Tensor:
        """Score each cell: `[N, 3, H, W]`, multiples of 32 → `[N, C, H/32, W/32]`."""
        features = F.relu(self.fc6(self.features(images)))
        return self.score(F.relu(self.fc7(features)))


class TorchvisionFCN(SegmentationNetwork):
    """torchvision's FCN, shared, on a dilated ResNet: stride 8, no learned upsampling; aligned as `alignment` says."""

    stride = size_multiple = 8
    interpolates = True

    def __init__(self, network: torchvision_segmentation.FCN) -> None:
        super().__init__()
        self.shift, self.drop = Shift(self.stride), DropOuter()
        self.backbone, self.classifier = network.backbone, cast(nn.Sequential, network.classifier)

    @property
    def score_layer(self) -> nn.Conv2d:
        """The last layer of torchvision's head."""
        return cast(nn.Conv2d, self.classifier[-1])

    def score_map(self, images: Tensor) -> Tensor:
        """Score each cell: `[N, 3, H, W]`, multiples of 8 → `[N, C, H/8, W/8]`."""
        return self.drop(self.classifier(self.backbone(self.shift(images))["out"]))


@architecture
def dense_vgg(backbone: str, num_classes: int) -> DenseVGG:
    """Build the dense form of a torchvision VGG, such as `vgg16`, with random weights, to be filled from its file."""
    return DenseVGG(cast(VGG, get_model(backbone, num_classes=num_classes)))


@architecture
def fcn_resnet(backbone: str, num_classes: int) -> TorchvisionFCN:
    """Build torchvision's FCN, such as `fcn_resnet50`, with random weights, to be filled from its file."""
    network = get_model(backbone, num_classes=num_classes, weights_backbone=None)
    return TorchvisionFCN(cast(torchvision_segmentation.FCN, network))


def from_torchvision(architecture: str, backbone: str, tensors: dict[str, Tensor]) -> SegmentationNetwork:
    """Turn torchvision's own weights into a network of ours, in `eval` mode.

    Args:
        architecture: `dense_vgg`, `conv1x1_resnet` or `fcn_resnet`.
        backbone: torchvision's name of the model, such as `vgg16`.
        tensors: That model's state, as its weights file holds it.

    Raises:
        RuntimeError: The tensors are not those of the model.
    """
    settings = {"weights_backbone": None, "aux_loss": True} if architecture == "fcn_resnet" else {}
    # Nothing is drawn at random or held twice: the tensors take the places of the empty ones.
    with torch.device("meta"):
        model: Any = get_model(backbone, num_classes=_num_classes(tensors), **settings)
    model.load_state_dict(tensors, assign=True)
    turn: Callable[[Any], SegmentationNetwork] = {
        "dense_vgg": DenseVGG,
        "conv1x1_resnet": lambda resnet: Conv1x1Segmenter(from_resnet(resnet)),
        "fcn_resnet": TorchvisionFCN,
    }[architecture]
    return turn(model).eval()


def _num_classes(tensors: dict[str, Tensor]) -> int:
    """Read the number of classes off the last layer's weight."""
    last = [name for name in tensors if name.endswith("weight") and not name.startswith("aux_")][-1]
    return len(tensors[last])
