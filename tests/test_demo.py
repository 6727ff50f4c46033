"""How the page is served."""

import runpy
import urllib.error
import urllib.request

import gradio as gr
import pytest

import app
from segdemo import entries
from segdemo.metadata import CheckpointError


def get(url):
    with urllib.request.urlopen(url, timeout=20) as response:
        return response.status, response.read()


def test_the_app_module_offers_a_demo_that_a_host_can_serve():
    assert app.demo.title.startswith("segdemo")
    assert app.demo.analytics_enabled is False


def test_the_page_answers(demo_url):
    status, body = get(demo_url)
    assert status == 200
    assert b"gradio" in body


@pytest.mark.parametrize("path", ["monitoring", "gradio_api/file=/etc/passwd", "gradio_api/file=app.py"])
def test_nothing_of_the_host_is_served(demo_url, path):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{demo_url}{path}")
    assert caught.value.code in (401, 403, 404)


@pytest.mark.parametrize("kind", [CheckpointError, gr.Error])
def test_a_damaged_checkpoint_ends_the_start_in_one_sentence(monkeypatch, tmp_path, kind):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))  # so that the one of the other tests comes back

    def refuse():
        raise kind("fcn_vgg16.safetensors is damaged")

    monkeypatch.setattr("segdemo.ui.demo.build_demo", refuse)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(entries.CHECKPOINTS.parent / "app.py"), run_name="__main__")
    assert ended.value.code == "The demo cannot start: fcn_vgg16.safetensors is damaged"
