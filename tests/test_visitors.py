"""Many visitors at once: everyone gets their own result, and nobody makes the server do what it should not."""

import http.server
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

import app
from segdemo.devices import device_lock
from segdemo.images import read_image
from segdemo.segmenter import Segmenter
from segdemo.ui import inference
from segdemo.ui.host import BUSY

VISITORS = 30
NETWORK = "conv1x1_vgg11"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Make a photo for each visitor, all different, of two shapes."""
    folder = tmp_path_factory.mktemp("photos")
    for index in range(VISITORS):
        random = np.random.default_rng(index)
        size = (6, 9) if index % 2 else (9, 6)
        blocks = Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8))
        blocks.resize((blocks.width * 24, blocks.height * 24), Image.Resampling.BICUBIC).save(folder / f"{index}.png")
    return [folder / f"{index}.png" for index in range(VISITORS)]


@pytest.fixture
def join(demo_url):
    """Hand in a request without waiting for its result."""
    config = httpx.get(f"{demo_url}config", timeout=20).json()
    fn_index = next(each["id"] for each in config["dependencies"] if each["api_name"] == "segment")

    def hand_in(path, session):
        with path.open("rb") as file:
            uploaded = httpx.post(f"{demo_url}gradio_api/upload", files={"files": file}, timeout=20).json()[0]
        photo = {"path": uploaded, "meta": {"_type": "gradio.FileData"}}
        body = {"data": [photo, NETWORK, "auto", None], "fn_index": fn_index, "session_hash": session}
        return httpx.post(f"{demo_url}gradio_api/queue/join", json=body, timeout=20)

    return hand_in


def test_thirty_visitors_at_once_each_get_what_they_get_alone(demo_url, photos):
    barrier = threading.Barrier(VISITORS)

    def visit(path):
        client = Client(demo_url, verbose=False, httpx_kwargs={"timeout": 120})
        barrier.wait()
        *_, mask, facts = client.predict(handle_file(str(path)), NETWORK, "dog", None, api_name="/segment")
        with Image.open(mask) as picture:
            return np.asarray(picture), facts

    with ThreadPoolExecutor(VISITORS) as pool:
        results = list(pool.map(visit, photos))
    alone = Segmenter.load(NETWORK)
    for path, (mask, facts) in zip(photos, results, strict=True):
        wanted = alone(read_image(path))
        assert facts["image_size"] == list(wanted.image_size)
        # A batch rounds in another order, so a pixel on the edge between two classes may fall the other way.
        assert (mask == wanted.class_map()).mean() > 0.999
        assert facts["areas"] == pytest.approx(wanted.areas, abs=1e-3)


def test_those_who_wait_together_go_through_the_network_together(photos, monkeypatch):
    sizes = []
    run = inference._batcher._work
    monkeypatch.setattr(inference._batcher, "_work", lambda key, images: sizes.append(len(images)) or run(key, images))
    images = [read_image(path) for path in photos[:6]]
    inference.run_network(NETWORK, images[0])
    with device_lock("cpu"), ThreadPoolExecutor(6) as pool:
        running = [pool.submit(inference.run_network, NETWORK, image) for image in images]
        while len(inference._batcher._waiting) < 5:
            time.sleep(0.01)
        device_lock("cpu").release()
        found = [job.result() for job in running]
        device_lock("cpu").acquire()
    assert sizes[1:] == [1, 5]
    assert [each.image_size for each in found] == [image.size for image in images]


def test_beyond_the_line_one_is_asked_to_come_back_and_who_leaves_frees_a_place(join, photos, demo_url, monkeypatch):
    queue = app.demo._queue
    monkeypatch.setattr(queue, "max_size", 2)
    sessions = [uuid.uuid4().hex for _ in range(20)]
    with device_lock("cpu"):
        answers = []
        for session in sessions:
            answers.append(join(photos[0], session))
            if answers[-1].status_code == 503:
                break
            time.sleep(0.2)  # as long as there is room at the device, it leaves the line at once
        assert answers[-1].status_code == 503
        assert answers[-1].json() == {"detail": BUSY}
        assert len(queue) == 2
        # The last two that were let in are still in line; one of them closes the page.
        leaving = sessions[len(answers) - 2]
        with httpx.stream("GET", f"{demo_url}gradio_api/queue/data?session_hash={leaving}", timeout=20) as stream:
            assert "estimation" in next(stream.iter_lines())
        end = time.monotonic() + 20
        while len(queue) > 1 and time.monotonic() < end:
            time.sleep(0.1)
        assert len(queue) == 1
    end = time.monotonic() + 30
    while len(queue) and time.monotonic() < end:
        time.sleep(0.1)
    assert len(queue) == 0


def test_the_place_in_line_is_said(join, photos, demo_url):
    sessions = [uuid.uuid4().hex for _ in range(8)]
    with device_lock("cpu"):
        for session in sessions:
            assert join(photos[0], session).status_code == 200
        with httpx.stream("GET", f"{demo_url}gradio_api/queue/data?session_hash={sessions[-1]}", timeout=20) as stream:
            line = next(line for line in stream.iter_lines() if "estimation" in line)
    assert '"rank":' in line and '"queue_size":' in line


def test_an_address_is_not_fetched(demo_url):
    asked = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/photo.jpg"
        client = Client(demo_url, verbose=False, httpx_kwargs={"timeout": 120})
        photo = {"path": address, "meta": {"_type": "gradio.FileData"}}
        for name, inputs in (
            ("/segment", (photo, NETWORK, "auto", None)),
            ("/compare", (photo, "fcn8s_vgg16, fcn32s_vgg16")),
            ("/batch", ([photo], NETWORK)),
            ("/fc_as_conv", (photo,)),
        ):
            with pytest.raises(AppError, match="this page fetches nothing"):
                client.predict(*inputs, api_name=name)
        server.shutdown()
    assert asked == []


def test_no_table_of_events_is_kept_or_made(demo_url, photos):
    client = Client(demo_url, verbose=False, httpx_kwargs={"timeout": 120})
    for path in photos[:2]:
        client.predict(handle_file(str(path)), NETWORK, "dog", None, api_name="/segment")
    queue = app.demo._queue
    assert queue.events_recorded >= 2
    assert len(queue.event_analytics) <= 1
    assert queue.cached_event_analytics_summary == {"functions": {}}
