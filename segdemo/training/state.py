"""What a stopped run needs to go on as if it had not stopped."""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor


def save_state(path: Path, parts: dict[str, dict[str, Tensor]], header: dict[str, object]) -> None:
    """Write tensors and plain values so that the file appears whole or not at all.

    Args:
        path: Where to.
        parts: Named groups of named tensors; the random numbers' state on the CPU is added.
        header: Anything that JSON holds.
    """
    tensors = {f"{part}.{name}": tensor.contiguous() for part, group in parts.items() for name, tensor in group.items()}
    tensors["rng"] = torch.get_rng_state()
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, {"state": json.dumps(header)})
    partial.replace(path)


def load_header(path: Path) -> dict[str, object]:
    """Read the plain values alone."""
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["state"])


def load_state(path: Path) -> dict[str, dict[str, Tensor]]:
    """Read the groups of tensors back, and put the random numbers where they stood."""
    parts: dict[str, dict[str, Tensor]] = {}
    with safe_open(path, "pt") as file:
        torch.set_rng_state(file.get_tensor("rng"))
        for key in file.keys():  # noqa: SIM118 - no mapping
            part, _, name = key.partition(".")
            if name:
                parts.setdefault(part, {})[name] = file.get_tensor(key)
    return parts


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
