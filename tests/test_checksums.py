"""The table of sums and the files that it names."""

import hashlib
from pathlib import Path

import pytest

from segdemo.checkpoints import load
from segdemo.checksums import SUMS, digest, verify, write_sums
from segdemo.metadata import CheckpointError


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "tiny.safetensors"
    file.write_bytes(b"what sums are made of")
    return file


def test_the_table_of_sums_is_what_sha256sum_writes_and_a_file_that_it_names_passes(path, tmp_path):
    table = write_sums(tmp_path)
    assert table.read_text() == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  tiny.safetensors\n"
    verify(path)


@pytest.mark.parametrize("mark", ["  ", " *"])
def test_both_ways_of_writing_a_sum_are_read(path, mark):
    path.with_name(SUMS).write_text(f"{'0' * 64}{mark}other.safetensors\n{digest(path)}{mark}{path.name}\n")
    verify(path)


def test_a_file_that_is_another_than_its_sum_says_is_refused(path, tmp_path):
    write_sums(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"tiny.safetensors is not the file whose sum SHA256SUMS has: fetch it"):
        verify(path)


@pytest.mark.parametrize("table", [None, "", "nonsense\n", f"{'0' * 64}  other.safetensors\n"])
def test_a_file_without_a_sum_is_refused(path, table):
    if table is not None:
        path.with_name(SUMS).write_text(table)
    with pytest.raises(CheckpointError, match=r"SHA256SUMS has no sum for tiny\.safetensors"):
        verify(path)


def test_a_file_is_summed_once_as_long_as_it_stays_what_it_is(path, monkeypatch):
    opened = []
    monkeypatch.setattr(
        Path, "open", lambda self, *a, _open=Path.open, **k: opened.append(self) or _open(self, *a, **k)
    )
    first = digest(path)
    assert digest(path) == first
    assert opened == [path]
    monkeypatch.undo()
    path.write_bytes(b"other")
    assert digest(path) == hashlib.sha256(b"other").hexdigest() != first


def test_a_table_of_sums_that_is_no_text_is_said_to_be_damaged(path):
    path.with_name(SUMS).write_bytes(b"\xff\xfe" + bytes(range(128, 256)))
    with pytest.raises(CheckpointError, match=r"SHA256SUMS beside tiny\.safetensors is damaged, since it is no text"):
        load(path, verified=True)
