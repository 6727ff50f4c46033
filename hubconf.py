"""Entry points for `torch.hub.load`: a network by its name in the catalog, alone or ready to look at photos."""

from pathlib import Path

from torch import nn

from segdemo import catalog
from segdemo.segmenter import Segmenter

dependencies = ["torch", "torchvision", "safetensors", "numpy", "PIL"]


def network(name: str | Path = "fcn8s_vgg16") -> nn.Module:
    """Load a network: normalised images `[N, 3, H, W]` of any size in, scores `[N, C, H, W]` out.

    Args:
        name: As `python -m segdemo models` lists them, or the path of a checkpoint.
    """
    return catalog.find_or_open(str(name)).load()


def segmenter(name: str | Path = "fcn8s_vgg16", device: str = "auto") -> Segmenter:
    """Load a network that takes photos (PIL, RGB) and gives segmentations.

    Args:
        name: As `network` takes it.
        device: `auto`, `cpu`, `cuda` or `mps`.
    """
    return Segmenter.load(str(name), device)
