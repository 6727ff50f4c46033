"""Files that are whole or not there, and sentences for those that cannot be used."""

import errno
import os
import time
from pathlib import Path

import pytest

from segdemo.safe_files import explain, printable, quoted, remove_partials, write_bytes, write_text


def test_a_file_appears_whole_with_its_folder_and_nothing_beside_it(tmp_path):
    path = tmp_path / "new" / "file.txt"
    for text in ("first", "second\n"):
        write_text(path, text)
        assert path.read_bytes() == text.encode()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_the_umask_says_who_may_read(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "file", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_full_disk_leaves_the_old_file_and_names_it(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space") as caught:
        write_bytes(path, b"new")
    assert explain(caught.value) == f"The disk is full: {path} could not be written. Free some space, then try again."
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_write_that_the_disk_refuses_names_the_file(tmp_path, monkeypatch):
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, mode: opened(Path("/dev/full"), mode.replace("x", "w")))
    with pytest.raises(OSError, match="No space") as caught:
        write_bytes(tmp_path / "file", b"new")
    assert caught.value.filename == str(tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError) as caught:
        write_bytes(tmp_path / "file" / "inside" / "x", b"")
    assert str(tmp_path / "file") in explain(caught.value)


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    for name in (".segdemo-1.partial", ".segdemo-2.partial", "mine.partial", ".segdemo-notes"):
        (tmp_path / name).write_text("")
    old = time.time() - 100
    os.utime(tmp_path / ".segdemo-1.partial", (old, old))
    remove_partials(tmp_path, older_than=50)
    assert not (tmp_path / ".segdemo-1.partial").exists()
    remove_partials(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".segdemo-notes", "mine.partial"]
    remove_partials(tmp_path / "none")


@pytest.mark.parametrize(
    "name", ["ENOSPC", "EACCES", "EPERM", "EROFS", "ENOENT", "EISDIR", "EEXIST", "ENAMETOOLONG", "EMFILE", "EIO"]
)
def test_every_error_is_one_sentence_that_names_the_file(name):
    number = getattr(errno, name)
    said = explain(OSError(number, os.strerror(number), "some/file.png"))
    assert "some/file.png" in said
    assert "Errno" not in said and said.endswith(".") and "\n" not in said


def test_an_error_without_a_number_keeps_its_words():
    assert explain(OSError("encoder error -2")) == "encoder error -2"


def test_a_terminal_does_not_obey_a_name():
    assert printable("a\x1b[31mb\n\u202egpj\udce9한é×.png") == "a\\x1b[31mb\\n\\u202egpj\\udce9한é×.png"


@pytest.mark.parametrize(("text", "said"), [("a\n'b", '"a\\n\'b"'), (None, "None"), ("x" * 9000, "'" + "x" * 59 + "…")])
def test_a_name_is_quoted_no_longer_than_a_sentence_bears(text, said):
    assert quoted(text) == said
