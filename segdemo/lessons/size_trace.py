"""Where the pixels go: every layer of a network with its sizes, receptive field, multiply-adds and parameters."""

from dataclasses import asdict, dataclass
from functools import partial

import torch
from torch import Tensor, nn

from segdemo.models import SegmentationNetwork, build
from segdemo.models.alignment import DropOuter, Shift
from segdemo.models.network import pad_to_multiple
from segdemo.models.receptive_field import side

Size = tuple[int, int]
_Traced = nn.Conv2d | nn.ConvTranspose2d | nn.MaxPool2d | Shift | DropOuter
# What lies beside the main path: its layers do not widen the receptive field of those that follow.
_BESIDE = ("downsample", "score_pool", "decoder")


@dataclass(frozen=True)
class Row:
    """One step of a network.

    Attributes:
        name: The layer's in the network, or `pad` and `crop`.
        kind: `conv`, `transposed conv`, `max pool`, `pad` or `crop`.
        kernel: Cells a side; 0 for pad and crop.
        stride: Cells.
        padding: Cells all round.
        channels: That come out.
        before: Height and width that go in.
        after: Height and width that come out, by the formula.
        formula: That of the height, with the numbers filled in.
        receptive_field: Pixels of the image, a side, that one cell has seen; None beside the main path and behind it.
        multiply_adds: For one image.
        parameters: Of the layer.
    """

    name: str
    kind: str
    kernel: int
    stride: int
    padding: int
    channels: int
    before: Size
    after: Size
    formula: str
    receptive_field: int | None
    multiply_adds: int
    parameters: int

    def as_dict(self) -> dict[str, object]:
        """Give plain values, ready for JSON."""
        return asdict(self)


def shell(architecture: str, arguments: dict[str, object]) -> SegmentationNetwork:
    """Build a network without memory for its weights, enough to ask for sizes.

    Raises:
        ValueError: There is no such architecture.
    """
    with torch.device("meta"):
        return build(architecture, **arguments).eval()


@torch.no_grad()
def size_trace(network: SegmentationNetwork, height: int, width: int) -> list[Row]:
    """Follow an image of some pixels through a network from `shell`; nothing is computed, so any size is quick.

    Returns:
        A row for each conv, transposed conv and pooling in the order in which they run, between the padding that makes
        the size fit and the cropping that takes it back.
    """
    images = torch.empty(1, 3, height, width, device="meta")
    padded = _sides(pad_to_multiple(images, network.size_multiple))
    tracer = _Tracer()
    layers = [(name, layer) for name, layer in network.named_modules() if isinstance(layer, _Traced)]
    hooks = [layer.register_forward_hook(partial(tracer.note, name)) for name, layer in layers]
    network(images)
    for hook in hooks:
        hook.remove()
    start = _fitting_row("pad", (height, width), padded, f"next multiple of {network.size_multiple}")
    end = _fitting_row("crop", padded, (height, width), "back to the image's size")
    return [start, *tracer.rows, end]


def _fitting_row(kind: str, before: Size, after: Size, formula: str, name: str = "") -> Row:
    return Row(name or kind, kind, 0, 1, 0, 3 if kind == "pad" else 0, before, after, formula, None, 0, 0)


class _Tracer:
    """Notes every layer that changes sizes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._field, self._jump, self._on_the_way = 1, 1, True

    def note(self, name: str, layer: _Traced, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        before, after = _sides(inputs[0]), _sides(output)
        if isinstance(layer, Shift):
            half = layer.padding[0]
            row = _fitting_row("pad", before, after, f"{before[0]} + 2·{half} + 1 = {after[0]}", name)
        elif isinstance(layer, DropOuter):
            row = _fitting_row("crop", before, after, f"{before[0]} − 2 = {after[0]}", name)
        else:
            row = self._row(name, layer, inputs[0], output.shape[1])
        self.rows.append(row)

    def _row(
        self, name: str, layer: nn.Conv2d | nn.ConvTranspose2d | nn.MaxPool2d, features: Tensor, channels: int
    ) -> Row:
        kernel, stride, padding, dilation = (
            side(getattr(layer, key)) for key in ("kernel_size", "stride", "padding", "dilation")
        )
        transposed = isinstance(layer, nn.ConvTranspose2d)
        size = transposed_size if transposed else conv_size
        before = _sides(features)
        (height, formula), (width, _) = (size(side, kernel, stride, padding, dilation) for side in before)
        after = height, width
        weights = 0 if isinstance(layer, nn.MaxPool2d) else layer.weight.numel()
        area = before[0] * before[1] if transposed else after[0] * after[1]
        kind = "transposed conv" if transposed else "conv" if weights else "max pool"
        field = self._widen(name, transposed, dilation * (kernel - 1), stride)
        parameters = sum(parameter.numel() for parameter in layer.parameters())
        numbers = (kernel, stride, padding, channels, before, after, formula, field)
        return Row(name, kind, *numbers, weights * area, parameters)

    def _widen(self, name: str, transposed: bool, span: int, stride: int) -> int | None:
        """Widen the receptive field by a layer of the main path."""
        self._on_the_way = self._on_the_way and not transposed
        if not self._on_the_way or any(part in name for part in _BESIDE):
            return None
        self._field += span * self._jump
        self._jump *= stride
        return self._field


def conv_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> tuple[int, str]:
    """Give the size behind a conv or pooling, and its formula with the numbers filled in."""
    span = dilation * (kernel - 1) + 1
    after = (size + 2 * padding - span) // stride + 1
    return after, f"⌊({size} + 2·{padding} − {span}) / {stride}⌋ + 1 = {after}"


def transposed_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> tuple[int, str]:
    """Give the size behind a transposed conv, and its formula with the numbers filled in."""
    span = dilation * (kernel - 1) + 1
    after = (size - 1) * stride - 2 * padding + span
    return after, f"({size} − 1)·{stride} − 2·{padding} + {span} = {after}"


def _sides(maps: Tensor) -> Size:
    return maps.shape[-2], maps.shape[-1]
