"""What a run goes on from, and what is said where it cannot."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from segdemo.training.state import StateError, load_header, load_state, save_state

PARTS = {"network": {"a.weight": torch.ones(2, 3)}, "optimizer": {"0.step": torch.tensor(4.0)}}


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "run" / "state.safetensors"
    save_state(made, PARTS, {"epoch": 3})
    return made


def test_what_is_saved_comes_back_and_the_random_numbers_go_on(path):
    drawn = torch.rand(3)
    parts = load_state(path)
    assert load_header(path) == {"epoch": 3}
    assert torch.equal(parts["network"]["a.weight"], torch.ones(2, 3)) and parts["optimizer"]["0.step"] == 4
    assert torch.equal(torch.rand(3), drawn)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("size", [0, 3, 8, 60, -1])
def test_a_state_that_is_cut_short_is_said_to_be_damaged(path, size):
    path.write_bytes(path.read_bytes()[:size])
    before = torch.get_rng_state()
    for read in (load_header, load_state):
        with pytest.raises(StateError, match=r"state\.safetensors is damaged, .*delete it"):
            read(path)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("metadata", [None, {}, {"state": "{"}, {"state": "3"}])
def test_a_file_of_another_kind_is_no_state(path, metadata):
    save_file(load_file(path), path, metadata)
    with pytest.raises(StateError):
        load_header(path)


@pytest.mark.parametrize("random", [None, torch.zeros(3), torch.zeros(3, dtype=torch.uint8)])
def test_a_state_without_its_random_numbers_is_damaged(path, random):
    save_file({} if random is None else {"rng": random}, path, {"state": "{}"})
    with pytest.raises(StateError):
        load_state(path)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux lists what a process maps")
def test_nothing_stays_mapped(path):
    kept = load_state(path)
    assert str(path) not in Path("/proc/self/maps").read_text()
    del kept


def test_a_state_may_be_read_by_whom_the_umask_lets(tmp_path):
    before = os.umask(0o022)
    try:
        save_state(tmp_path / "state.safetensors", PARTS, {})
    finally:
        os.umask(before)
    assert (tmp_path / "state.safetensors").stat().st_mode & 0o777 == 0o644
