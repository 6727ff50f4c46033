"""How weights start: He initialisation for layers that learn, bilinear for transposed convs that upsample."""

from typing import TypeVar

import torch
from torch import Tensor, nn

_Module = TypeVar("_Module", bound=nn.Module)


def he_(module: _Module) -> _Module:
    """Draw conv, transposed-conv and linear weights from He's normal distribution in place; biases become zero.

    BatchNorm starts as the identity. Every layer inside the module is drawn, so hand over only what is to be trained
    from nothing. Source: He et al., "Delving Deep into Rectifiers", ICCV 2015.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if isinstance(layer, nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, std=(2 / _transposed_fan_in(layer)) ** 0.5)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)
    return module


def _transposed_fan_in(layer: nn.ConvTranspose2d) -> float:
    """Count the products in one output value of a transposed conv: torch's own count takes no account of the stride."""
    cells = layer.kernel_size[0] * layer.kernel_size[1] / (layer.stride[0] * layer.stride[1])
    return layer.in_channels / layer.groups * cells


def bilinear_kernel(kernel_size: int) -> Tensor:
    """Make the 2-D tent with which a transposed conv interpolates bilinearly by the stride s = ⌈kernel_size / 2⌉.

    An even size, 2s, has its peak between two cells; an odd one, 2s − 1, on a cell. Source: Long, Shelhamer, Darrell,
    CVPR 2015, whose code starts its transposed convs so.

    Returns:
        `[kernel_size, kernel_size]`, float32; its sum is s².
    """
    stride, centre = (kernel_size + 1) // 2, (kernel_size - 1) / 2
    tent = 1 - (torch.arange(kernel_size, dtype=torch.float32) - centre).abs() / stride
    return torch.outer(tent, tent)


@torch.no_grad()
def bilinear_(layer: nn.ConvTranspose2d) -> nn.ConvTranspose2d:
    """Make a transposed conv a bilinear upsampler in place: the tent from each class to itself, zero between classes.

    It has as many output as input channels, and a square kernel of twice the stride.

    Source: Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015, section 3.3.
    """
    layer.weight.zero_()
    diagonal = torch.arange(layer.in_channels)
    layer.weight[diagonal, diagonal] = bilinear_kernel(layer.kernel_size[0]).to(layer.weight)
    return layer
