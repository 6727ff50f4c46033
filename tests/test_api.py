"""The /segment endpoint as programs use it."""

import errno
import json
import logging
import time
import urllib.error
import urllib.request
import zipfile

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from segdemo import catalog, render
from segdemo.images import read_image
from segdemo.segmenter import Segmenter
from segdemo.ui import files, inference

PUBLIC = {"/segment", "/transposed_conv", "/adaptive_pooling", "/size_trace", "/fc_as_conv", "/compare", "/batch"}


@pytest.fixture(scope="module")
def client(demo_url):
    return Client(demo_url, verbose=False, httpx_kwargs={"timeout": 60})  # 5 seconds are few on a busy machine


def segment(client, path, network="fcn8s_vgg16", heat_class="auto", analysis_size=None):
    return client.predict(handle_file(str(path)), network, heat_class, analysis_size, api_name="/segment")


@pytest.mark.parametrize("network", catalog.BUNDLED)
def test_every_network_answers_with_pictures_and_facts(client, striped_photo, network):
    overlay, heatmap, mask, facts = segment(client, striped_photo, network)
    for path in (overlay, heatmap, mask):
        assert Image.open(path).size == (300, 200)
    assert facts["network"] == network
    assert facts["classes"] == list(catalog.find(network).metadata.classes)
    assert facts["image_size"] == [300, 200]
    assert set(facts) >= {"areas", "score_size", "device", "milliseconds"}


def test_the_mask_s_indices_are_the_areas(client):
    *_, mask, facts = segment(client, gr.get_image("cheetah1.jpg"))
    picture = Image.open(mask)
    assert picture.mode == "P"
    shares = np.bincount(np.asarray(picture).ravel(), minlength=len(facts["areas"])) / (picture.width * picture.height)
    np.testing.assert_allclose(shares, list(facts["areas"].values()))


def test_the_overlay_lets_the_photo_through(client):
    path = gr.get_image("lion.jpg")
    overlay, _, mask, _ = segment(client, path)
    colours = catalog.find("fcn8s_vgg16").metadata.colours
    wanted = render.overlay(read_image(path), np.asarray(Image.open(mask)), colours, 0.6, True)
    assert np.abs(np.asarray(Image.open(overlay), int) - np.asarray(wanted, int)).mean() < 3


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
        ({"analysis_size": 1e300}, r"analysis size is 1\d{59}… pixels"),
        ({"network": "x" * 9000}, "no network named 'x{59}…. Choose from"),
        ({"heat_class": "x" * 9000}, "no class 'x{59}…. Choose from"),
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


def test_what_is_for_programs_is_public_and_nothing_else(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == PUBLIC
    assert client.view_api(return_format="dict")["unnamed_endpoints"] == {}


def post(url, payload):
    request = urllib.request.Request(url, json.dumps(payload).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def test_no_inner_event_is_published(client, demo_url):
    config = json.load(urllib.request.urlopen(f"{demo_url}config"))
    inner = [f"/{d['api_name']}" for d in config["dependencies"] if d["api_visibility"] != "private"]
    assert set(inner) == PUBLIC
    info = json.load(urllib.request.urlopen(f"{demo_url}gradio_api/info"))
    assert set(info["named_endpoints"]) == PUBLIC


def answer_to(demo_url, data):
    """Send a request's data as it is and give the whole answer, whatever it says."""
    url = f"{demo_url}gradio_api/call/segment"
    event = post(url, {"data": data})["event_id"]
    return urllib.request.urlopen(f"{url}/{event}", timeout=60).read().decode()


def test_no_text_of_an_exception_reaches_a_client(demo_url, client, striped_photo, monkeypatch, caplog):
    def fail(request, images):
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr(inference._batcher, "_work", fail)
    with pytest.raises(AppError) as caught:
        segment(client, striped_photo)
    assert "secret" not in str(caught.value)
    (path,) = httpx.post(f"{demo_url}gradio_api/upload", files={"files": striped_photo.read_bytes()}).json()
    answer = answer_to(demo_url, [{"path": path, "meta": {"_type": "gradio.FileData"}}, "fcn8s_vgg16", "auto", None])
    assert "event: error" in answer
    assert "secret" not in answer
    assert "a secret of the server" in caplog.text, "who runs the server can read what went wrong"


@pytest.mark.parametrize(
    "data",
    [
        [],
        [None] * 9,
        [5, "fcn8s_vgg16", "auto", None],
        ["text", "fcn8s_vgg16", "auto", None],
        [{"path": None, "meta": {"_type": "gradio.FileData"}}, "fcn8s_vgg16", "auto", None],
        [{"path": ["a"], "meta": {"_type": "gradio.FileData"}}, "fcn8s_vgg16", "auto", None],
        [{"url": "data:image/png;base64,!!!"}, "fcn8s_vgg16", "auto", None],
        [None, ["fcn8s_vgg16"], {"class": 1}, "many"],
        [None, "fcn8s_vgg16", "auto", 1e300],
    ],
    ids=str,
)
def test_a_request_of_another_shape_gets_no_text_of_an_exception(demo_url, data):
    answer = answer_to(demo_url, data)
    assert "event: error" in answer
    for mark in ("Traceback", "Error:", ".py", "site-packages", "pydantic", "object has no attribute", "<class"):
        assert mark not in answer


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


@pytest.mark.parametrize(("numbers", "size"), [((3, 2, 1, 0), 4), ((3, 2, 2, 0), 6), ((3, 3, 2, 1, 1), 6)])
def test_the_size_of_a_transposed_conv_is_an_endpoint(client, numbers, size):
    assert client.predict(*numbers, api_name="/transposed_conv")["size"] == size


def test_the_bins_of_adaptive_pooling_are_an_endpoint(client):
    assert client.predict(5, 4, api_name="/adaptive_pooling") == {"bins": [[0, 2], [1, 3], [2, 4], [3, 5]]}


@pytest.mark.parametrize(
    ("endpoint", "numbers", "message"),
    [
        ("/transposed_conv", (3, 2, 1, 5), "cuts away everything"),
        ("/adaptive_pooling", (0, 4), "at least 1"),
        ("/size_trace", ("fcn8s_vgg16", 0, 5), "between 1 and 8,192"),
        ("/size_trace", ("vgg", 5, 5), "no network named 'vgg'"),
        ("/adaptive_pooling", (10**9, 4), "At most 4,096 cells"),
    ],
)
def test_numbers_that_make_no_sense_get_a_sentence(client, endpoint, numbers, message):
    with pytest.raises(AppError, match=message):
        client.predict(*numbers, api_name=endpoint)


def test_the_size_trace_is_an_endpoint(client):
    rows = client.predict("fcn32s_vgg16", 333, 500, api_name="/size_trace")
    assert (rows[0]["kind"], rows[0]["after"]) == ("pad", [352, 512])
    assert (rows[-1]["kind"], rows[-1]["after"]) == ("crop", [333, 500])
    upscore = next(row for row in rows if row["name"] == "upscore32.conv")
    assert (upscore["kernel"], upscore["stride"], upscore["padding"]) == (64, 32, 16)


def test_linear_against_conv_is_an_endpoint(client, striped_photo):
    found = client.predict(handle_file(str(striped_photo)), api_name="/fc_as_conv")
    assert 0 <= found["max_abs_difference"] < 1e-4
    assert set(found["logits"]) == set(catalog.find("conv1x1_vgg11").metadata.classes)
    segmentation = Segmenter.load("conv1x1_vgg11", "cpu")(read_image(striped_photo))
    assert found["score_size"] == list(segmentation.score_size)
    means = segmentation.score_map.mean((1, 2)).tolist()
    assert list(found["logits"].values()) == pytest.approx(means, abs=1e-3)


def test_comparing_is_an_endpoint(client, striped_photo):
    names = "fcn8s_vgg16, fcn32s_vgg16, conv1x1_vgg11"
    overlays, apart, facts = client.predict(handle_file(str(striped_photo)), names, api_name="/compare")
    assert len(overlays) == 3
    assert Image.open(apart["path"] if isinstance(apart, dict) else apart).size == (300, 200)
    maps = [Segmenter.load(name.strip(), "cpu")(read_image(striped_photo)).class_map() for name in names.split(",")]
    wanted = np.mean((maps[0] == maps[1]) & (maps[0] == maps[2]))
    assert facts["agreement"] == pytest.approx(wanted, abs=0.01)
    assert list(facts["networks"]) == ["fcn8s_vgg16", "fcn32s_vgg16", "conv1x1_vgg11"]
    assert len(facts["pairs"]) == 3


@pytest.mark.parametrize(
    ("networks", "message"), [("fcn8s_vgg16", "two networks or more"), ("fcn8s_vgg16, x", "no network named 'x'")]
)
def test_comparing_what_cannot_be_compared_gets_a_sentence(client, striped_photo, networks, message):
    with pytest.raises(AppError, match=message):
        client.predict(handle_file(str(striped_photo)), networks, api_name="/compare")


def test_a_batch_is_an_endpoint_and_a_bad_file_stops_no_other(client, striped_photo, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff no photo")
    photos = [handle_file(str(path)) for path in (striped_photo, broken)]
    archive, rows = client.predict(photos, "conv1x1_vgg11", api_name="/batch")
    assert [bool(row["problem"]) for row in rows] == [False, True]
    with zipfile.ZipFile(archive) as packed:
        names = set(packed.namelist())
        mask = Image.open(packed.open("stripes_mask.png"))
        wanted = Segmenter.load("conv1x1_vgg11", "cpu")(read_image(striped_photo)).class_map()
        np.testing.assert_array_equal(np.asarray(mask), wanted)
    assert names == {f"stripes{end}" for end in ("_mask.png", "_overlay.png", "_heatmap.png", ".json")} | {"areas.csv"}


def test_a_batch_of_nothing_gets_a_sentence(client):
    with pytest.raises(AppError, match="Choose some photos"):
        client.predict([], "fcn8s_vgg16", api_name="/batch")


def test_a_batch_has_its_line_in_the_log_with_drawing(client, striped_photo, caplog):
    caplog.set_level(logging.INFO, "segdemo")
    client.predict([handle_file(str(striped_photo))], "conv1x1_vgg11", api_name="/batch")
    segment(client, striped_photo)
    batch, one = [line for line in caplog.messages if line.endswith(", done")]
    assert batch.startswith("conv1x1_vgg11, 1 photos, 0 of them refused, ")
    assert one.startswith("fcn8s_vgg16, photo 300x200, ")


def test_the_time_in_the_log_has_drawing_in_it(client, striped_photo, caplog, monkeypatch):
    caplog.set_level(logging.INFO, "segdemo")
    draw = render.heatmap
    monkeypatch.setattr(render, "heatmap", lambda *values: time.sleep(1) or draw(*values))
    segment(client, striped_photo)
    (line,) = [line for line in caplog.messages if line.endswith(", done")]
    assert int(line.split(", ")[2].removesuffix(" ms")) >= 1000


@pytest.mark.parametrize("name", ["..jpg", "...png", ".hidden.png", "a" * 90 + ".png", "사진" * 30 + ".png"])
def test_an_odd_name_costs_a_batch_nothing(client, demo_url, striped_photo, name):
    photos = []
    for each in (name, "plain.png"):
        files = {"files": (each, striped_photo.read_bytes())}
        (path,) = httpx.post(f"{demo_url}gradio_api/upload", files=files, timeout=60).json()
        photos.append({"path": path, "meta": {"_type": "gradio.FileData"}})
    url = f"{demo_url}gradio_api/call/batch"
    event = post(url, {"data": [photos, "conv1x1_vgg11"]})["event_id"]
    answer = urllib.request.urlopen(f"{url}/{event}", timeout=120).read().decode()
    assert "event: complete" in answer, answer
    archive, rows = json.loads(answer.split("data: ")[-1])
    assert [row["problem"] for row in rows] == ["", ""]
    with zipfile.ZipFile(archive["path"]) as packed:
        assert len({entry for entry in packed.namelist() if entry.endswith("_mask.png")}) == 2
        assert not any(entry.startswith(".") for entry in packed.namelist())


@pytest.mark.parametrize(("width", "sentence"), [(65_500, ""), (65_501, "65,500 a side are allowed")])
def test_a_picture_as_long_as_a_jpeg_can_be_is_answered_and_a_longer_one_refused(client, tmp_path, width, sentence):
    path = tmp_path / "line.png"
    Image.new("RGB", (width, 1), "gray").save(path)
    if sentence:
        with pytest.raises(AppError, match=sentence):
            segment(client, path, "conv1x1_vgg11")
    else:
        overlay, _, mask, _ = segment(client, path, "conv1x1_vgg11")
        assert Image.open(overlay).size == Image.open(mask).size == (width, 1)


def test_every_output_has_a_name(demo_url):
    info = json.load(urllib.request.urlopen(f"{demo_url}gradio_api/info"))
    names = {name: [each["label"] for each in found["returns"]] for name, found in info["named_endpoints"].items()}
    assert names == {
        "/segment": ["overlay", "heatmap", "mask", "facts"],
        "/compare": ["overlays", "disagreement", "facts"],
        "/batch": ["zip", "table"],
        "/fc_as_conv": ["comparison"],
        "/transposed_conv": ["size"],
        "/adaptive_pooling": ["bins"],
        "/size_trace": ["steps"],
    }


@pytest.mark.parametrize(
    ("endpoint", "values", "sentence"),
    [
        ("adaptive_pooling", ["a", 4], "input_size is no integer"),
        (
            "adaptive_pooling",
            [5],
            "The request has 1 of 2 values. It takes these, in this order: input_size, output_size.",
        ),
        ("adaptive_pooling", [10**400, 4], "At most 4,096 cells."),
        ("adaptive_pooling", [-5, 4], "at least 1"),
        ("transposed_conv", [1e300, 3, 1, 0, 0], "size"),
        ("transposed_conv", [3, 3, 1, [], 0], "padding is no integer"),
        ("transposed_conv", [10**30, 10**30, 10**30, 0, 0], "size"),
        ("size_trace", [["x"], 5, 5], "network is no string"),
        ("size_trace", ["fcn8s_vgg16", "5", None], "height is no integer"),
        (
            "segment",
            [None, "fcn8s_vgg16", "auto", "abc"],
            "It takes these, in this order: image, network, class, analysis_size.",
        ),
        ("segment", [None, "fcn8s_vgg16", "auto", None], "There is no image in the request."),
        ("segment", ["https://127.0.0.1:9/a.jpg", "fcn8s_vgg16", "auto", None], "this page fetches nothing"),
        ("compare", [None, 5], "There is no image in the request."),
    ],
    ids=str,
)
def test_values_of_any_kind_get_an_answer_in_words(demo_url, endpoint, values, sentence):
    url = f"{demo_url}gradio_api/call/{endpoint}"
    event = post(url, {"data": values})["event_id"]
    answer = urllib.request.urlopen(f"{url}/{event}", timeout=60).read().decode()
    assert sentence in answer
    assert "went wrong" not in answer


def test_a_full_disk_is_said(client, striped_photo, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "/a/secret/path")

    for name in ("write_picture", "new_folder"):
        with monkeypatch.context() as patched:
            patched.setattr(files, name, full)
            for endpoint, values in (
                ("/segment", ("fcn8s_vgg16", "auto", None)),
                ("/compare", ("fcn8s_vgg16, fcn32s_vgg16",)),
            ):
                with pytest.raises(AppError, match="The server's disk is full"):
                    client.predict(handle_file(str(striped_photo)), *values, api_name=endpoint)
    assert "secret" in caplog.text
