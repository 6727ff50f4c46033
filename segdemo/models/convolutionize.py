"""A Linear layer behind a k×k feature map is a k×k convolution."""

import torch
from torch import nn


@torch.no_grad()
def convolutionize(linear: nn.Linear, kernel_size: int = 1) -> nn.Conv2d:
    """Turn a Linear layer into the conv that computes the same numbers, at every position of a larger map.

    A Linear that reads a flattened `[C, k, k]` map multiplies each value by one weight and adds them up: so does
    a k×k conv at one position. Weight and bias are both copied, into storage of their own, so that training the conv
    leaves the Linear as it was. Source: Long, Shelhamer, Darrell, CVPR 2015, section 3.1.

    Args:
        linear: `weight` is `[out, C·k·k]`.
        kernel_size: k, the side in cells of the map that the Linear was made for: 1 behind global pooling, 7 for
            VGG16's FC6.

    Returns:
        A conv with `weight` `[out, C, k, k]`, stride 1, no padding, on the Linear's device and of its dtype.

    Raises:
        ValueError: The Linear's inputs are no whole number of k×k maps.
    """
    channels, rest = divmod(linear.in_features, kernel_size**2)
    if rest or not channels:
        raise ValueError(f"{linear.in_features} inputs are no whole number of {kernel_size}×{kernel_size} maps")
    conv = nn.Conv2d(channels, linear.out_features, kernel_size, bias=linear.bias is not None)
    conv = conv.to(linear.weight)
    conv.weight.copy_(linear.weight.view_as(conv.weight))
    if conv.bias is not None:
        conv.bias.copy_(linear.bias)
    return conv
