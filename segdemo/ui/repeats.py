"""Requests that a browser sends twice."""

import threading
from collections.abc import Generator
from contextlib import contextmanager


class Repeats:
    """Knows what runs for whom, so that the same is not run twice at once: Gradio reports one upload as two changes."""

    def __init__(self) -> None:
        self._running: set[tuple[str, str]] = set()
        self._guard = threading.Lock()

    @contextmanager
    def first(self, visitor: str | None, photo: str) -> Generator[bool]:
        """Say whether this is the only request of a visitor's for a photo, and remember it while it runs.

        Args:
            visitor: Their session; None for a caller that has none.
            photo: Its path.
        """
        key = (visitor or "", photo)
        with self._guard:
            is_first = visitor is None or key not in self._running
            if is_first:
                self._running.add(key)
        try:
            yield is_first
        finally:
            if is_first:
                with self._guard:
                    self._running.discard(key)
