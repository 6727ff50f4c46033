"""What a checkpoint says of itself, and what it must not say."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import save_file
from test_checkpoints import METADATA

from segdemo.checkpoints import load_metadata
from segdemo.metadata import CheckpointError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", []),
        ("classes", ["background", 7, "dog"]),
        ("colours", ["#000000"]),
        ("colours", ["red", "green", "blue"]),
        ("mean", "x"),
        ("std", [0.0, 0.2, 0.2]),
        ("analysis_size", -1),
    ],
)
def test_metadata_that_nobody_could_compute_with_is_refused(tmp_path, name, value):
    path = tmp_path / "tiny.safetensors"
    raw = {key: json.dumps(v) for key, v in dataclasses.asdict(METADATA).items()}
    save_file({"x": torch.zeros(1)}, path, {**raw, name: json.dumps(value)})
    with pytest.raises(CheckpointError, match=r"tiny\.safetensors is damaged"):
        load_metadata(path)
