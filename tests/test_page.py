"""The page takes what was uploaded, and says so of anything else."""

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from segdemo.ui.page import Page
from segdemo.ui.photo_input import PhotoInput


@pytest.fixture(scope="module")
def small_client():
    with Page() as page:
        photo, files = PhotoInput(type="filepath", image_mode=None), gr.File(file_count="multiple")
        text = gr.Textbox()
        gr.Button().click(lambda path: path or "", photo, text, api_name="one")
        gr.Button().click(" ".join, files, text, api_name="many")
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", show_error=False)
    yield Client(url, verbose=False)
    page.close(verbose=False)


def forged(path):
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def ask(client, file, endpoint):
    """Send a request as it is, without the client's own upload of what it names."""
    data = {"data": [file if endpoint == "one" else [file]]}
    base = f"{client.src}gradio_api/call/{endpoint}"
    event = httpx.post(base, json=data, timeout=60).json()["event_id"]
    return httpx.get(f"{base}/{event}", timeout=60).text


@pytest.mark.parametrize("endpoint", ["one", "many"])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("http://127.0.0.1:9/photo.jpg", "web address"),
        ("https://localhost/photo.jpg", "web address"),
        (__file__, "not uploaded"),
        ("../../../../etc/passwd", "not uploaded"),
    ],
)
def test_what_was_not_uploaded_gets_a_sentence(small_client, path, says, endpoint):
    answer = ask(small_client, forged(path), endpoint)
    assert "event: error" in answer
    assert says in answer


def test_what_was_uploaded_comes_through(small_client, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"any")
    assert small_client.predict(handle_file(str(photo)), api_name="/one").endswith("photo.jpg")
    assert small_client.predict([handle_file(str(photo))], api_name="/many").endswith("photo.jpg")
    assert small_client.predict(None, api_name="/one") == ""


def test_a_web_address_is_not_fetched_for_a_client_either(small_client):
    with pytest.raises(AppError, match="web address"):
        small_client.predict(handle_file("http://127.0.0.1:9/photo.jpg"), api_name="/one")


def test_each_visitor_has_values_of_their_own_and_costs_no_description_of_the_page():
    with Page() as page:
        held, text, shown = gr.State(0), gr.Textbox(), gr.Textbox()

        def add(count, name):
            return count + 1, gr.Textbox(value=f"{name} {count + 1}", label=name)

        gr.Button().click(add, [held, text], [held, shown], api_name="add")
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    first, second = Client(url, verbose=False), Client(url, verbose=False)
    said = [client.predict(name, api_name="/add") for client, name in ((first, "a"), (first, "a"), (second, "b"))]
    sessions = page.state_holder.session_data
    page.close(verbose=False)
    assert [each["value"] for each in said] == ["a 1", "a 2", "b 1"]
    assert len(sessions) == 2
    for session in sessions.values():
        assert not any(session.config_values.values())
        assert set(session.blocks_config.blocks) == set(page.blocks)
