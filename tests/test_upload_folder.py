"""Uploads and results go by age, with the program, and after a kill at the next start."""

import os
import signal
import subprocess
import sys
import time

import pytest

from segdemo.ui.upload_folder import AGE, UploadFolder

HOUR = 3600


@pytest.fixture
def clock(monkeypatch):
    """Let hours pass."""
    passed = [0.0]
    now = time.time
    monkeypatch.setattr("segdemo.ui.upload_folder.time.time", lambda: now() + passed[0])
    return passed


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != ".running"}


def test_what_is_old_goes_whatever_it_is_called_and_whoever_made_it(tmp_path, clock):
    uploads = UploadFolder(str(tmp_path))
    for name in ("a1b2/photo.jpg", "results/c3/segdemo.zip", "results/c3/results/..jpg.json", "tmpx1y2", "tmp0"):
        path = uploads.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name.startswith("tmp") else b"photo")
    (uploads.path / "link").symlink_to(tmp_path)
    clock[0] = AGE - 60
    assert uploads.clear(AGE) == set()
    clock[0] = AGE + 60
    assert str(uploads.path / "tmp0") in uploads.clear(AGE)
    clock[0] += HOUR
    uploads.clear(AGE)
    assert files(uploads.path) == set()
    assert tmp_path.is_dir()


def test_what_cannot_be_deleted_stops_nothing(tmp_path, clock, monkeypatch):
    uploads = UploadFolder(str(tmp_path))
    for name in ("open.jpg", "other.jpg"):
        (uploads.path / name).write_bytes(b"photo")
    unlink = type(uploads.path).unlink

    def refuse(path, *rest):
        if path.name == "open.jpg":
            raise PermissionError(path)
        unlink(path, *rest)

    monkeypatch.setattr(type(uploads.path), "unlink", refuse)
    clock[0] = AGE + 60
    uploads.clear(AGE)
    assert files(uploads.path) == {"open.jpg"}
    monkeypatch.undo()
    assert uploads.clear(-HOUR) == {str(uploads.path / "open.jpg")}, "tried again the next time"


def test_the_page_s_own_pictures_stay(tmp_path, clock):
    uploads = UploadFolder(str(tmp_path))
    (uploads.path / "example.jpg").write_bytes(b"example")
    uploads.start_clearing(lambda deleted: None)
    (uploads.path / "photo.jpg").write_bytes(b"photo")
    clock[0] = 9 * HOUR
    assert uploads.clear(AGE) == {str(uploads.path / "photo.jpg")}
    assert files(uploads.path) == {"example.jpg"}


def test_a_copy_of_an_old_file_is_as_old_as_the_copy(tmp_path):
    uploads = UploadFolder(str(tmp_path))
    copy = uploads.path / "lion.jpg"
    copy.write_bytes(b"lion")
    os.utime(copy, (0, 0))
    assert uploads.clear(AGE) == set()


def test_what_is_deleted_is_forgotten(tmp_path, clock, monkeypatch):
    uploads = UploadFolder(str(tmp_path))
    monkeypatch.setattr("segdemo.ui.upload_folder._EVERY", 0.01)
    forgotten = set()
    uploads.start_clearing(forgotten.update)
    (uploads.path / "photo.jpg").write_bytes(b"photo")
    clock[0] = AGE + 60
    end = time.monotonic() + 20
    while not forgotten and time.monotonic() < end:
        time.sleep(0.01)
    assert forgotten == {str(uploads.path / "photo.jpg")}


PROGRAM = """
import sys, time
from segdemo.ui.upload_folder import UploadFolder
uploads = UploadFolder(sys.argv[1])
(uploads.path / "photo.jpg").write_bytes(b"photo")
print(uploads.path, flush=True)
time.sleep(float(sys.argv[2]))
"""


def start(folder, seconds):
    command = [sys.executable, "-c", PROGRAM, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    return process


def test_with_the_program_everything_goes(tmp_path):
    assert start(tmp_path, 0).wait(timeout=60) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_of_a_killed_program_everything_goes_at_the_next_start_and_of_a_running_one_nothing(tmp_path):
    killed, running = start(tmp_path, 60), start(tmp_path, 60)
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait(timeout=60)
        assert len(list(tmp_path.glob("*/photo.jpg"))) == 2
        assert start(tmp_path, 0).wait(timeout=60) == 0
        assert len(list(tmp_path.glob("*/photo.jpg"))) == 1
        assert running.poll() is None
    finally:
        running.kill()
    running.wait(timeout=60)


def test_folders_of_others_are_left_alone(tmp_path):
    (tmp_path / "segdemo-notes").mkdir()
    (tmp_path / "segdemo-notes" / "mine.txt").write_text("mine")
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    (tmp_path / "segdemo-trap").mkdir()
    (tmp_path / "segdemo-trap" / ".running").symlink_to(precious)
    (tmp_path / "segdemo-link").symlink_to(tmp_path / "segdemo-notes")
    UploadFolder(str(tmp_path))
    assert (tmp_path / "segdemo-notes" / "mine.txt").exists()
    assert precious.read_text() == "precious"
    assert (tmp_path / "segdemo-trap").exists()
