"""Feature maps: what a network keeps of one image at each size that its maps have."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from segdemo.models import SegmentationNetwork
from segdemo.models.alignment import Shift
from segdemo.models.network import pad_to_multiple


@dataclass(frozen=True)
class Stage:
    """The last activations of one size.

    Attributes:
        layer: The name of the ReLU that they come from.
        maps: float32 `[C, h, w]`, at least 0, without the cells that lie over padding alone.
        stride: Pixels of the image per cell.
    """

    layer: str
    maps: Tensor
    stride: int

    @property
    def mean(self) -> Tensor:
        """The mean over the channels, `[h, w]`."""
        return self.maps.mean(0)

    def strongest(self, count: int) -> list[int]:
        """Give the channels with the highest mean over the image, the highest first; fewer where there are fewer."""
        return self.maps.mean((1, 2)).topk(min(count, len(self.maps))).indices.tolist()

    @property
    def silent(self) -> int:
        """How many channels are 0 everywhere."""
        return int((self.maps.amax((1, 2)) == 0).sum())


@torch.inference_mode()
def stages(network: SegmentationNetwork, image: Tensor) -> list[Stage]:
    """Send a normalised image `[3, H, W]` of any size through a network and keep its maps before their size changes.

    A stage is a run of ReLUs, in the order in which they work, whose maps have one size; the last of them is kept. The
    network, in `eval` mode, bears hooks during the pass, so no other thread may run it meanwhile.

    Returns:
        The stages in order: for an encoder from the finest to the coarsest, for a decoder back again.
    """
    images = pad_to_multiple(image[None], network.size_multiple)
    kept: list[tuple[str, Tensor]] = []

    def note(name: str, _: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
        if kept and kept[-1][1].shape[-2:] == output.shape[-2:]:
            kept.pop()
        kept.append((name, output))

    relus = [(name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.ReLU)]
    hooks = [layer.register_forward_hook(partial(note, name)) for name, layer in relus]
    try:
        network.score_map(images)
    finally:
        for hook in hooks:
            hook.remove()
    shift = next((layer.padding[0] for layer in network.modules() if isinstance(layer, Shift)), 0)
    padded = tuple(side + 2 * shift + (shift > 0) for side in images.shape[-2:])
    return [_without_padding(name, maps[0].float(), image.shape[1:], padded, shift) for name, maps in kept]


def _without_padding(layer: str, maps: Tensor, size: Sequence[int], padded: Sequence[int], shift: int) -> Stage:
    stride = 1  # sizes are halved, an odd one rounded up, so strides are powers of two
    while any(-(-side // stride) > cells for side, cells in zip(padded, maps.shape[1:], strict=True)):
        stride *= 2
    height, width = (-(-side // stride) for side in size)
    first = -(-shift // stride)
    return Stage(layer, maps[:, first : first + height, first : first + width], stride)
