"""What a stopped run needs to go on as if it had not stopped."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from segdemo.safe_files import write_bytes

_RNG = "rng"


class StateError(ValueError):
    """A file is no state that a run can go on from; the message says what to do in one sentence."""


def save_state(path: Path, parts: dict[str, dict[str, Tensor]], header: dict[str, object]) -> None:
    """Write groups of tensors and plain values, with the CPU's random state, so that the file is whole or not at all.

    Raises:
        OSError: The file cannot be written; the one before it is still there.
    """
    tensors = {f"{part}.{name}": tensor.contiguous() for part, group in parts.items() for name, tensor in group.items()}
    tensors[_RNG] = torch.get_rng_state()
    write_bytes(path, serialise(tensors, {"state": json.dumps(header)}))


def load_header(path: Path) -> dict[str, Any]:
    """Read the plain values alone.

    Raises:
        StateError: The file is damaged or no state.
        OSError: It cannot be opened.
    """
    return _read(path, with_tensors=False)[0]


def load_state(path: Path) -> dict[str, dict[str, Tensor]]:
    """Read the groups of tensors back, and put the random numbers where they stood.

    Raises:
        StateError: The file is damaged or no state.
        OSError: It cannot be opened.
    """
    tensors = _read(path, with_tensors=True)[1]
    try:
        torch.set_rng_state(tensors.pop(_RNG))
    except (KeyError, TypeError, RuntimeError) as error:
        raise _damaged(path) from error
    parts: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = tensor
    return parts


def _read(path: Path, with_tensors: bool) -> tuple[dict[str, object], dict[str, Tensor]]:
    path.open("rb").close()  # whose error says why it cannot be opened; `safe_open`'s says "not found" to all
    try:
        with safe_open(path, "pt") as file:
            header = json.loads(file.metadata()["state"])
            # Cloned, since a mapped file cannot be replaced on Windows, and ends the process where it is cut short.
            keys = file.keys() if with_tensors else ()
            return dict(header), {key: file.get_tensor(key).clone() for key in keys}
    except Exception as error:  # a damaged header is answered with any exception
        raise _damaged(path) from error


def _damaged(path: Path) -> StateError:
    return StateError(
        f"{path} is damaged, or no state of a run: put a copy back, or delete it and train anew without --resume"
    )


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Name an optimizer's running means, one tensor each: `3.exp_avg` is that of its fourth parameter."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": value for index, values in state.items() for key, value in values.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimizer of the same parameters its running means back."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
