"""Trained networks as safetensors files whose metadata is enough to rebuild them."""

import json
import re
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from hashlib import sha256
from math import isfinite
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from segdemo.models import SegmentationNetwork, build

SUMS = "SHA256SUMS"
"""The table of a folder's files, as `sha256sum` writes and checks it."""

_CHANNELS = 3  # red, green, blue
_BLOCK = 1 << 20
_LONGEST_REASON = 200  # letters


class CheckpointError(ValueError):
    """A file is no checkpoint that can be used; the message says why in one sentence."""


@dataclass(frozen=True)
class Metadata:
    """What a checkpoint says of itself.

    Attributes:
        architecture: A key of `segdemo.models.ARCHITECTURES`.
        arguments: What its builder takes.
        classes: Class names, by index.
        colours: `#rrggbb`, by index.
        mean: Of each channel, photos scaled to 0–1.
        std: Of each channel.
        analysis_size: The longer side, in pixels, at which the network sees a photo best.
        dataset: What it was trained on.
        recipe: The recipe's name and settings.
        seed: Of the random numbers.
        epochs: Passes over the data so far.
        minutes: Time spent in training.
        metrics: Measured on the held-out part of the training data.
        versions: Of the libraries that made it.
        has_background: Whether class 0 is the background.

    Raises:
        ValueError: A value that the program computes with is missing or out of range.
    """

    architecture: str
    arguments: dict[str, object]
    classes: tuple[str, ...]
    colours: tuple[str, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    analysis_size: int
    dataset: str = ""
    recipe: dict[str, object] = field(default_factory=dict)
    seed: int = 0
    epochs: int = 0
    minutes: float = 0.0
    metrics: dict[str, object] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    has_background: bool = True

    def __post_init__(self) -> None:
        checks = {
            "there are 2 to 65,535 classes, each a name": 1 < len(self.classes) < 1 << 16  # as uint16 holds
            and all(isinstance(name, str) for name in self.classes),
            "each class has a colour #rrggbb": len(self.colours) == len(self.classes)
            and all(re.fullmatch("#[0-9a-fA-F]{6}", colour) for colour in self.colours),
            "mean and std are three numbers, std above 0": len(self.mean) == len(self.std) == _CHANNELS
            and all(isfinite(value) for value in self.mean)
            and all(value > 0 for value in self.std),
            "analysis_size is at least 1": self.analysis_size >= 1,
            "the arguments' num_classes is the number of classes": isinstance(self.arguments, dict)
            and self.arguments.get("num_classes", len(self.classes)) == len(self.classes),
        }
        broken = [rule for rule, holds in checks.items() if not holds]
        if broken:
            raise ValueError(f"not so: {'; '.join(broken)}")


def save(path: Path, network: nn.Module, metadata: Metadata) -> None:
    """Write a network's weights, as float16 where that loses nothing that matters, and its metadata.

    Vectors (biases, BatchNorm's statistics) stay float32: they are small, and a variance can underflow. The file
    appears whole or not at all.

    Args:
        path: Where to, ending in `.safetensors`.
        network: Of the metadata's architecture.
        metadata: Stored as JSON, one entry a field.

    Raises:
        CheckpointError: A weight is not finite, or grows too large for float16.
    """
    tensors = {name: _compact(tensor) for name, tensor in network.state_dict().items()}
    _check_finite(path, tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, {key: json.dumps(value) for key, value in asdict(metadata).items()})
    partial.replace(path)


def load_metadata(path: Path) -> Metadata:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        CheckpointError: There is no such file, it is cut short, or its metadata is not a checkpoint's.
    """
    return _read(path, with_tensors=False)[0]


def load_tensors(path: Path) -> tuple[Metadata, dict[str, Tensor]]:
    """Read a checkpoint's weights by name, float32, without building its network.

    Raises:
        CheckpointError: The file is missing, cut short, or holds NaN or infinity.
    """
    metadata, tensors = _read(path, with_tensors=True)
    _check_finite(path, tensors)
    return metadata, tensors


def load(path: Path, **overrides: object) -> tuple[SegmentationNetwork, Metadata]:
    """Rebuild a network from its file alone.

    Args:
        path: A file that `save` wrote.
        **overrides: Builder arguments that take the place of the file's, such as `stride=16`.

    Returns:
        The network, float32, on the CPU and in `eval` mode, and its metadata.

    Raises:
        CheckpointError: The file is missing, cut short, of another architecture, or holds NaN or infinity.
    """
    metadata, tensors = load_tensors(path)
    try:
        # On the meta device nothing is allocated or drawn, so shapes are checked before memory is spent on them.
        with torch.device("meta"):
            network = build(metadata.architecture, **{**metadata.arguments, **overrides})
        _check_kinds(network, tensors)
        network.load_state_dict(tensors, assign=True)
    except Exception as error:  # builders answer hostile arguments with any exception
        raise CheckpointError(f"{path.name} does not fit the architecture it names: {_reason(error)}") from error
    return network.eval(), metadata


def write_sums(folder: Path) -> Path:
    """Write the sha256 of a folder's checkpoints beside them, and give the table's path."""
    lines = [f"{digest(path)}  {path.name}\n" for path in sorted(folder.glob("*.safetensors"))]
    table = folder / SUMS
    table.write_text("".join(lines), encoding="utf-8", newline="\n")
    return table


def verify(path: Path) -> None:
    """Compare a file with the sum that the table beside it has; one that is not there is for `load` to refuse.

    Raises:
        CheckpointError: The sum differs, or the table has none.
    """
    if not path.is_file():
        return
    table = path.with_name(SUMS)
    entries = table.read_text(encoding="utf-8").splitlines() if table.is_file() else []
    # Between the two stand two blanks, or a blank and an asterisk.
    sums = {name.lstrip(" *"): wanted for wanted, _, name in (entry.partition(" ") for entry in entries)}
    advice = "if you trust the file, `python -m segdemo sums` writes it"
    if path.name not in sums:
        raise CheckpointError(f"{SUMS} has no sum for {path.name}: {advice}")
    if sums[path.name] != digest(path):
        raise CheckpointError(f"{path.name} is not the file whose sum {SUMS} has: fetch it again, or {advice}")


def digest(path: Path) -> str:
    """Give a file's sha256 in hexadecimal; read once a process as long as the file stays what it is."""
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, _size: int, _changed: int) -> str:
    found = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _compact(tensor: Tensor) -> Tensor:
    is_matrix = tensor.is_floating_point() and tensor.ndim > 1
    return tensor.detach().to("cpu", torch.float16 if is_matrix else tensor.dtype).contiguous()


def _check_finite(path: Path, tensors: dict[str, Tensor]) -> None:
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise CheckpointError(f"{path.name} holds weights that are not finite numbers")


def _read(path: Path, with_tensors: bool) -> tuple[Metadata, dict[str, Tensor]]:
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path.name} in {path.parent.name or '.'}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = _parse(file.metadata() or {})
            names = file.keys() if with_tensors else ()
            tensors = {name: _expand(file.get_tensor(name)) for name in names}
    except Exception as error:  # a hostile header is answered with any exception
        raise CheckpointError(f"{path.name} is damaged or no checkpoint of this program: {_reason(error)}") from error
    return metadata, tensors


def _check_kinds(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Refuse whole numbers in the place of others, which torch would take for a buffer, and the reverse."""
    for name, wanted in network.state_dict().items():
        if name in tensors and tensors[name].is_floating_point() != wanted.is_floating_point():
            raise ValueError(f"{name} is of type {tensors[name].dtype}")


def _reason(error: Exception) -> str:
    """Give the first line of an error's message, no longer than a sentence."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:_LONGEST_REASON].rstrip(":")


def _expand(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _parse(raw: dict[str, str]) -> Metadata:
    known = {key.name for key in fields(Metadata)}
    values = {key: json.loads(text) for key, text in raw.items() if key in known}
    for key in ("classes", "colours", "mean", "std"):
        values[key] = tuple(values[key])
    if "weights" in values["arguments"]:
        raise ValueError("its arguments ask for outside weights")
    return Metadata(**values)
