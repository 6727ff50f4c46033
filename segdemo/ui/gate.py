"""What is refused before Gradio sees it, and what it says where it would fail: a status and a sentence."""

import json
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from segdemo.ui import failures
from segdemo.ui.own_names import VARIABLE, is_own

FOREIGN_NAME = f"This server does not go by that name. Who runs it can add the name to {VARIABLE}."
TOO_LARGE = "The request is larger than 20 MB: please upload the photo as a file."
TOO_MANY_VALUES = "The request holds more values than any of this page takes."
NO_SUCH_ENDPOINT = "There is no such endpoint. The page's footer, or the README, lists those there are."
NO_SUCH_PAGE = "There is nothing at this address."
UNREADABLE = "The request cannot be read: its body must be JSON of the form that the README shows."
TOO_LONG = "A text of the request is longer than 10,000 letters."
NOT_SERVED = "That is no file of this page, or it is no longer kept."
OTHER_METHOD = "What is at this address takes requests of another kind, such as GET or POST."
LOST = "There is no request of this number, or its result was read before."

MOST_BYTES = 20_000_000
"""Of a request's body, uploads aside: a photo of 15 MB as a data URL."""
MOST_VALUES = 20_000
LONGEST_TEXT = 10_000
"""Letters of any text but a data URL."""

_UPLOAD = re.compile(r"/gradio_api/upload/?")
_JOBS = re.compile(r"/gradio_api/(call|run|api|queue/join)(/|$)")
_TAKES_VALUES = re.compile(r"/gradio_api/(call|upload)(/|$)")
_RESULT = re.compile(r"/gradio_api/call/(v2/)?[^/]+/[^/]+")
_MCP = re.compile(r"/gradio_api/mcp(/|$)")
_DIRECT = re.compile(r"/gradio_api/(run|api)/")
# Gradio's ways to what this page does not have, and those by which it would fetch a web address.
_UNUSED = re.compile(
    r"/gradio_api/(proxy=|file=https?:|process_recording|component_server|custom_component|stream/|deep_link|vibe-"
    r"|undo-vibe|run-history|runs|dev/|profiling|file/)|/(monitoring|login|logout)",
    re.IGNORECASE,
)
_ONE_RANGE = re.compile(r"bytes=([0-9]{1,15}-[0-9]{0,15}|-[0-9]{1,15})", re.ASCII)
_JUST_WORDS = {403: NOT_SERVED, 404: NO_SUCH_PAGE, 405: OTHER_METHOD, 422: UNREADABLE}
_NOT_FOUND = json.dumps("404: Not Found")  # as Gradio says it in a stream


class Gate:
    """Stands before the page, of a server that goes by these names."""

    def __init__(self, app: ASGIApp, names: Callable[[], frozenset[str]]) -> None:
        self.app, self.names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        try:
            self._check(scope, path)
            if scope["method"] == "POST" and not _UPLOAD.fullmatch(path):
                receive = _replay(await _read_body(scope, receive), receive)
        except HTTPException as refusal:
            await JSONResponse({"detail": refusal.detail}, refusal.status_code)(scope, receive, send)
            return
        await self._pass_on(_with_one_range(scope), receive, send, path)

    def _check(self, scope: Scope, path: str) -> None:
        """Refuse what is not for this server, or for nobody."""
        # A request without a name is no browser's.
        if not all(is_own(host, self.names()) for host in Headers(scope=scope).getlist("host")):
            raise HTTPException(421, FOREIGN_NAME)
        if _UNUSED.match(path):
            raise HTTPException(404, NO_SUCH_PAGE)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        answer = _Answer(scope, send, path)
        try:
            await self.app(scope, receive, answer.send)
        except Exception as error:  # whatever it is, a client gets words and the log gets the rest
            if answer.begun:
                if not isinstance(error.__context__ or error, HTTPException):
                    failures.in_words(error)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                status, sentence = _why(error, path)
                await JSONResponse({"detail": sentence}, status)(scope, receive, send)


class _Answer:
    """An answer on its way out; one that says a failure in the words of a library is replaced."""

    def __init__(self, scope: Scope, send: Send, path: str) -> None:
        self.begun, self._replaced = False, False
        self._scope, self._send, self._path = scope, send, path

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            status = message["status"]
            if status == HTTPStatus.INTERNAL_SERVER_ERROR and _DIRECT.match(self._path):
                message["status"] = 422  # Gradio's for every refusal of an event; the body has the sentence
            elif status in _JUST_WORDS and not (_MCP.match(self._path) or self._says_why(status)):
                self._replaced = True
                await JSONResponse({"detail": _JUST_WORDS[status]}, status)(self._scope, _nothing, self._send)
        if not self._replaced:
            if _RESULT.fullmatch(self._path) and "body" in message:
                message["body"] = message["body"].replace(_NOT_FOUND.encode(), json.dumps(LOST).encode())
            await self._send(message)

    def _says_why(self, status: int) -> bool:
        # That an endpoint wants to be asked through the queue is said by Gradio itself.
        return status == HTTPStatus.NOT_FOUND and bool(_JOBS.match(self._path))


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _why(error: Exception, path: str) -> tuple[int, str]:
    """Give the status and the sentence for an error that Gradio's own routes raise."""
    if _JOBS.match(path) and (isinstance(error, KeyError) or type(error).__name__ == "FnIndexInferError"):
        return 404, NO_SUCH_ENDPOINT
    if isinstance(error, (RecursionError, UnicodeError)) or (
        _TAKES_VALUES.match(path) and isinstance(error, TypeError)
    ):
        return 422, UNREADABLE
    return 507 if failures.is_full_disk(error) else 500, failures.in_words(error)


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    """Read a request's body, so that its size is known before anyone takes it apart; refuse one that is too large."""
    announced = Headers(scope=scope).get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > MOST_BYTES:
        raise HTTPException(413, TOO_LARGE)
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > MOST_BYTES:
            raise HTTPException(413, TOO_LARGE)
    body = b"".join(parts)
    if body:
        _check_json(body)
    return body


def _check_json(body: bytes) -> None:
    """Refuse too many values, too long a text and what is no JSON, before anyone is kept busy by it."""
    if sum(body.count(sign) for sign in b"[{,") > MOST_VALUES:
        raise HTTPException(413, TOO_MANY_VALUES)
    try:
        for text in _texts(json.loads(body)):
            if len(text) > LONGEST_TEXT and not text.startswith("data:"):
                raise HTTPException(413, TOO_LONG)
            text.encode()
    except (ValueError, RecursionError) as error:  # half of a pair of code units, as JSON may hold it, is no text
        raise HTTPException(422, UNREADABLE) from error


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand on a body that was read, and then whatever comes."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _with_one_range(scope: Scope) -> Scope:
    """Leave out a Range that Gradio cannot read, such as one of two parts; the whole file is a right answer to it."""
    value = Headers(scope=scope).get("range")
    if value is None or _ONE_RANGE.fullmatch(value.strip()):
        return scope
    return {**scope, "headers": [(key, each) for key, each in scope["headers"] if key != b"range"]}
