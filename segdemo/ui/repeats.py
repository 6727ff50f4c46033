"""Requests that a browser sends twice."""

import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager


class Repeats:
    """Knows what runs for whom, so that the same is not run twice at once: Gradio reports one upload as two changes."""

    def __init__(self) -> None:
        self._running: set[tuple[str, str]] = set()
        self._guard = threading.Lock()

    @contextmanager
    def first(self, visitor: str | None, photo: str) -> Generator[bool]:
        """Say whether this is the only request of a visitor's session for a photo, and remember it while it runs."""
        key = (visitor or uuid.uuid4().hex, photo)  # whoever has no session repeats nothing
        with self._guard:
            is_first = key not in self._running
            self._running.add(key)
        try:
            yield is_first
        finally:
            if is_first:
                self._running.discard(key)
