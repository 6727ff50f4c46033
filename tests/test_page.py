"""The page takes what was uploaded, and says so of anything else."""

import asyncio
import errno
import json
import uuid
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from starlette.middleware import Middleware

import app
from segdemo.ui import failures, gradio_compat
from segdemo.ui.gate import LOST, NO_SUCH_ENDPOINT, UNREADABLE, Gate
from segdemo.ui.gradio_compat import PhotoInput, Visitor, cache_folder, publish
from segdemo.ui.own_names import own_names
from segdemo.ui.page import Page

SENTENCE = "That file was not uploaded, or it is no longer kept: please send the file itself."
ADDRESS = "That is a web address: this page fetches nothing, so please send the file itself."
JSON = {"content-type": "application/json"}
META = {"meta": {"_type": "gradio.FileData"}}
DATA_URL = "data:image/png;base64,iVBORw0KGgo="


def fail(number: float) -> str:
    raise OSError(int(number), "a secret of the server")


def count(cells: int, name: str) -> str:
    return f"{cells!r} {name}"


@pytest.fixture(scope="module")
def small_client():
    with Page() as page:
        photo, files = PhotoInput(type="filepath", image_mode=None), gr.File(file_count="multiple")
        text = gr.Textbox()
        gr.Button().click(lambda path: path or "", photo, text, api_name="one")
        gr.Button().click(" ".join, files, text, api_name="many")
        gallery, held, whole = gr.Gallery(), gr.State("held"), gr.Number(precision=0, label="pixels")
        gr.Button().click(lambda *values: str(values), [gr.JSON(), gallery, held, whole], text, api_name="others")
        gr.Button().click(fail, whole, text, api_name="fail")
        publish(count, "text", api_name="count")
    gate = {"middleware": [Middleware(Gate, names=own_names)]}
    where = {"server_name": "127.0.0.1", "app_kwargs": gate, "prevent_thread_lock": True}
    _, url, _ = page.queue(api_open=False).launch(quiet=True, show_error=False, **where)
    yield Client(url, verbose=False)
    page.close(verbose=False)


def ask(client, file, endpoint):
    """Send a request that names a file, without the client's own upload of what it names."""
    return call(client.src, endpoint, [file if endpoint == "one" else [file]])


def call(url, endpoint, values):
    """Send a request as it is and give the whole answer."""
    base = f"{url}gradio_api/call/{endpoint}"
    event = httpx.post(base, content=json.dumps({"data": values}), headers=JSON, timeout=60).json()["event_id"]
    return httpx.get(f"{base}/{event}", timeout=60).text


@pytest.mark.parametrize("endpoint", ["one", "many"])
@pytest.mark.parametrize("meta", [{"meta": {"_type": "gradio.FileData"}}, {}], ids=["meta", "no meta"])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("http://127.0.0.1:9/photo.jpg", "web address"),
        ("https://localhost/photo.jpg", "web address"),
        (__file__, "not uploaded"),
        ("../../../../etc/passwd", "not uploaded"),
        ("/nowhere/at/all.jpg", "not uploaded"),
        ("a\0b.jpg", "not uploaded"),
        pytest.param(str(cache_folder()), "not uploaded", id="the folder of uploads"),
    ],
)
def test_what_was_not_uploaded_gets_a_sentence(small_client, path, says, endpoint, meta):
    answer = ask(small_client, {"path": path, **meta}, endpoint)
    assert "event: error" in answer
    assert says in answer


def test_a_link_among_the_uploads_leads_nowhere_else(small_client):
    link = cache_folder() / "link.jpg"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(__file__)
    assert "not uploaded" in ask(small_client, {"path": str(link)}, "one")


def test_what_was_uploaded_comes_through(small_client, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"any")
    assert small_client.predict(handle_file(str(photo)), api_name="/one").endswith("photo.jpg")
    assert small_client.predict([handle_file(str(photo))], api_name="/many").endswith("photo.jpg")
    assert small_client.predict(None, api_name="/one") == ""


def test_a_web_address_is_not_fetched_for_a_client_either(small_client):
    with pytest.raises(AppError, match="web address"):
        small_client.predict(handle_file("http://127.0.0.1:9/photo.jpg"), api_name="/one")


@pytest.fixture(scope="module")
def photo_elsewhere(tmp_path_factory):
    """Write a photo that lies on the server and was never uploaded."""
    path = tmp_path_factory.mktemp("private") / "photo.jpg"
    Image.new("RGB", (64, 48), "green").save(path)
    return str(path)


def forms_of(path):
    """Give the forms in which a request can name a file."""
    inside = f"{cache_folder()}/../{Path(path).relative_to('/').parts[0]}"
    return {
        "text": path,
        "texts": [path],
        "path": {"path": path},
        "path, meta": {"path": path, **META},
        "other meta": {"path": path, "meta": {"_type": "x"}},
        "no meta": {"path": path, "meta": None},
        "url": {"path": path, "url": path, **META},
        "data beside": {"path": path, "url": DATA_URL, **META},
        "list": [{"path": path, **META}],
        "lists": [[{"path": path}]],
        "gallery": [{"image": {"path": path, **META}, "caption": None}],
        "nested": {"a": [{"b": {"path": path}}]},
        "within": {"path": None, "inner": {"path": path, **META}},
        "value": {"value": {"path": path, **META}, "__type__": "update"},
        "file url": {"path": f"file://{path}", **META},
        "served": {"path": f"/gradio_api/file={path}", **META},
        "up": {"path": inside, **META},
        "name": {"path": path, "orig_name": "a.svg", **META},
        "stream": {"path": path, "is_stream": True, **META},
        "home": {"path": "~/photo.jpg", **META},
    }


def events_of(url):
    """Give what the page's every event takes, private ones too."""
    config = httpx.get(f"{url}config", timeout=60).json()
    kinds = {component["id"]: component["type"] for component in config["components"]}
    return {
        each["id"]: [kinds[inner] for inner in each["inputs"]]
        for each in config["dependencies"]
        if each["inputs"] and each["backend_fn"]
    }


def send(url, event, values):
    """Hand a request in as the page does, and give what it says."""
    session = uuid.uuid4().hex
    body = {"data": values, "fn_index": event, "session_hash": session, "event_data": None}
    joined = httpx.post(f"{url}gradio_api/queue/join", json=body, timeout=60)
    assert joined.status_code == 200, joined.text
    return httpx.get(f"{url}gradio_api/queue/data?session_hash={session}", timeout=60).text


@pytest.mark.parametrize("form", forms_of("/a/b.jpg"))
@pytest.mark.parametrize("endpoint", ["segment", "compare", "batch", "fc_as_conv"])
def test_no_form_of_a_path_reads_a_file_of_the_server(demo_url, photo_elsewhere, endpoint, form):
    rest = {
        "segment": ["fcn8s_vgg16", "auto", None],
        "compare": ["fcn8s_vgg16, fcn32s_vgg16"],
        "batch": ["fcn8s_vgg16"],
    }
    answers = []
    for path in (photo_elsewhere, "/nowhere/at/all.jpg"):
        answers.append(call(demo_url, endpoint, [forms_of(path)[form], *rest.get(endpoint, [])]))
        assert "event: error" in answers[-1]
        assert SENTENCE in answers[-1]
    assert answers[0] == answers[1], "nothing tells which paths there are"


@pytest.mark.parametrize("form", ["path", "gallery", "stream"])
def test_no_event_of_the_page_reads_a_file_of_the_server(demo_url, photo_elsewhere, form):
    events = events_of(demo_url)
    assert len(events) > 30
    for event, kinds in events.items():
        answer = send(demo_url, event, [forms_of(photo_elsewhere)[form]] * len(kinds))
        assert SENTENCE in answer, (event, kinds, answer[:300])
        assert "process_completed" in answer


@pytest.mark.parametrize("form", forms_of("/a/b.jpg"))
def test_no_form_of_a_path_gets_past_any_event(photo_elsewhere, form):
    value, tried = forms_of(photo_elsewhere)[form], 0
    for event in gradio_compat.events_of(app.demo):
        fields = [field.takes_files for field in gradio_compat._fields(event._block)]
        # A text is a file's path only where a file belongs.
        if any(fields) if form in ("text", "texts") else fields:
            with pytest.raises(gr.Error) as caught:
                asyncio.run(Visitor(app.demo).send(event, [value] * len(fields)))
            assert caught.value.message == SENTENCE, event
            tried += 1
    assert tried > (5 if form in ("text", "texts") else 30)


@pytest.mark.parametrize("written", ["file={}", "file=/{}", "file=file://{}", "file=~{}", "file={}%00", "file/{}"])
def test_no_address_gives_a_file_of_the_server(demo_url, photo_elsewhere, written):
    inside = f"{cache_folder()}/..{photo_elsewhere}"
    for path in (photo_elsewhere, inside, inside.replace("..", "%2e%2e"), "/nowhere/at/all.jpg"):
        answer = httpx.get(f"{demo_url}gradio_api/{written.format(path)}", timeout=60)
        assert answer.status_code in (403, 404, 422)
        assert answer.headers["content-type"] == "application/json"
        assert Path(photo_elsewhere).read_bytes() not in answer.content


def test_state_is_the_server_s_whatever_a_request_says(small_client):
    answer = call(small_client.src, "others", [None, None, "sent", None])
    assert "'held'" in answer
    assert "sent" not in answer


@pytest.mark.parametrize(
    "file",
    [
        "http://127.0.0.1:9/a.jpg",
        {"url": "https://127.0.0.1:9/a.jpg"},
        {"path": None, "url": "http://127.0.0.1:9/a.jpg", **META},
        " HTTP://127.0.0.1:9/a.jpg",
    ],
    ids=str,
)
@pytest.mark.parametrize("endpoint", ["one", "many"])
def test_an_address_gets_the_same_sentence_in_every_form(small_client, file, endpoint):
    assert ADDRESS in ask(small_client, file, endpoint)


@pytest.mark.parametrize("value", ["abc", [], {}, float("nan"), float("inf")], ids=str)
def test_a_value_of_the_wrong_kind_is_said_with_what_is_wanted(small_client, value, capfd):
    answer = call(small_client.src, "others", [None, None, None, value])
    assert "wrong kind. It takes these, in this order: json, gallery, state, pixels." in answer
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([], "The request has 0 of 2 values. It takes these, in this order: cells, name."),
        (["a", "b"], "integer: "),
        ([2.5, "b"], "integer: "),
        ([True, "b"], "integer: "),
        ([None, "b"], "integer: "),
        ([3, ["b"]], "is no string: "),
    ],
)
def test_what_a_function_takes_is_checked(small_client, values, sentence):
    assert sentence in call(small_client.src, "count", values)


def test_a_whole_number_may_come_with_a_point(small_client):
    assert '"3 b"' in call(small_client.src, "count", [3.0, "b"])


def test_ten_thousand_files_are_refused_at_once(small_client):
    files = [{"path": "/a", **META}] * 2000
    assert "The request names 2,000 files; at most 100 go at a time." in call(small_client.src, "many", [files])


@pytest.mark.parametrize(("number", "sentence"), [(errno.ENOSPC, failures.FULL_DISK), (errno.EIO, failures.UNEXPECTED)])
def test_what_fails_on_the_server_is_said_in_a_sentence(small_client, number, sentence, caplog):
    answer = call(small_client.src, "fail", [number])
    assert sentence in answer
    assert "secret" not in answer
    assert "a secret of the server" in caplog.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("call/nothing", {"data": []}),
        ("call/v2/nothing", {"a": 1}),
        ("run/nothing", {"data": []}),
        ("queue/join", {"data": [], "fn_index": 999, "session_hash": "abc"}),
    ],
)
def test_an_endpoint_that_is_not_there_is_said(small_client, path, body, capfd):
    answer = httpx.post(f"{small_client.src}gradio_api/{path}", json=body, timeout=60)
    assert (answer.status_code, answer.json()) == (404, {"detail": NO_SUCH_ENDPOINT})
    assert "Traceback" not in capfd.readouterr().err


def test_a_form_that_no_endpoint_has_is_said(small_client, capfd):
    url = f"{small_client.src}gradio_api"
    answers = [httpx.post(f"{url}/call/one", json={"data": {"a": 1}}), httpx.post(f"{url}/call/v2/one", json={"a": 1})]
    answers.append(httpx.post(f"{url}/upload", data={"files": "text"}, files={"other": b"photo"}))
    for answer in answers:
        assert (answer.status_code, answer.json()) == (422, {"detail": UNREADABLE})
    assert "Traceback" not in capfd.readouterr().err


def test_a_result_that_is_not_there_is_said(small_client, capfd):
    url = f"{small_client.src}gradio_api"
    assert LOST in httpx.get(f"{url}/call/one/abc", timeout=60).text
    assert httpx.get(f"{url}/queue/data?session_hash=abc", timeout=60).status_code == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_range_of_two_parts_gets_the_file(small_client, tmp_path):
    (path,) = httpx.post(f"{small_client.src}gradio_api/upload", files={"files": b"0123456789"}).json()
    url = f"{small_client.src}gradio_api/file={path}"
    assert httpx.get(url, headers={"range": "bytes=0-1,5-6"}).content == b"0123456789"
    assert httpx.get(url, headers={"range": "bytes=2-4"}).content == b"234"
