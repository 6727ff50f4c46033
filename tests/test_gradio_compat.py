"""What the app leans on inside Gradio is still there, and nothing outside `gradio_compat` leans on it."""

import ast
import asyncio
import base64
import os
from pathlib import Path
from types import ModuleType

import gradio as gr
import httpx
import pytest
from gradio.data_classes import ImageData
from gradio.state_holder import SessionState
from gradio_client import Client, handle_file

import segdemo
from segdemo.ui import gradio_compat
from segdemo.ui.gradio_compat import CheckedBlocks, PhotoInput, Visitor

PACKAGE = Path(segdemo.__file__).parent
COMPAT = Path(gradio_compat.__file__)
KNOW_GRADIO = (PACKAGE / "ui", PACKAGE / "bench")
# What `import gradio` gives, but for its modules, which are its inside; the themes are documented.
PUBLIC = {name for name, value in vars(gr).items() if name[0] != "_" and not isinstance(value, ModuleType)} | {"themes"}
# Public by name, but documented nowhere.
INTERNAL = {
    *("GRADIO_CACHE", "children", "data_model", "dataset", "get_config", "is_template", "parent"),
    *("blocks", "blocks_config", "default_config", "fns", "get_config_file", "preprocess_data", "process_api"),
    *("config_values", "render_context", "session_data", "state_holder", "temp_file_sets", "upload_file_set"),
}


def modules():
    return [path for path in (*PACKAGE.rglob("*.py"), PACKAGE.parent / "app.py") if path != COMPAT]


def leans(source: str) -> set[str]:
    """Name what a module uses of Gradio that Gradio does not export."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names if each.name.startswith("gradio.")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gradio":
            public = PUBLIC if node.module == "gradio" else set()
            found |= {f"{node.module}.{each.name}" for each in node.names if each.name not in public}
        elif isinstance(node, ast.Attribute):
            of = node.value.id if isinstance(node.value, ast.Name) else None
            hidden = node.attr.startswith("_") and not node.attr.endswith("__") and of not in ("self", "cls")
            unknown = of in ("gr", "gradio") and node.attr not in PUBLIC
            found |= {node.attr} if hidden or unknown or node.attr in INTERNAL else set()
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_only_gradio_compat_leans_on_what_gradio_does_not_export(path):
    source = path.read_text(encoding="utf-8")
    if "import gradio" in source or "from gradio" in source:
        assert leans(source) == set()


@pytest.mark.parametrize(
    "line",
    [
        "from gradio.blocks import BlocksConfig",
        "import gradio.utils",
        "from gradio import helpers",
        "gr.processing_utils.save",
        "photo._id",
        "demo.blocks",
    ],
)
def test_such_a_line_would_be_found(line):
    assert leans(line)


def test_what_gradio_exports_is_no_finding():
    assert not leans("import gradio as gr\nfrom gradio import Blocks\ngr.Blocks(theme=gr.themes.Default())\nself._x")


def test_only_the_page_and_the_bench_know_gradio():
    for path in PACKAGE.rglob("*.py"):
        if not any(path.is_relative_to(folder) for folder in KNOW_GRADIO):
            source = path.read_text(encoding="utf-8")
            assert "gradio." not in source and "import gradio" not in source, path


def shorten(text: str, letters: int) -> str:
    return text[:letters]


@pytest.fixture(scope="module")
def lean():
    class Checked(CheckedBlocks):
        def say_not_uploaded(self):
            return "not among the uploads"

        def check_request(self, fields, values):
            if isinstance(values[0], dict) and values[0].get("path") == "refused.jpg":
                raise gr.Error(f"refused {fields}", print_exception=False)

        def say_wrong_kind(self, fields):
            return f"not of the kind {fields}"

        def say_failure(self, error):
            return f"{type(error).__name__} in words"

    with Checked() as page:
        held, text, shown = gr.State(0), gr.Textbox(), gr.Textbox()
        photo = PhotoInput(type="filepath", image_mode=None)

        def add(count, name):
            return count + 1, gr.Textbox(value=f"{name} {count + 1}", label=name)

        gr.Button().click(add, [held, text], [held, shown], api_name="add")
        gr.Button().click(lambda path: path or "", photo, shown, api_name="photo")
        gr.Button().click(lambda number: 1 // number, gr.Number(label="pixels", precision=0), shown, api_name="divide")
        gradio_compat.publish(shorten, "short text", api_name="shorten")
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", show_error=False)
    yield page, url
    page.close(verbose=False)


def test_each_visitor_has_values_of_their_own_and_costs_no_description_of_the_page(lean):
    page, url = lean
    page.state_holder.session_data.clear()
    first, second = Client(url, verbose=False), Client(url, verbose=False)
    said = [client.predict(name, api_name="/add") for client, name in ((first, "a"), (first, "a"), (second, "b"))]
    assert [each["value"] for each in said] == ["a 1", "a 2", "b 1"]
    sessions = page.state_holder.session_data
    assert len(sessions) == 2
    for session in sessions.values():
        assert not any(session.config_values.values())
        assert set(session.blocks_config.blocks) == set(page.blocks)


def test_gradio_itself_describes_the_page_for_each_visitor():
    """When this fails, `CheckedBlocks` may not be needed any more."""
    with gr.Blocks() as page:
        gr.Textbox()
    assert any(SessionState(page).config_values.values())


def ask(url, name, *values):
    """Send a request as it is, without the client's own upload of what it names."""
    base = f"{url}gradio_api/call/{name}"
    event = httpx.post(base, json={"data": values}, timeout=60).json()["event_id"]
    return httpx.get(f"{base}/{event}", timeout=60).text


def ask_photo(url, path):
    return ask(url, "photo", {"path": path, "url": "here", "meta": {"_type": "gradio.FileData"}})


def test_each_request_is_checked_before_it_is_read(lean):
    assert "refused [Field(name='image', takes_files=True, kind='')]" in ask_photo(lean[1], "refused.jpg")


def test_a_file_that_gradio_refuses_gets_the_sentence(lean):
    assert "not among the uploads" in ask_photo(lean[1], __file__)


def test_a_value_that_gradio_cannot_take_gets_the_sentence(lean, capfd):
    for value in ("abc", [], {"a": 1}):
        assert "not of the kind [Field(name='pixels'" in ask(lean[1], "divide", value)
    assert "ZeroDivisionError in words" in ask(lean[1], "divide", 0)
    assert "Traceback" not in capfd.readouterr().err


def test_fields_of_a_function_bear_its_parameters_names(lean):
    event = next(each for each in lean[0].fns.values() if each.api_name == "shorten")
    fields = gradio_compat._fields(event)
    assert [(field.name, field.kind) for field in fields] == [("text", "string"), ("letters", "integer")]
    info = httpx.get(f"{lean[1]}gradio_api/info", timeout=60).json()["named_endpoints"]["/shorten"]
    assert [each["label"] for each in info["parameters"]] == ["text", "letters"]
    assert [each["label"] for each in info["returns"]] == ["short text"]


def test_a_deleted_file_is_forgotten(lean):
    lean[0].upload_file_set.update({"/a", "/b"})
    lean[0].forget_files({"/a"})
    assert "/b" in lean[0].upload_file_set
    assert "/a" not in lean[0].upload_file_set


def test_a_damaged_file_reaches_the_app(tmp_path):
    path = tmp_path / "damaged.png"
    path.write_bytes(b"no image at all")
    field = PhotoInput(type="filepath", image_mode=None)
    assert field.preprocess(ImageData(path=str(path), orig_name="damaged.png")) == str(path)


def test_a_photo_comes_through_and_no_photo_is_none(lean, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"any")
    client = Client(lean[1], verbose=False)
    assert client.predict(handle_file(str(photo)), api_name="/photo").endswith("photo.jpg")
    assert client.predict(None, api_name="/photo") == ""


def test_a_data_url_becomes_a_file(striped_photo):
    url = f"data:image/png;base64,{base64.b64encode(striped_photo.read_bytes()).decode()}"
    path = PhotoInput(type="filepath", image_mode=None).preprocess(ImageData(url=url))
    assert Path(path).read_bytes() == striped_photo.read_bytes()


def test_what_a_data_url_holds_is_not_decoded_by_gradio():
    hostile = base64.b64encode(b"GIF89a and what would take an hour").decode()
    path = PhotoInput(type="filepath", image_mode=None).preprocess(ImageData(url=f"data:image/gif;base64,{hostile}"))
    assert Path(path).read_bytes().startswith(b"GIF89a")


def test_the_page_draws_the_photo_field_as_an_image_field():
    assert PhotoInput(type="filepath", image_mode=None).get_block_name() == "image"


def test_the_cache_is_the_folder_that_the_environment_names(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert gradio_compat.cache_folder() == tmp_path


def test_a_copy_is_kept_where_gradio_serves_it(tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(b"any")
    copy = Path(gradio_compat.keep_copy(str(file), gr.Image(type="filepath")))
    assert copy.read_bytes() == b"any" and copy.name == "photo.png"
    assert copy.is_relative_to(gradio_compat.cache_folder())


def test_what_stands_on_the_page_is_found():
    lion, tower = gr.get_image("lion.jpg"), gr.get_image("tower.jpg")
    with gr.Blocks() as page:
        photo = gr.Image(lion, type="filepath")
        examples = gr.Examples([lion, tower], photo)
        with gr.Tabs() as row:
            tabs = [gr.Tab("a", id="a"), gr.Tab("b", id="b")]
        gradio_compat.on_example(examples, "(index) => index", queue=False)
    assert Path(gradio_compat.shown_file(photo)).read_bytes() == Path(lion).read_bytes()
    assert [Path(path).name for path in gradio_compat.example_files(examples)] == ["lion.jpg", "tower.jpg"]
    assert gradio_compat.tabs_in(row) == tabs and [tab.id for tab in tabs] == ["a", "b"]
    events = page.get_config_file()["dependencies"]
    assert any("(index) => index" in str(event["js"]) for event in events)


def test_the_queue_keeps_one_event(monkeypatch):
    for name in ("GRADIO_ANALYTICS_CACHE_FREQUENCY", "GRADIO_ANALYTICS_MAX_EVENTS"):
        monkeypatch.setenv(name, "to be set anew")  # so that it is as before when the test ends
        del os.environ[name]
    gradio_compat.keep_no_events()
    with gr.Blocks() as page:
        gr.Textbox()
    assert page.queue()._queue.ANALYTICS_MAX_EVENTS == 1
    assert 2**31 in vars(page._queue).values()


def test_an_event_is_sent_without_a_server():
    with gr.Blocks() as page:
        number, held, double = gr.Number(3), gr.State(1), gr.Number()
        button = gr.Button()
        button.click(lambda given, kept: given * 2 + kept, [number, held], double)
        button.click(None, js="() => 1")
    (event,) = gradio_compat.events_of(page)
    assert event.triggers == (button,) and event.inputs == (number, held)
    values = [gradio_compat.sent_untouched(each) for each in event.inputs]
    assert values == [3, None]
    assert asyncio.run(Visitor(page).send(event, values))["data"] == [7]


def test_a_page_that_a_busy_machine_gives_late_is_no_reason_to_end(monkeypatch):
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)
    with gr.Blocks() as demo:
        gr.Textbox()
    try:
        demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", **gradio_compat.PATIENT_START)
    finally:
        demo.close(verbose=False)


def test_what_is_placed_at_the_top_lies_in_no_tab_and_the_rest_goes_on_where_it_was():
    with gr.Blocks() as demo, gr.Tab("a") as tab:
        kept = gr.BrowserState(None, render=False)
        gradio_compat.at_top(kept)
        after = gr.HTML("b")
    assert kept.parent is demo and after.parent is tab
    assert kept in demo.blocks.values()


def test_a_function_is_called_when_the_page_opens():
    with gr.Blocks() as demo, gr.Tab("a"):
        shown = gr.HTML()
        gradio_compat.on_load(lambda: "opened", None, shown)
    (event,) = gradio_compat.events_of(demo)
    assert event.function() == "opened" and event.triggers == ()
    assert event._block.targets == [(demo._id, "load")]
