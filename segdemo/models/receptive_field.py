"""The receptive field: the pixels round a cell on which its scores can depend."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from segdemo.models.alignment import DropOuter, Shift

_WINDOWED = (nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d, nn.AvgPool2d, nn.Upsample, Shift, DropOuter)
_CELLS = 1024  # of the coarsest map, a side: so many that a few cells of padding do not blur a layer's stride


def receptive_radius(network: nn.Module, run: Callable[[Tensor], object], multiple: int) -> int:
    """Bound how far, in pixels up, down, left or right, others can lie on which a pixel's scores depend.

    Every layer that runs widens the bound by its kernel, in pixels of the image, whichever branch it is on. So the
    bound holds for any network whose windows are modules, and is tight where they stand one behind the other. Araujo,
    Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, has the sum.

    Args:
        network: In `eval` mode. Nothing is computed; while this runs its parameters are replaced by empty ones, so no
            other thread may use it.
        run: A method of the network, or a function that calls it, on images `[1, 3, H, W]`.
        multiple: Pixels to which the network's cells are aligned.
    """
    return max(*receptive_field(network, run, multiple), 0)


def receptive_field(network: nn.Module, run: Callable[[Tensor], object], multiple: int) -> tuple[int, int]:
    """Give the pixels before and after the start of a cell of the result on which that cell can depend.

    Exact where the layers stand one behind the other, a bound elsewhere; the arguments are those of `receptive_radius`.
    """
    image = torch.empty(1, 3, multiple, multiple * _CELLS, device="meta")
    extents = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        sides = (round(image.shape[3] / tensor.shape[3]) for tensor in (inputs[0], output))
        extents.append(_extent(layer, *sides))

    hooks = [layer.register_forward_hook(note) for layer in network.modules() if isinstance(layer, _WINDOWED)]
    runner = _Runner(network, run)
    empty = {name: tensor.detach().to("meta") for name, tensor in (*runner.named_parameters(), *runner.named_buffers())}
    try:
        with torch.no_grad():
            torch.func.functional_call(runner, empty, (image,))
    finally:
        for hook in hooks:
            hook.remove()
    return sum(before for before, _ in extents), sum(after for _, after in extents)


class _Runner(nn.Module):
    """Makes a method of a network the `forward` that torch can call with other parameters."""

    def __init__(self, network: nn.Module, run: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.network = network
        self._run = (run,)  # in a tuple, since a network in an attribute of its own would be there twice

    def forward(self, images: Tensor) -> object:
        return self._run[0](images)


def _extent(layer: nn.Module, cell_in: int, cell_out: int) -> tuple[int, int]:
    """Give the pixels before and after the start of an output cell at which input cells start that it reads."""
    if isinstance(layer, Shift):
        return layer.padding[0] * cell_in, -layer.padding[0] * cell_in
    if isinstance(layer, DropOuter):
        return -cell_in, cell_in
    if isinstance(layer, nn.Upsample):
        return cell_in, cell_in - cell_out  # the cell before for the first half of a cell, the next for the second
    kernel, padding = (side(getattr(layer, name)) for name in ("kernel_size", "padding"))
    width = side(getattr(layer, "dilation", 1)) * (kernel - 1)
    if isinstance(layer, nn.ConvTranspose2d):
        return (width - padding) * cell_out, padding * cell_out
    return padding * cell_in, (width - padding) * cell_in


def side(value: int | tuple[int, ...]) -> int:
    """Give a square kernel's side, a stride or a padding, which torch keeps as a number or as a pair."""
    return value if isinstance(value, int) else value[1]
