"""What a run makes sure of before its first step."""

import errno
from collections import namedtuple

import pytest
from torch import nn

from segdemo.safe_files import explain
from segdemo.training import run_folder
from segdemo.training.run_folder import check_space, prepare

WRITES = ("log.csv", "fcn.safetensors")


def test_the_folder_is_made_and_left_empty(tmp_path):
    prepare(tmp_path / "runs" / "fcn", WRITES, resume=False)
    assert list((tmp_path / "runs" / "fcn").iterdir()) == []


def test_what_a_killed_run_left_half_written_goes(tmp_path):
    (tmp_path / ".segdemo-12.partial").write_text("half")
    prepare(tmp_path, WRITES, resume=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", WRITES)
def test_a_run_that_is_there_is_not_written_over(tmp_path, name):
    (tmp_path / name).write_text("")
    with pytest.raises(ValueError, match=f"{name} is there already: go on with --resume"):
        prepare(tmp_path, WRITES, resume=False)
    prepare(tmp_path, WRITES, resume=True)


def test_the_checkpoint_that_a_run_starts_from_is_not_written_over(tmp_path):
    start = tmp_path / "fcn.safetensors"
    start.write_text("")
    with pytest.raises(ValueError, match="is read by this run"):
        prepare(tmp_path, WRITES, resume=True, reads=[start])
    prepare(tmp_path / "other", WRITES, resume=False, reads=[start])


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_said_before_the_first_step(tmp_path, monkeypatch, number):
    def refuse(path, _):
        raise OSError(number, "refused", str(path))

    monkeypatch.setattr(run_folder, "write_bytes", refuse)
    with pytest.raises(OSError, match="refused") as caught:
        prepare(tmp_path, WRITES, resume=False)
    assert str(tmp_path) in explain(caught.value) and ".segdemo-" not in explain(caught.value)


def test_a_file_in_the_folder_s_place_is_named(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(OSError) as caught:
        prepare(tmp_path / "runs" / "fcn", WRITES, resume=False)
    assert str(tmp_path / "runs") in explain(caught.value)


def test_a_disk_that_is_too_small_is_said_before_the_first_step(tmp_path, monkeypatch):
    network = nn.Linear(1000, 1000)
    check_space(tmp_path, network)
    usage = namedtuple("Usage", "free")
    monkeypatch.setattr(run_folder.shutil, "disk_usage", lambda _: usage(17_000_000))
    with pytest.raises(ValueError, match=r"has 17 MB left, and a run of this network writes 18 MB"):
        check_space(tmp_path, network)
