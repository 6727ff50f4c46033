"""Files that appear whole or not at all, and what is said to a person when one cannot be read or written."""

import errno
import os
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_PREFIX, _SUFFIX = ".segdemo-", ".partial"
_LONGEST_QUOTE = 60  # letters

_SENTENCES = {
    errno.ENOSPC: "The disk is full: {name} could not be written. Free some space, then try again.",
    errno.EDQUOT: "Your share of the disk is full: {name} could not be written. Free some space, then try again.",
    errno.EACCES: "You are not allowed to use {name}: change its permissions, or choose another place.",
    errno.EPERM: "You are not allowed to use {name}: change its permissions, or choose another place.",
    errno.EROFS: "{name} lies on a disk that can only be read: choose another place.",
    errno.ENOENT: "There is no file or folder {name}, and none can be made there: check the path.",
    errno.ENOTDIR: "{name} cannot be reached, since a part of this path is a file and no folder: check the path.",
    errno.EISDIR: "{name} is a folder where a file is needed: choose another name.",
    errno.EEXIST: "{name} is there already, and is no folder: choose another name.",
    errno.ENAMETOOLONG: "The name {name} is too long for this disk: choose a shorter one.",
    errno.ELOOP: "{name} is a link that leads back to itself: remove it, or choose another path.",
    errno.EMFILE: "Too many files are open to use {name}: close other programs, or raise the limit (`ulimit -n`).",
}


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """Open a file for writing that appears whole or not at all, with the permissions that the user's umask gives.

    Its folder is made where there is none. A file of this name is replaced in the end.

    Raises:
        OSError: It cannot be written; the error names the file.
    """
    partial = path.parent / f"{_PREFIX}{uuid.uuid4().hex}{_SUFFIX}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Not by `tempfile`, whose files only their owner can read.
            with partial.open("xb") as file:
                yield file
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        # A full disk names no file, and the partial one's name would tell nobody anything.
        if error.filename is None or error.filename == str(partial):
            error.filename, error.filename2 = str(path), None
        raise


def write_bytes(path: Path, content: bytes | bytearray) -> None:
    """Write a file as `replacing` does.

    Raises:
        OSError: It cannot be written; the error names the file.
    """
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8 as `write_bytes` does; line ends stay as they are."""
    write_bytes(path, text.encode("utf-8"))


def remove_partials(folder: Path, older_than: float = 0.0) -> None:
    """Remove what these functions left in a folder, if it is there, when their process was killed.

    What is younger than some seconds may be another process's that is still at work.
    """
    for partial in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        try:
            if time.time() - partial.stat().st_mtime >= older_than:
                partial.unlink()
        except OSError:  # another process was quicker, or it is not ours to remove
            continue


def explain(error: OSError) -> str:
    """Put an error of the file system into one sentence that names the file and says what to do."""
    named = error.filename if isinstance(error.filename, str | bytes | os.PathLike) else "A file"
    name = printable(os.fsdecode(named))
    if error.errno in _SENTENCES:
        return _SENTENCES[error.errno].format(name=name)
    if error.errno is None:  # raised by a library in its own words
        return printable(str(error))
    return f"{name} cannot be used: {error.strerror}."


def quoted(text: object) -> str:
    """Quote what somebody wrote, such as a name that there is not, no longer than a sentence bears."""
    found = repr(text)
    return found if len(found) <= _LONGEST_QUOTE else f"{found[:_LONGEST_QUOTE]}…"


def printable(text: str) -> str:
    r"""Write what a terminal would obey, such as escape sequences in a file's name, so that it is shown: as `\x1b`."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode("ascii")
        for letter in text
    )
