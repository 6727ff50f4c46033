"""The networks, in pure torch, and the table by which a checkpoint's metadata finds its builder."""

from collections.abc import Callable

from segdemo.models.classifier import conv1x1_resnet, conv1x1_vgg
from segdemo.models.fcn import fcn_vgg
from segdemo.models.network import SegmentationNetwork
from segdemo.models.pretrained import dense_vgg, fcn_resnet
from segdemo.models.unet import unet_vgg

ARCHITECTURES: dict[str, Callable[..., SegmentationNetwork]] = {
    "conv1x1_vgg": conv1x1_vgg,
    "conv1x1_resnet": conv1x1_resnet,
    "fcn_vgg": fcn_vgg,
    "unet_vgg": unet_vgg,
    "dense_vgg": dense_vgg,
    "fcn_resnet": fcn_resnet,
}


def build(architecture: str, **arguments: object) -> SegmentationNetwork:
    """Build a network by name.

    Args:
        architecture: A key of `ARCHITECTURES`.
        **arguments: What its builder takes.

    Returns:
        The network, with random weights unless the arguments say otherwise.

    Raises:
        ValueError: No architecture has this name, or the arguments do not fit it.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {architecture!r}: choose from {', '.join(ARCHITECTURES)}")
    try:
        return ARCHITECTURES[architecture](**arguments)
    except TypeError as error:
        raise ValueError(f"{architecture}: {error}") from error
