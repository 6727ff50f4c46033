"""Health, refusals in words, and an orderly end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.utils import Status
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from segdemo.ui.host import BUSY, HEALTH, STOPPING, VARIABLE, Host, HostMiddleware, patience

ROOT = Path(__file__).parent.parent


@pytest.fixture
def host():
    return Host()


def serve(host, status=200):
    async def answer(request):
        return JSONResponse({"detail": f"internal words, {host.open_requests} open"}, status)

    paths = [
        f"/gradio_api/{name}" for name in ("queue/join", "queue/data", "call/segment", "run/predict", "mcp/", "upload")
    ]
    paths += ["/gradio_api/heartbeat/abc", "/other", "/file=health"]
    app = Starlette(routes=[Route(path, answer, methods=["GET", "POST"]) for path in paths])
    return TestClient(HostMiddleware(app, host))


def test_a_host_learns_that_the_server_is_well_and_when_it_stops(host):
    client = serve(host)
    assert (client.get(HEALTH).status_code, client.get(HEALTH).json()) == (200, {"status": "ok"})
    host.is_stopping.set()
    assert (client.get(HEALTH).status_code, client.get(HEALTH).json()) == (503, {"status": "stopping"})


def test_a_full_queue_is_said_in_words(host):
    response = serve(host, 503).post("/gradio_api/queue/join")
    assert response.status_code == 503
    assert response.json() == {"detail": BUSY}


@pytest.mark.parametrize("status", [200, 404, 422])
def test_other_answers_pass_unchanged(host, status):
    response = serve(host, status).post("/gradio_api/queue/join")
    assert (response.status_code, response.json()["detail"]) == (status, "internal words, 1 open")
    assert serve(host, status).get("/other").json()["detail"].startswith("internal words")
    assert serve(host, 503).get("/other").json()["detail"].startswith("internal words")


@pytest.mark.parametrize("path", ["queue/join", "call/segment", "run/predict", "mcp/", "upload"])
def test_nothing_new_begins_while_the_server_stops(host, path):
    client = serve(host)
    host.is_stopping.set()
    answer = client.post(f"/gradio_api/{path}")
    assert (answer.status_code, answer.json()) == (503, {"detail": STOPPING})
    assert client.get("/gradio_api/queue/data").status_code == 200


def test_those_who_wait_for_an_answer_are_counted(host):
    for path in ("/gradio_api/queue/data", "/other"):
        assert serve(host).get(path).json()["detail"].endswith("1 open")
    assert serve(host).get("/gradio_api/heartbeat/abc").json()["detail"].endswith("0 open"), (
        "an open page waits for none"
    )
    assert host.open_requests == 0

    async def broken(scope, receive, send):
        raise OSError

    with pytest.raises(OSError, match=r"^$"):
        TestClient(HostMiddleware(broken, host)).get("/gradio_api/queue/data")
    assert host.open_requests == 0


def test_a_request_of_curl_counts_until_its_result_was_read(monkeypatch):
    host, clock = Host(patience=30), [0.0]
    monkeypatch.setattr("segdemo.ui.host.time.monotonic", lambda: clock[0])

    async def answer(request):
        return JSONResponse({"event_id": "abc"})

    paths = ("/gradio_api/call/segment", "/gradio_api/call/segment/{event}")
    client = TestClient(
        HostMiddleware(Starlette(routes=[Route(path, answer, methods=["GET", "POST"]) for path in paths]), host)
    )
    assert not host.is_busy
    client.post(paths[0])
    assert host.is_busy
    client.get("/gradio_api/call/segment/other")
    assert host.is_busy
    client.get("/gradio_api/call/segment/abc")
    assert not host.is_busy
    client.post(paths[0])
    clock[0] = 31
    assert not host.is_busy, "a result that nobody comes for holds no one up for ever"


@pytest.mark.parametrize(("told", "seconds"), [("", 30), ("600", 600), ("0", 0), ("nan", 30), ("-1", 30), ("soon", 30)])
def test_a_host_says_how_long_running_requests_have(monkeypatch, told, seconds):
    monkeypatch.setenv(VARIABLE, told)
    assert patience() == seconds


@pytest.mark.skipif(os.name == "nt", reason="Windows has no stop signal that a program can handle")
def test_a_stop_signal_lets_the_running_request_end(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(_free_port()), "TMPDIR": str(folder), VARIABLE: "600"}
    environment.pop("GRADIO_TEMP_DIR", None)
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$0" app.py', sys.executable],  # as a shell's background job: deaf to Ctrl+C
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{environment['GRADIO_SERVER_PORT']}/"
        _wait_for(url + "health", process)
        client = Client(url, verbose=False, download_files=str(tmp_path), httpx_kwargs={"timeout": 300})
        assert len(list(folder.iterdir())) > 0
        by_curl = [_hand_in(url, 256) for _ in range(2)]
        job = client.submit(handle_file(gr.get_image("lion.jpg")), "fcn8s_vgg16", "auto", 512, api_name="/segment")
        while job.status().code not in (Status.PROCESSING, Status.IN_QUEUE):
            assert not job.done(), job.result(timeout=1)
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        refused = httpx.post(f"{url}gradio_api/call/segment", json={"data": []}, timeout=300)
        assert (refused.status_code, refused.json()) == (503, {"detail": STOPPING})
        assert job.result(timeout=300)[-1]["analysis_size"] == [512, 512]
        for event in by_curl:  # read late, one after the other
            answer = httpx.get(f"{url}gradio_api/call/segment/{event}", timeout=300).text
            assert '"analysis_size": [256, 256]' in answer
        output, _ = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert re.search(r"fcn8s_vgg16, photo \d+x\d+, \d+ ms, done", output)
    assert "Traceback" not in output
    assert list(folder.iterdir()) == [], "uploads and results go with the program"


def test_the_handler_is_left_alone_outside_the_main_thread(host):
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=host.handle_stop_signal)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before


def _hand_in(url, size):
    photo = Path(gr.get_image("lion.jpg"))
    uploaded = httpx.post(f"{url}gradio_api/upload", files={"files": photo.read_bytes()}, timeout=300).json()[0]
    file = {"path": uploaded, "meta": {"_type": "gradio.FileData"}}
    data = [file, "fcn8s_vgg16", "auto", size]
    return httpx.post(f"{url}gradio_api/call/segment", json={"data": data}, timeout=300).json()["event_id"]


def _wait_for(url, process):
    end = time.monotonic() + 900  # a busy machine may take minutes to import torch and Gradio
    while time.monotonic() < end:
        assert process.poll() is None, process.stdout.read()
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                assert json.load(response) == {"status": "ok"}
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the app did not start")


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
