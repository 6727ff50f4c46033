"""The networks, in pure torch; a module of this folder that marks a builder with `architecture` adds a network."""

from importlib import import_module
from pkgutil import iter_modules

from segdemo.models.network import ARCHITECTURES, SegmentationNetwork

__all__ = ["ARCHITECTURES", "SegmentationNetwork", "build"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


def build(architecture: str, **arguments: object) -> SegmentationNetwork:
    """Build a network by name, a key of `ARCHITECTURES`, with what its builder takes.

    Raises:
        ValueError: No architecture has this name, or the arguments do not fit it.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {architecture!r}: choose from {', '.join(ARCHITECTURES)}")
    try:
        return ARCHITECTURES[architecture](**arguments)
    except TypeError as error:
        raise ValueError(f"{architecture}: {error}") from error
