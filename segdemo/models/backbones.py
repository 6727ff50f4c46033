"""The convolutional parts of VGG, cut into stages where its MaxPool layers are, and of ResNet."""

from collections import OrderedDict
from typing import cast

from torch import nn
from torchvision.models import ResNet, vgg

from segdemo.models.alignment import DropOuter, Shift
from segdemo.models.initialisation import he_

# torchvision keeps VGG's layer plans under the letters of Simonyan and Zisserman's table 1.
_PLANS = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}


def vgg_features(name: str) -> nn.Sequential:
    """Build the conv, ReLU and pooling layers of a VGG by He's start: `[N, 3, H, W]` → `[N, 512, H/32, W/32]`.

    The name is `vgg11`, `vgg13`, `vgg16` or `vgg19`, with `_bn` behind it for BatchNorm.

    Raises:
        ValueError: No VGG has this name.
    """
    plan = _PLANS.get(name.removesuffix("_bn"))
    if plan is None:
        raise ValueError(f"unknown VGG {name!r}: choose from {', '.join(_PLANS)}, with or without _bn")
    return he_(vgg.make_layers(vgg.cfgs[plan], batch_norm=name.endswith("_bn")))


def split_at_max_pools(features: nn.Sequential) -> list[nn.Sequential]:
    """Cut a chain of layers into stages, for any VGG five, each ending with its MaxPool.

    The positions are found, not written down: they differ between VGG11, 13 and 16 and with BatchNorm, and a wrong cut
    still runs, because the shapes fit. Layers behind the last MaxPool would make one more.
    """
    stages, current = [], []
    for layer in features:
        current.append(layer)
        if isinstance(layer, nn.MaxPool2d):
            stages.append(nn.Sequential(*current))
            current = []
    return [*stages, nn.Sequential(*current)] if current else stages


def stage_channels(stage: nn.Sequential) -> int:
    """Give the channels that a stage puts out: those of its last conv."""
    return [layer for layer in stage if isinstance(layer, nn.Conv2d)][-1].out_channels


def without_last_pool(features: nn.Sequential) -> nn.Sequential:
    """Drop the last MaxPool, which halves the stride (32 → 16).

    Raises:
        ValueError: The last layer is no MaxPool.
    """
    if not isinstance(features[-1], nn.MaxPool2d):
        raise ValueError(f"the last layer is {features[-1]}, not a MaxPool2d")
    return cast(nn.Sequential, features[:-1])


def resnet_trunk(resnet: ResNet) -> nn.Sequential:
    """Take what comes before a ResNet's pooling and Linear layer, aligned as `segdemo.models.alignment` says.

    Returns:
        Layers, shared with it, that map `[N, 3, H, W]`, multiples of 32, to `[N, channels, H/32, W/32]`.
    """
    layers = OrderedDict((k, layer) for k, layer in resnet.named_children() if k not in ("avgpool", "fc"))
    return nn.Sequential(OrderedDict(shift=Shift(32), **layers, drop=DropOuter()))
