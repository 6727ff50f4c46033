"""A web demo that shows how an image classifier becomes a segmenter."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segdemo.segmenter import Segmenter

__version__ = "0.2.0"
__all__ = ["Segmenter", "__version__"]


def __getattr__(name: str) -> object:
    """Give `segdemo.Segmenter` when it is asked for: torch takes a second that `segdemo --help` need not wait for."""
    if name != "Segmenter":
        raise AttributeError(f"module 'segdemo' has no attribute {name!r}")
    from segdemo.segmenter import Segmenter  # noqa: PLC0415

    return Segmenter
