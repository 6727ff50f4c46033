"""torchvision's pretrained weights, fetched on first use."""

import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import Request, urlopen

import torch
from torch import Tensor
from torchvision.models import WeightsEnum
from tqdm import tqdm

from segdemo.safe_files import replacing

_TIMEOUT = 20  # seconds without a byte; of these connections alone, not of the whole process
_BLOCK = 1 << 17
_fetching: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)


class WeightsError(ValueError):
    """Weights are not there and cannot be fetched, or are damaged; the message says what to do in one sentence."""


def cached_file(weights: WeightsEnum) -> Path:
    """Say where torchvision keeps a weights file, whether or not it is there."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(weights.url).path).name


def fetch(weights: WeightsEnum) -> None:
    """Download a weights file unless it is there; the progress appears wherever tqdm's does.

    Whoever asks for a file while it is being fetched waits for it.

    Raises:
        WeightsError: The host cannot be reached, what came is not what was announced, or it cannot be kept.
    """
    path = cached_file(weights)
    with _fetching[path]:
        try:
            if not path.exists():
                _download(weights, path)
        except OSError as error:
            raise WeightsError(
                f"This network's weights ({_megabytes(weights)}) cannot be kept in {_short(path.parent)} "
                f"({error.strerror}): free some space there, or name another folder in the environment variable "
                "TORCH_HOME, and start again."
            ) from error


def load(weights: WeightsEnum) -> dict[str, Tensor]:
    """Read a weights file, fetched if need be, by torchvision's own API; only tensors are unpickled.

    Raises:
        WeightsError: It cannot be fetched or read.
    """
    fetch(weights)
    path = cached_file(weights)
    try:
        return weights.get_state_dict(progress=False, weights_only=True, map_location="cpu")
    except PermissionError as error:
        folder = _short(path.parent)
        raise WeightsError(f"{path.name} in {folder} may not be read by this user: change its permissions.") from error
    except Exception as error:  # whatever a damaged file makes an unpickler raise
        raise WeightsError(f"{path.name} is damaged: delete it from {_short(path.parent)} and try again.") from error


def _download(weights: WeightsEnum, path: Path) -> None:
    """Fetch a file whole, or raise WeightsError, or OSError where it cannot be written."""
    found, wanted = sha256(), re.search(r"-([0-9a-f]{8,})\.", path.name)
    with replacing(path) as file:
        for block in _blocks(weights, path):
            file.write(block)
            found.update(block)
        if wanted and not found.hexdigest().startswith(wanted[1]):
            raise WeightsError(f"{weights.url} gave a damaged file: try again later.")


def _blocks(weights: WeightsEnum, path: Path) -> Iterator[bytes]:
    """Receive a file piece by piece, or raise WeightsError."""
    request = Request(weights.url, headers={"User-Agent": "segdemo"})
    try:
        with urlopen(request, timeout=_TIMEOUT) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            with tqdm(total=total or None, unit="B", unit_scale=True, unit_divisor=1024) as bar:
                while block := answer.read(_BLOCK):
                    yield block
                    bar.update(len(block))
                received = bar.n
        if received < total:
            raise ConnectionError(f"{received} of {total} bytes came")
    except (OSError, HTTPException) as error:
        host, folder = urlparse(weights.url).hostname, _short(path.parent)
        raise WeightsError(
            f"{host} could not be reached for this network's weights ({_megabytes(weights)}): try again later, or put "
            f"the file {weights.url} into {folder} by hand."
        ) from error


def _megabytes(weights: WeightsEnum) -> str:
    return f"{weights.meta.get('_file_size', 0):.0f} MB"


def _short(folder: Path) -> str:
    """Write a folder without the name of the person whose home it lies in."""
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as in some containers
        return str(folder)
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)
