"""torchvision's pretrained weights, fetched on first use."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import torch
from torch import Tensor
from torchvision.models import WeightsEnum

_TIMEOUT = 20  # seconds without a byte


class WeightsError(ValueError):
    """Weights are not there and cannot be fetched, or are damaged; the message says what to do in one sentence."""


def cached_file(weights: WeightsEnum) -> Path:
    """Say where torchvision keeps a weights file, whether or not it is there."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(weights.url).path).name


def fetch(weights: WeightsEnum) -> None:
    """Download a weights file unless it is there; the progress appears wherever tqdm's does.

    Raises:
        WeightsError: The host cannot be reached, or what came is not what was announced.
    """
    path = cached_file(weights)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = re.search(r"-([0-9a-f]{8,})\.", path.name)
    try:
        with _impatient():
            torch.hub.download_url_to_file(weights.url, str(path), prefix[1] if prefix else None)
    except OSError as error:
        raise WeightsError(
            f"{urlparse(weights.url).hostname} could not be reached for this network's weights "
            f"({weights.meta.get('_file_size', 0):.0f} MB): try again later, or put the file {weights.url} "
            f"into {_short(path.parent)} by hand."
        ) from error
    except RuntimeError as error:  # torch.hub's word for a wrong hash
        raise WeightsError(f"{weights.url} gave a damaged file: try again later.") from error


def load(weights: WeightsEnum) -> dict[str, Tensor]:
    """Read a weights file, fetched if need be, by torchvision's own API; only tensors are unpickled.

    Raises:
        WeightsError: It cannot be fetched or read.
    """
    fetch(weights)
    try:
        return weights.get_state_dict(progress=False, weights_only=True, map_location="cpu")
    except Exception as error:  # whatever a damaged file makes an unpickler raise
        path = cached_file(weights)
        raise WeightsError(f"{path.name} is damaged: delete it from {_short(path.parent)} and try again.") from error


@contextmanager
def _impatient() -> Iterator[None]:
    """Give up on a host that does not answer; torch.hub sets no limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _short(folder: Path) -> str:
    """Write a folder without the name of the person whose home it lies in."""
    home = Path.home()
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)
