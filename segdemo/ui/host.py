"""What a host needs of the server: a health check, a clear word when it is busy, and an end that loses nothing."""

import json
import os
import re
import signal
import threading
import time
from contextlib import suppress
from types import FrameType

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEALTH = "/health"
BUSY = "Many people are using this page right now. Please try again in a minute."
STOPPING = "The server is stopping. Please try again in a minute."
_JOIN = "/queue/join"  # where the browser and the clients hand in requests
_CALL = re.compile(r".*/call/(v2/)?[^/]+/?")  # where curl does
_RESULT = re.compile(r".*/call/(?:v2/)?[^/]+/([^/]+)")  # where it reads what came of it
# Open as long as a page is, whether anybody waits or not.
_LASTING = re.compile(r".*/(heartbeat/[^/]*|upload_progress|mcp/sse)")
_BUSY_STATUS = 503
VARIABLE = "SEGDEMO_STOP_SECONDS"
"""The environment variable with the seconds that running requests are given at the end."""
_PATIENCE = 30.0  # Kubernetes kills after as many
_POLL, _GRACE = 0.1, 1.0  # seconds; a page that has its result still fetches the pictures


def patience() -> float:
    """Give the seconds that running requests have at the end: the configured ones, or half a minute."""
    text = os.environ.get(VARIABLE, "")
    return float(text) if re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) else _PATIENCE


class Host:
    """Knows what is going on in this process, and ends it in an orderly way, after so many seconds of patience."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self.patience = patience
        self.is_stopping = threading.Event()
        self._guard = threading.Lock()
        self.open_requests = 0  # results that are waited for, and downloads
        self._uncollected: dict[str, float] = {}

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered, or one was accepted whose result nobody has read yet."""
        with self._guard:
            oldest = time.monotonic() - self.patience
            self._uncollected = {event: since for event, since in self._uncollected.items() if since > oldest}
            return self.open_requests > 0 or bool(self._uncollected)

    def count_request(self, change: int) -> None:
        """Note that a request began (1) or ended (-1)."""
        with self._guard:
            self.open_requests += change

    def accept(self, event: str) -> None:
        """Note that the result of a request has to be asked for."""
        with self._guard:
            self._uncollected[event] = time.monotonic()

    def collect(self, event: str) -> None:
        """Note that a result was read."""
        with self._guard:
            self._uncollected.pop(event, None)

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
        while self.is_busy and time.monotonic() < end:
            time.sleep(_POLL)
        time.sleep(_GRACE)
        # As Ctrl+C does: Gradio closes its server, and Python runs what is registered for its end.
        signal.raise_signal(signal.SIGINT)


class HostMiddleware:
    """Answers the health check, counts requests, and takes none that is new while the program ends."""

    def __init__(self, app: ASGIApp, host: Host) -> None:
        self.app, self.host = app, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        stopping = self.host.is_stopping.is_set()
        if path == HEALTH:
            content = {"status": "stopping" if stopping else "ok"}
            await JSONResponse(content, _BUSY_STATUS if stopping else 200)(scope, receive, send)
        elif stopping and scope.get("method") == "POST":
            await JSONResponse({"detail": STOPPING}, _BUSY_STATUS)(scope, receive, send)
        elif not path or _LASTING.fullmatch(path):
            await self.app(scope, receive, send)
        else:
            await self._count(scope, receive, send, path)

    async def _count(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        hands_in = scope["method"] == "POST" and (path.endswith(_JOIN) or bool(_CALL.fullmatch(path)))
        result = _RESULT.fullmatch(path) if scope["method"] == "GET" else None
        self.host.count_request(1)
        try:
            await self.app(scope, receive, self._heed(scope, receive, send, path) if hands_in else send)
        finally:
            self.host.count_request(-1)
            if result:
                self.host.collect(result[1])

    def _heed(self, scope: Scope, receive: Receive, send: Send, path: str) -> Send:
        """Say "busy" where Gradio counts the places of its queue, and note what curl has to come back for."""
        refused = False

        async def heeded(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == _BUSY_STATUS:
                refused = True
                await JSONResponse({"detail": BUSY}, _BUSY_STATUS)(scope, receive, send)
            elif not refused:
                if message["type"] == "http.response.body" and not path.endswith(_JOIN):
                    self._note_event(message.get("body", b""))
                await send(message)

        return heeded

    def _note_event(self, body: bytes) -> None:
        with suppress(ValueError, KeyError, TypeError):  # a refusal, or nothing
            self.host.accept(json.loads(body)["event_id"])
