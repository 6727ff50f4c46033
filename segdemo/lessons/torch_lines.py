"""The lines of torch that end a lesson: they give the numbers that the page shows, and can be copied and run."""

from collections.abc import Sequence

import torch
from torch import Tensor

from segdemo.lessons.transposed_conv import Setting

_TEACH = """import torch

features = torch.randn(1, 1280, 36, 48)  # what the frozen VGG16 gives for a photo
conv = torch.nn.Conv2d(1280, {classes}, 1)
linear = torch.nn.Linear(1280, {classes})
linear.load_state_dict({{"weight": conv.weight.flatten(1), "bias": conv.bias}})
scores = conv(features)
print(list(conv.weight.shape))
print(list(linear.weight.shape))
print((scores[..., 3, 5] - linear(features[..., 3, 5])).abs().max().item() < 1e-4)  # one cell
print((scores.mean((2, 3)) - linear(features.mean((2, 3)))).abs().max().item() < 1e-4)  # pooled"""
_FC = """import torch

linear = torch.nn.Linear(512, {classes})
conv = torch.nn.Conv2d(512, {classes}, 1)
with torch.no_grad():
    conv.weight.copy_(linear.weight.view_as(conv.weight))
    conv.bias.copy_(linear.bias)  # often forgotten
features = torch.randn(1, 512, 6, 6)
logits = linear(features.mean((2, 3)))
print(list(conv.weight.shape))
print((conv(features).mean((2, 3)) - logits).abs().max().item() < 1e-5)"""
_SIZE = """import torch

layer = torch.nn.{layer}
print(list(layer(torch.empty(1, {channels}, {height}, {width})).shape[2:]))
print(sum(p.numel() for p in layer.parameters()))"""
_TRANSPOSED = """import torch

y = torch.tensor({values})
kernel = torch.tensor({kernel})
x = torch.nn.functional.conv_transpose2d(
    y[None, None], kernel[None, None], stride={stride}, padding={padding}, output_padding={output_padding}
)
print(x[0, 0].tolist())"""
_ADAPTIVE = """import torch

n, m = {input_size}, {output_size}
print([(i * n // m, -(-(i + 1) * n // m)) for i in range(m)])
print(torch.nn.AdaptiveAvgPool1d(m)(torch.arange(1.0, n + 1)[None])[0].tolist())"""
_TRANSFER = """import torch

model = torch.nn.ModuleDict({"encoder": torch.nn.Linear(10, 5), "decoder": torch.nn.Linear(5, 2)})
print(sum(p.numel() for p in model.parameters() if p.requires_grad))
model["encoder"].requires_grad_(False)  # a method: call it
print(sum(p.numel() for p in model.parameters() if p.requires_grad))
norm = torch.nn.BatchNorm2d(3).requires_grad_(False)
before = norm.running_mean.clone()
norm.train()(torch.randn(4, 3, 8, 8) + 1)
print(torch.equal(before, norm.running_mean))  # the statistics moved, frozen or not
norm.eval()
before = norm.running_mean.clone()
norm(torch.randn(4, 3, 8, 8) + 1)
print(torch.equal(before, norm.running_mean))"""
_WHY = """import torch

features = torch.randn(1, 512, 6, 8, requires_grad=True)
conv = torch.nn.Conv2d(512, 3, 1)
scores = conv(features)
scores.mean((2, 3))[0, 1].backward()  # the pooled logit of class 1
grad_cam = (features.grad.mean((2, 3), keepdim=True) * features).sum(1)[0]
cam = scores[0, 1] - conv.bias[1]
print((cam - grad_cam * cam.numel()).abs().max().item() < 1e-4)"""


def teach(classes: int) -> str:
    """Compare a 1×1 conv with the Linear layer of the same weight; `classes` counts the background."""
    return _TEACH.format(classes=classes)


def fc_as_conv(classes: int) -> str:
    """Turn a Linear layer into a 1×1 conv and compare both."""
    return _FC.format(classes=classes)


def layer_size(layer: str, channels: int, height: int, width: int) -> str:
    """Ask a layer, as torch writes it, for its parameters and the size that it gives to `[channels, height, width]`."""
    return _SIZE.format(layer=layer, channels=channels, height=height, width=width)


def transposed_conv(values: Tensor, kernel: Tensor, setting: Setting) -> str:
    """Compute a transposed conv of these very numbers: `values` is `[n, n]`, `kernel` `[k, k]`."""
    return _TRANSPOSED.format(
        values=_literal(values),
        kernel=_literal(kernel),
        stride=setting.stride,
        padding=setting.padding,
        output_padding=setting.output_padding,
    )


def adaptive_pooling(input_size: int, output_size: int) -> str:
    """Give the bins, and pool the cells 1 to n."""
    return _ADAPTIVE.format(input_size=input_size, output_size=output_size)


def transfer() -> str:
    """Freeze, and see what still moves."""
    return _TRANSFER


def why() -> str:
    """Compute Grad-CAM by a backward pass, and compare it with the CAM."""
    return _WHY


def _literal(values: Tensor) -> str:
    """Write a matrix of floats as Python does, with no more digits than float32 has."""

    def number(value: float) -> str:
        return repr(float(f"{value:.9g}"))

    rows: Sequence[Sequence[float]] = values.to(torch.float64).tolist()
    return "[" + ", ".join("[" + ", ".join(map(number, row)) + "]" for row in rows) + "]"
