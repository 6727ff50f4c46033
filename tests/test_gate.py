"""What is refused before Gradio sees it, and failures in words."""

import errno
import json

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from segdemo.ui import failures, gate
from segdemo.ui.gate import Gate
from segdemo.ui.own_names import own_names


def stand_before(answer):
    """Serve one function, whatever is asked, with the gate before it."""
    methods = ["GET", "POST"]
    middleware = [Middleware(Gate, names=own_names)]
    app = Starlette(routes=[Route("/{path:path}", answer, methods=methods)], middleware=middleware)
    return TestClient(app, base_url="http://localhost:7860")


async def echo(request):
    body = await request.body()
    return JSONResponse({"bytes": len(body), "range": request.headers.get("range")})


def raising(error):
    async def fail(request):
        raise error

    return stand_before(fail)


def raising_politely(status):
    async def refuse(request):
        return JSONResponse({"detail": "File not allowed: /a/secret."}, status)

    return stand_before(refuse)


@pytest.fixture
def client():
    return stand_before(echo)


@pytest.mark.parametrize("path", ["/", "/health", "/config", "/gradio_api/call/segment", "/gradio_api/mcp/"])
def test_a_name_that_is_not_ours_is_refused_everywhere(client, path):
    foreign = {"host": "attacker.example"}
    for answer in (client.get(path, headers=foreign), client.post(path, json={"data": []}, headers=foreign)):
        assert (answer.status_code, answer.json()) == (421, {"detail": gate.FOREIGN_NAME})
    assert "SEGDEMO_HOSTS" in gate.FOREIGN_NAME
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=http://127.0.0.1:9/x",
        "/gradio_api/file=http://127.0.0.1:9/x.jpg",
        "/gradio_api/file=HTTPS://127.0.0.1:9/x.jpg",
        "/gradio_api/process_recording",
        "/gradio_api/component_server",
        "/gradio_api/custom_component/a/client/b/c.js",
        "/gradio_api/vibe-code",
        "/gradio_api/deep_link",
        "/monitoring/summary",
        "/login",
    ],
)
def test_ways_that_the_page_does_not_need_are_closed(client, path):
    for answer in (client.get(path), client.post(path, json={})):
        assert (answer.status_code, answer.json()) == (404, {"detail": gate.NO_SUCH_PAGE})


def post(client, body, path="/gradio_api/call/segment"):
    return client.post(path, content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b'{"data": ["' + b"a" * gate.MOST_BYTES + b'"]}', 413, gate.TOO_LARGE),
        (b'{"data": [' + b"[],[]," * 20_000 + b"[]]}", 413, gate.TOO_MANY_VALUES),
        (b'{"data": ["' + b"n" * 20_000 + b'"]}', 413, gate.TOO_LONG),
        (b'{"' + b"n" * 20_000 + b'": 1}', 413, gate.TOO_LONG),
        (b'{"data": ["\\ud800"]}', 422, gate.UNREADABLE),
        (b'{"data": ["\xff"]}', 422, gate.UNREADABLE),
        (b'{"data": ', 422, gate.UNREADABLE),
        (b"[" * 15_000 + b"]" * 15_000, 422, gate.UNREADABLE),
    ],
    ids=["bytes", "values", "text", "key", "half a pair", "latin-1", "cut", "deep"],
)
def test_a_body_beyond_the_limits_gets_a_sentence(client, body, status, sentence):
    answer = post(client, body)
    assert (answer.status_code, answer.json()) == (status, {"detail": sentence})


def test_a_body_whose_length_is_not_said_is_counted(client):
    answer = client.post("/gradio_api/call/segment", content=(b"a" * 1_000_000 for _ in range(21)))
    assert (answer.status_code, answer.json()) == (413, {"detail": gate.TOO_LARGE})


def test_a_photo_as_a_data_url_passes_and_a_body_arrives_whole(client):
    body = json.dumps({"data": [{"url": "data:image/png;base64," + "A" * 1_000_000}]}).encode()
    assert post(client, body).json()["bytes"] == len(body)
    assert post(client, b'{"data": [NaN]}').status_code == 200, "what NaN means is the endpoint's to say"
    assert post(client, b"").status_code == 200


def test_uploads_are_not_held_back(client):
    content = b"a" * (gate.MOST_BYTES + 1)
    assert client.post("/gradio_api/upload", content=content).json()["bytes"] == len(content)


@pytest.mark.parametrize("path", ["call/nothing", "call/v2/nothing", "run/nothing", "queue/join"])
def test_an_unknown_endpoint_is_said(path):
    answer = post(raising(KeyError("nothing")), b"{}", f"/gradio_api/{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": gate.NO_SUCH_ENDPOINT})


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (RuntimeError("a secret"), 500, failures.UNEXPECTED),
        (OSError(errno.ENOSPC, "No space left on device", "/a/secret"), 507, failures.FULL_DISK),
        (KeyError("secret"), 500, failures.UNEXPECTED),
    ],
)
def test_no_error_reaches_a_client_in_its_own_words(error, status, sentence, caplog):
    answer = raising(error).get("/gradio_api/file=x")
    assert (answer.status_code, answer.json()) == (status, {"detail": sentence})
    assert "secret" in caplog.text, "who runs the server can read what went wrong"


def test_what_does_not_fit_an_endpoint_s_form_is_said_plainly():
    async def refuse(request):
        return JSONResponse({"detail": [{"loc": ["body", "data"], "msg": "Input should be a valid list"}]}, 422)

    assert post(stand_before(refuse), b"{}").json() == {"detail": gate.UNREADABLE}


@pytest.mark.parametrize(("status", "sentence"), [(403, gate.NOT_SERVED), (405, gate.OTHER_METHOD)])
def test_what_a_library_refuses_in_its_own_words_is_said_plainly(status, sentence):
    answer = raising_politely(status).get("/gradio_api/file=/a/secret")
    assert (answer.status_code, answer.json()) == (status, {"detail": sentence})


def test_a_refused_event_is_no_failure_of_the_server():
    async def refuse(request):
        return JSONResponse({"error": "Value -1 is less than minimum value 0."}, 500)

    answer = post(stand_before(refuse), b"{}", "/gradio_api/run/predict")
    assert (answer.status_code, answer.json()["error"]) == (422, "Value -1 is less than minimum value 0.")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=a-b", "bytes=\xb2-\xb2", "lines=1-2", "bytes=-"])
def test_a_range_that_cannot_be_read_gets_the_whole_file(client, asked):
    assert client.get("/gradio_api/file=x", headers={"range": asked.encode("latin-1")}).json()["range"] is None


@pytest.mark.parametrize("asked", ["bytes=0-1", "bytes=5-", "bytes=-7"])
def test_a_range_that_can_be_read_is_handed_on(client, asked):
    assert client.get("/gradio_api/file=x", headers={"range": asked}).json()["range"] == asked


def test_a_stream_that_fails_ends_and_is_in_the_log(caplog):
    async def stream(request):
        async def parts():
            yield b"data: one\n\n"
            raise request.app.state.error

        return StreamingResponse(parts())

    client = stand_before(stream)
    client.app.state.error = RuntimeError("a secret")
    assert client.get("/gradio_api/queue/data").text == "data: one\n\n"
    assert "secret" in caplog.text
    caplog.clear()
    client.app.state.error = HTTPException(404)
    assert client.get("/gradio_api/queue/data").text == "data: one\n\n"
    assert caplog.text == "", "that a result is not there any more is no failure"


def test_a_result_that_is_not_there_is_said():
    async def lost(request):
        return StreamingResponse(iter([b'event: error\ndata: "404: Not Found"\n\n']))

    assert gate.LOST in stand_before(lost).get("/gradio_api/call/segment/abc").text
