"""The /segment endpoint as programs use it."""

import json
import urllib.error
import urllib.request

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from segdemo import catalog


@pytest.fixture(scope="module")
def client(demo_url):
    return Client(demo_url, verbose=False)


def segment(client, path, network="fcn8s_vgg16", heat_class="auto", analysis_size=None):
    return client.predict(handle_file(str(path)), network, heat_class, analysis_size, api_name="/segment")


@pytest.mark.parametrize("network", catalog.BUNDLED)
def test_every_network_answers_with_pictures_and_facts(client, striped_photo, network):
    overlay, heatmap, mask, facts = segment(client, striped_photo, network)
    for path in (overlay, heatmap, mask):
        assert Image.open(path).size == (300, 200)
    assert facts["network"] == network
    assert facts["classes"] == ["background", "cat", "dog"]
    assert facts["image_size"] == [300, 200]
    assert set(facts) >= {"areas", "score_size", "device", "milliseconds"}


def test_the_mask_s_indices_are_the_areas(client):
    *_, mask, facts = segment(client, gr.get_image("cheetah1.jpg"))
    picture = Image.open(mask)
    assert picture.mode == "P"
    shares = np.bincount(np.asarray(picture).ravel(), minlength=3) / (picture.width * picture.height)
    np.testing.assert_allclose(shares, list(facts["areas"].values()))


def test_the_analysis_size_is_taken(client, striped_photo):
    facts = segment(client, striped_photo, analysis_size=192)[-1]
    assert facts["analysis_size"] == [192, 128]
    assert facts["score_size"] == [24, 16]


def test_the_heatmap_is_of_the_class_that_was_asked_for(client, striped_photo):
    heatmaps = [np.asarray(Image.open(segment(client, striped_photo, heat_class=c)[1])) for c in ("cat", "dog")]
    assert not np.array_equal(*heatmaps)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"network": "resnet"}, "no network named 'resnet'"),
        ({"heat_class": "horse"}, "no class 'horse'"),
        ({"analysis_size": 5000}, "analysis size is 5000 pixels"),
    ],
)
def test_a_bad_argument_gets_one_sentence(client, striped_photo, arguments, sentence):
    with pytest.raises(AppError, match=sentence):
        segment(client, striped_photo, **arguments)


def test_a_file_that_is_no_photo_gets_one_sentence(client, tmp_path):
    path = tmp_path / "broken.jpg"
    path.write_text("<html><body>not a photo</body></html>")
    with pytest.raises(AppError, match="is a web page"):
        segment(client, path)


def test_segment_is_the_only_public_endpoint(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/segment"}
    assert client.view_api(return_format="dict")["unnamed_endpoints"] == {}


def post(url, payload):
    request = urllib.request.Request(url, json.dumps(payload).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def test_no_inner_event_is_published(client, demo_url):
    config = json.load(urllib.request.urlopen(f"{demo_url}config"))
    inner = [d["api_name"] for d in config["dependencies"] if d["api_visibility"] != "private"]
    assert inner == ["segment"]
    info = json.load(urllib.request.urlopen(f"{demo_url}gradio_api/info"))
    assert list(info["named_endpoints"]) == ["/segment"]


def test_the_three_requests_of_the_readme_work(demo_url, striped_photo):
    url = f"{demo_url}gradio_api"
    boundary = "----photo"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="photo.png"\r\n\r\n'
    body = head.encode() + striped_photo.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    upload = urllib.request.Request(
        f"{url}/upload", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
    (path,) = json.load(urllib.request.urlopen(upload))
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    event = post(f"{url}/call/segment", {"data": [file, "fcn8s_vgg16", "auto", None]})["event_id"]
    answer = urllib.request.urlopen(f"{url}/call/segment/{event}", timeout=60).read().decode()
    assert "event: complete" in answer
    data = json.loads(answer.split("data: ")[-1])
    assert data[3]["image_size"] == [300, 200]


def test_the_page_names_no_other_host(demo_url):
    config = json.load(urllib.request.urlopen(f"{demo_url}config"))
    assert config["analytics_enabled"] is False
    assert not [url for url in config.get("stylesheets") or [] if url.startswith("http")]
