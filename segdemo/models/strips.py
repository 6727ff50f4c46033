"""A stage run strip by strip: what it computes at the image's own resolution never lies in memory as a whole."""

import torch
from torch import Tensor, nn


class InStrips(nn.Module):
    """Runs a stage of convs and a MaxPool on horizontal strips, with the same result.

    The first stages of a VGG hold 64 and 128 channels at the image's size and half of it, far more than what is left
    behind their pooling. Each strip is read with the few rows round it that its own rows depend on.

    Args:
        stage: Convs that keep the size, layers that look at one pixel, and a MaxPool at the end. In `eval` mode: the
            rows that two strips share would count twice in statistics.
        pixels: Of the stage's input that are read at once; an input no larger runs as a whole.

    Raises:
        ValueError: The stage has another form.
    """

    def __init__(self, stage: nn.Sequential, pixels: int) -> None:
        super().__init__()
        *layers, pool = stage
        convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
        if not isinstance(pool, nn.MaxPool2d) or pool.kernel_size != pool.stride or pool.padding:
            raise ValueError(f"a stage ends with a MaxPool that parts its input into blocks, not with {pool}")
        if any(
            conv.stride != (1, 1) or 2 * conv.padding[0] != conv.dilation[0] * (conv.kernel_size[0] - 1)
            for conv in convs
        ):
            raise ValueError("the convs of a stage keep the size")
        self.stage, self.pixels, self.step = stage, pixels, pool.stride
        depends = sum(conv.padding[0] for conv in convs)
        self.halo = -(-depends // self.step) * self.step

    def forward(self, images: Tensor) -> Tensor:
        """Map `[N, C, H, W]` to `[N, D, H/step, W/step]`."""
        count, _, height, width = images.shape
        if count * height * width <= self.pixels or images.is_meta:
            return self.stage(images)
        rows = max(1, self.pixels // (count * width * self.step)) * self.step
        whole: Tensor | None = None
        for start in range(0, height, rows):
            first, last = max(0, start - self.halo), min(height, start + rows + self.halo)
            strip = self.stage(images[:, :, first:last])
            if whole is None:
                size = (count, strip.shape[1], height // self.step, strip.shape[3])
                whole = strip.new_empty(size).contiguous(memory_format=torch.channels_last)
            target = whole[:, :, start // self.step : (start + rows) // self.step]
            target.copy_(strip[:, :, (start - first) // self.step :][:, :, : target.shape[2]])
        return whole
