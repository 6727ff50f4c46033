"""Trained networks as safetensors files whose metadata is enough to rebuild them."""

import json
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise
from torch import Tensor, nn

from segdemo.checksums import digest, verify
from segdemo.metadata import CheckpointError, Metadata
from segdemo.models import SegmentationNetwork, build
from segdemo.safe_files import explain, write_bytes

_INSTALLED = Path(__file__).parent / "bundled"
FOLDER = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parent.parent / "checkpoints"
"""Where the bundled checkpoints lie: inside an installed package, or in the repository."""

_STAGES = "stages."  # what the names of a trunk's tensors begin with
_LONGEST_REASON = 200  # letters


def save(path: Path, network: nn.Module, metadata: Metadata) -> None:
    """Write a network's weights, as float16 where that loses nothing that matters, and its metadata as JSON.

    Of a network on another file's trunk the stages are left out: `load` takes them from there. Vectors (biases,
    BatchNorm's statistics) stay float32: they are small, and a variance can underflow. The file, whose name ends in
    `.safetensors`, appears whole or not at all.

    Raises:
        CheckpointError: A weight is not finite, or grows too large for float16.
        OSError: The file cannot be written.
    """
    state = network.state_dict()
    own = {name: tensor for name, tensor in state.items() if not (metadata.trunk and name.startswith(_STAGES))}
    tensors = {name: _compact(tensor) for name, tensor in own.items()}
    _check_finite(path, tensors)
    # Not by `save_file`: its files are for their owner alone, and a killed one leaves a part under a name of its own.
    write_bytes(path, serialise(tensors, {key: json.dumps(value) for key, value in asdict(metadata).items()}))


def load_metadata(path: Path) -> Metadata:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        CheckpointError: There is no such file, it is cut short, or its metadata is not a checkpoint's.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path.name} in {path.parent.name or '.'}")
    try:
        path.open("rb").close()  # whose error says why it cannot be opened; `safe_open`'s says "not found" to all
        with safe_open(path, framework="pt") as file:
            return _parse(file.metadata() or {})
    except Exception as error:  # a hostile header is answered with any exception
        raise _unreadable(path, error) from error


def load_tensors(path: Path, verified: bool = False) -> tuple[Metadata, dict[str, Tensor]]:
    """Read a checkpoint's weights by name, float32, without building its network; `verified` is as `load` takes it.

    Raises:
        CheckpointError: The file is missing, cut short, or holds NaN or infinity.
    """
    if not verified or not path.is_file():
        load_metadata(path)  # what is no checkpoint is refused by its first bytes, however large it is
    try:
        # Read, not mapped: a mapped file that is overwritten changes the network, and one that is cut ends the process.
        content = path.read_bytes()
        if verified:
            verify(path, sha256(content).hexdigest())
        tensors = {name: _expand(tensor) for name, tensor in parse_tensors(content).items()}
        metadata = _parse(_header(content))
    except CheckpointError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error
    _check_finite(path, tensors)
    return metadata, tensors


def load(path: Path, verified: bool = False, **overrides: object) -> tuple[SegmentationNetwork, Metadata]:
    """Rebuild a network from its file alone; nothing that later happens to the file changes the network.

    Args:
        path: A file that `save` wrote.
        verified: Refuse what is not the file whose sum the table beside it has, as `verify` does.
        **overrides: Builder arguments that take the place of the file's, such as `stride=16`.

    Returns:
        The network, float32, on the CPU and in `eval` mode, and its metadata.

    Raises:
        CheckpointError: The file is missing, cut short, of another architecture, or holds NaN or infinity.
    """
    metadata, tensors = load_tensors(path, verified)
    if metadata.trunk:
        tensors |= trunk_tensors(path, metadata)
    try:
        # On the meta device nothing is allocated or drawn, so shapes are checked before memory is spent on them.
        with torch.device("meta"):
            network = build(metadata.architecture, **{**metadata.arguments, **overrides})
        _check_kinds(network, tensors)
        network.load_state_dict(tensors, assign=True)
    except Exception as error:  # builders answer hostile arguments with any exception
        raise CheckpointError(f"{path.name} does not fit the architecture it names: {_reason(error)}") from error
    return network.eval(), metadata


def trunk_tensors(path: Path, metadata: Metadata) -> dict[str, Tensor]:
    """Read the float32 weights by name of the stages that a checkpoint's network shares with another one.

    The trunk's file lies beside the checkpoint or among the bundled ones.

    Raises:
        CheckpointError: The trunk's file is missing, damaged, or another one than the checkpoint was made with.
    """
    found = [file for folder in (path.parent, FOLDER) if (file := folder / metadata.trunk).is_file()]
    fitting = next((file for file in found if digest(file) == metadata.trunk_sha256), None)
    if fitting is None:
        what = "another file of that name is here" if found else "it is not here"
        raise CheckpointError(f"{path.name} needs the frozen stages of {metadata.trunk}, and {what}.")
    return {name: tensor for name, tensor in load_tensors(fitting)[1].items() if name.startswith(_STAGES)}


def _compact(tensor: Tensor) -> Tensor:
    is_matrix = tensor.is_floating_point() and tensor.ndim > 1
    return tensor.detach().to("cpu", torch.float16 if is_matrix else tensor.dtype).contiguous()


def _check_finite(path: Path, tensors: dict[str, Tensor]) -> None:
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise CheckpointError(f"{path.name} holds weights that are not finite numbers")


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    if isinstance(error, OSError):
        return CheckpointError(explain(error))
    return CheckpointError(f"{path.name} is damaged or no checkpoint of this program: {_reason(error)}")


def _header(content: bytes) -> dict[str, str]:
    """Give the plain values in a safetensors file: its header is JSON, whose length the first eight bytes say."""
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]).get("__metadata__", {})


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
