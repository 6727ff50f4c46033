"""Helper processes that decode photos, each file within limits of time and memory.

Decoders are C code that nothing in the same process can stop, and a few bytes may keep one busy for an hour. A helper
can be killed. Helpers start when they are needed, stay for later files, and end with this process, however it ends.
"""

import atexit
import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, cast

import psutil
from PIL import Image

from segdemo.images.errors import ImageError

SECONDS = 10
"""Of computing that one file may take to decode."""
MEGABYTES = 1500
"""A helper may hold so much memory."""

_MOST = 4  # helpers at a time; each takes about 40 megabytes when it is idle
_BUSY = 3  # times as long may pass by the clock, on a machine that has other work
_START_SECONDS = 20  # of computing, too
_PIPE_BYTES = 1 << 20
_POLL = 0.05  # seconds between two looks at a helper
_ROOT = Path(__file__).resolve().parents[2]
_RUN = "import sys; sys.path[:] = sys.argv[2:]; from segdemo.images import helper; helper.main(int(sys.argv[1]))"
_log = logging.getLogger(__name__)


class Decoded(NamedTuple):
    """What a helper makes of a file: an image, and the width and height that it has when it is not reduced."""

    image: Image.Image
    size: tuple[int, int]


class Pool:
    """A few helpers that decode side by side, each file within some seconds and megabytes."""

    def __init__(self, seconds: float = SECONDS, megabytes: float = MEGABYTES) -> None:
        self.seconds, self.megabytes = seconds, megabytes
        self._all: set[_Helper] = set()
        self._reset()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Begin without helpers; those of a process that forked stay its own."""
        for helper in self._all:
            helper.disconnect()
        self._places = threading.Semaphore(_MOST)
        self._idle: list[_Helper] = []
        self._all = set()

    def decode(self, request: Mapping[str, object], content: bytes = b"") -> Decoded:
        """Decode one file, its content or that at the request's `path`.

        A request has `kind`, `name`, `max_pixels` and `longer_side` too.

        Raises:
            ImageError: It cannot be used, or a limit is reached.
        """
        with self._places:
            helper = self._take(request["name"])
            try:
                return helper.ask(request, content, self.seconds, self.megabytes)
            except (OSError, EOFError, psutil.Error) as error:
                raise ImageError(f"{request['name']} {self._why_ended(helper)}") from error
            finally:
                if helper.is_idle:
                    self._idle.append(helper)
                else:  # in the middle of a file, even where only this side was interrupted
                    self._end(helper)

    def close(self) -> None:
        """End all helpers."""
        for helper in tuple(self._all):
            self._end(helper)

    def _take(self, name: object) -> "_Helper":
        while self._idle:
            try:
                helper = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if helper.process.poll() is None:
                return helper
            self._end(helper)
        helper = None
        try:
            helper = _Helper()
            self._all.add(helper)
            helper.wait_until_ready()
        except (OSError, EOFError, psutil.Error) as error:
            _log.exception("no process that decodes photos can be started")
            raise ImageError(f"{name} cannot be decoded now: try again in a minute.") from error
        finally:
            if helper and not helper.is_idle:
                self._end(helper)
        return helper

    def _end(self, helper: "_Helper") -> None:
        self._all.discard(helper)
        helper.kill("")
        helper.disconnect()

    def _why_ended(self, helper: "_Helper") -> str:
        advice = "save it anew as JPEG or PNG and try again."
        if helper.limit == "time":
            return f"takes more than {self.seconds:g} seconds to decode: {advice}"
        if helper.limit == "memory":
            return f"takes more than {self.megabytes / 1000:g} GB of memory to decode: {advice}"
        return "is damaged, or of a rare kind that cannot be read."  # its decoder crashed


class _Helper:
    """One process, which decodes one file after the other."""

    def __init__(self) -> None:
        # Not by multiprocessing, which would import the program's main module in it, and torch with that.
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN, str(SECONDS * _BUSY + 1), str(_ROOT), *filter(None, sys.path)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # of Windows
        )
        self._input, self._output = cast(io.FileIO, self.process.stdin), cast(io.FileIO, self.process.stdout)
        if sys.platform == "linux":
            import fcntl  # noqa: PLC0415 - not on Windows

            with suppress(OSError):  # each fill of the pipe costs a wait where many processes run
                fcntl.fcntl(self._output.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self.usage = psutil.Process(self.process.pid)
        self.is_idle = False
        self.limit = ""  # that was reached

    def wait_until_ready(self) -> None:
        """Wait for its imports, which are no file's fault."""
        with _Watch(self, _START_SECONDS, MEGABYTES):
            self._receive()
        self.is_idle = True

    def ask(self, request: Mapping[str, object], content: bytes, seconds: float, megabytes: float) -> Decoded:
        """Decode one file, or raise ImageError; OSError or EOFError where the process is gone."""
        self.is_idle = False
        with _Watch(self, seconds, megabytes):
            waiting = memoryview(json.dumps({**request, "bytes": len(content)}).encode() + b"\n" + content)
            while waiting:
                waiting = waiting[self._input.write(waiting) :]
            reply = self._receive()
        # What is left is a copy of known length, which a busy machine may take its time for.
        image = None if "problem" in reply else self._receive_image(reply["mode"], *reply["size"], reply["rows"])
        self.is_idle = not self.limit
        if image is None:
            raise ImageError(reply["problem"])
        return Decoded(image, tuple(reply["own_size"]))

    def seconds_of_computing(self) -> float:
        """Give what it has used so far."""
        times = self.usage.cpu_times()
        return times.user + times.system

    def kill(self, limit: str) -> None:
        """End the process."""
        self.limit = self.limit or limit
        self.process.kill()
        self.process.wait()

    def disconnect(self) -> None:
        """Close this side of its pipes."""
        self._input.close()
        self._output.close()

    def _receive(self) -> dict:
        return json.loads(bytes(self._read(bytearray(int.from_bytes(self._read(bytearray(4)), "little")))))

    def _receive_image(self, mode: str, width: int, height: int, rows: int) -> Image.Image:
        image = Image.new(mode, (width, height))
        row = len(Image.new(mode, (width, 1)).tobytes())
        buffer = memoryview(bytearray(row * min(rows, height)))
        for top in range(0, height, rows):  # in bands that fit a cache
            count = min(rows, height - top)
            band = self._read(buffer[: row * count])
            image.paste(Image.frombuffer(mode, (width, count), cast(bytes, band), "raw", mode, 0, 1), (0, top))
        return image

    def _read(self, buffer: bytearray | memoryview) -> bytearray | memoryview:
        waiting = memoryview(buffer)
        while waiting:
            count = self._output.readinto(waiting)
            if not count:
                raise EOFError("a process that decodes photos ended")
            waiting = waiting[count:]
        return buffer


class _Watch(threading.Thread):
    """Kills a helper that reaches a limit; whoever reads from it then meets the end of the pipe."""

    def __init__(self, helper: _Helper, seconds: float, megabytes: float) -> None:
        super().__init__(name="decoding", daemon=True)
        self._helper, self._bytes = helper, megabytes * 1e6
        self._end, self._end_of_computing = time.monotonic() + seconds * _BUSY, helper.seconds_of_computing() + seconds
        self._done = threading.Event()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()

    def run(self) -> None:
        """Look until the work is done."""
        with suppress(psutil.Error):  # it has just ended
            while not self._done.wait(_POLL):
                if time.monotonic() > self._end or self._helper.seconds_of_computing() > self._end_of_computing:
                    self._helper.kill("time")
                elif self._helper.usage.memory_info().rss > self._bytes:
                    self._helper.kill("memory")


POOL = Pool()
