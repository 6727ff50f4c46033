"""What a host needs of the server: a health check, a clear word when it is busy, and an end that loses nothing."""

import json
import signal
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from types import FrameType
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH = "/health"
BUSY = "Many people are using this page right now. Please try again in a minute."
STOPPING = "The server is stopping. Please try again in a minute."
_JOIN = "/queue/join"  # where the browser and the clients hand in requests
_RESULTS = "/queue/data"  # where they wait for results
_BUSY_STATUS = 503
_POLL, _GRACE = 0.1, 1.0  # seconds; a page that has its result still fetches the pictures


class Host:
    """Knows what is going on in this process, and ends it in an orderly way.

    Args:
        patience: Seconds that running requests are given at the end.
    """

    def __init__(self, patience: float = 30.0) -> None:
        self.patience = patience
        self.is_stopping = threading.Event()
        self._streams, self._guard = 0, threading.Lock()

    @property
    def open_streams(self) -> int:
        """The number of visitors who wait for a result."""
        return self._streams

    def count_stream(self, change: int) -> None:
        """Note that a visitor began (1) or ceased (-1) to wait for results."""
        with self._guard:
            self._streams += change

    def handle_stop_signal(self) -> None:
        """From now on a stop signal (SIGTERM) lets running requests end, and then ends the program.

        Only the main thread may set this; elsewhere, as in a test's server, nothing is set.
        """
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self.is_stopping.is_set():
            self.is_stopping.set()
            # A program that a shell put into the background ignores interrupts.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            threading.Thread(target=self._interrupt_when_idle, name="stop", daemon=True).start()

    def _interrupt_when_idle(self) -> None:
        end = time.monotonic() + self.patience
        while self.open_streams and time.monotonic() < end:
            time.sleep(_POLL)
        time.sleep(_GRACE)
        # As Ctrl+C does: Gradio closes its server, and Python runs what is registered for its end.
        signal.raise_signal(signal.SIGINT)


class HostMiddleware:
    """Answers the health check, and puts the server's refusals into words.

    Args:
        app: The ASGI application.
        host: Of this process.
    """

    def __init__(self, app: AsgiApp, host: Host) -> None:
        self.app, self.host = app, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        stopping = self.host.is_stopping.is_set()
        if path == HEALTH:
            await _answer(send, _BUSY_STATUS if stopping else 200, {"status": "stopping" if stopping else "ok"})
        elif path.endswith(_JOIN):
            await (_refuse(send, STOPPING) if stopping else self.app(scope, receive, _in_words(send)))
        elif path.endswith(_RESULTS):
            self.host.count_stream(1)
            try:
                await self.app(scope, receive, send)
            finally:
                self.host.count_stream(-1)
        else:
            await self.app(scope, receive, send)


def _in_words(send: Send) -> Send:
    """Say "busy" where Gradio counts the places of its queue."""
    refused = False

    async def translate(message: MutableMapping[str, Any]) -> None:
        nonlocal refused
        if message["type"] == "http.response.start" and message["status"] == _BUSY_STATUS:
            refused = True
            await _refuse(send, BUSY)
        elif not refused:
            await send(message)

    return translate


async def _refuse(send: Send, sentence: str) -> None:
    await _answer(send, _BUSY_STATUS, {"detail": sentence})


async def _answer(send: Send, status: int, content: dict[str, str]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
