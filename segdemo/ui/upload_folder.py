"""The folder of uploads and results: one for each run of the program, cleared by age, gone with the program."""

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "segdemo-"
AGE = 2 * 3600.0
"""Seconds that a file is kept."""
_EVERY = 600.0  # seconds between two looks, and the age of an empty folder that goes
_LOCK = ".running"
_log = logging.getLogger(__name__)


class UploadFolder:
    """A folder of this process in which nothing grows old, made in a parent or the system's folder for temporary files.

    What programs that were killed have left beside it is removed first.
    """

    def __init__(self, parent: str | None = None) -> None:
        place = Path(parent or tempfile.gettempdir())
        place.mkdir(parents=True, exist_ok=True)
        remove_abandoned(place)
        # Goes with the program; resolved, since Gradio compares paths with their links followed.
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, dir=place, ignore_cleanup_errors=True)
        self.path = Path(self._folder.name).resolve()
        self._lock = FileLock(self.path / _LOCK)
        with suppress(OSError, NotImplementedError):  # on a disk without locks a killed program's folder stays
            self._lock.acquire(timeout=0)
        self.own: frozenset[Path] = frozenset([self.path / _LOCK])

    def start_clearing(self, forget: Callable[[set[str]], None]) -> None:
        """From now on delete what is old, and tell its paths; the files that are there now are the page's, and stay."""
        self.own |= frozenset(path for path in self.path.rglob("*") if path.is_file())

        def clear() -> None:
            while True:
                time.sleep(_EVERY)
                forget(self.clear(AGE))

        threading.Thread(target=clear, name="clear uploads", daemon=True).start()

    def clear(self, age: float) -> set[str]:
        """Delete files that were put there more than `age` seconds ago, and empty folders; gives the files' paths.

        What cannot be deleted now, as an open file on Windows, is tried again the next time.
        """
        deleted, now = set(), time.time()
        for folder, inner, names in os.walk(self.path, topdown=False):
            links = [name for name in inner if Path(folder, name).is_symlink()]
            for path in (Path(folder, name) for name in names + links):
                if path not in self.own and _delete(path.unlink, path, now - age):
                    deleted.add(str(path))
            if Path(folder) != self.path:
                # One that is full stays; one that was made just now is about to be written to.
                _delete(Path(folder).rmdir, Path(folder), now - min(age, _EVERY))
        return deleted


def remove_abandoned(place: Path) -> None:
    """Remove the folders of programs that run no more: no one holds their lock."""
    for folder in place.glob(f"{PREFIX}*"):
        lock = folder / _LOCK
        if not (_is_ours(folder) and _is_ours(lock)):
            continue
        try:
            with FileLock(lock, timeout=0):
                pass
        except (Timeout, OSError, NotImplementedError):  # in use, or on a disk that cannot tell
            continue
        shutil.rmtree(folder, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    """Say whether a path is there, no link, and of this user, where the system has users."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return not path.is_symlink() and found.st_uid == getattr(os, "getuid", lambda: found.st_uid)()


def _delete(how: Callable[[], None], path: Path, before: float) -> bool:
    try:
        # The time at which it came here: a copy of an old file has that file's time of change.
        if path.lstat().st_ctime >= before:
            return False
        how()
    except OSError as error:
        _log.debug("%s stays for now: %s", path, error)
        return False
    return True
