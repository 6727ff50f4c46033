"""The running app, as a visitor has it: start, requests, many clients, pictures drawn again."""

import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from gradio_client import Client, handle_file

from segdemo import catalog
from segdemo.bench.photos import write_photo
from segdemo.bench.timing import measure, percentile, timed
from segdemo.images import read_image
from segdemo.segmenter import Segmenter

ROOT = Path(__file__).parents[2]
SIDE = 512  # pixels
_PATIENCE = 300.0  # seconds
_NETWORK = "fcn8s_vgg16"


@dataclass(frozen=True)
class Server:
    """An app in a process of its own.

    Attributes:
        url: Its address.
        process: Its number.
        first_page_s: Seconds from its start to the first page.
        first_mask_s: Seconds from its start to the first mask.
    """

    url: str
    process: int
    first_page_s: float
    first_mask_s: float


@contextmanager
def serve(folder: Path) -> Generator[Server]:
    """Start the app, wait for its first page and mask, and stop it at the end.

    Raises:
        RuntimeError: It does not start.
    """
    port = _free_port()
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port)}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_for(url, process)
        first_page = time.perf_counter() - start
        photo = write_photo(folder / "first.jpg", SIDE, SIDE)
        segment(_client(url), photo, _NETWORK)
        yield Server(url, process.pid, first_page, time.perf_counter() - start)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:  # what was measured is not lost for that
            process.kill()


def segment(client: Client, photo: Path, network: str, size: int | None = None) -> dict[str, Any]:
    """Ask for a mask and give its facts."""
    return client.predict(handle_file(str(photo)), network, "auto", size, api_name="/segment")[-1]


def segment_over_http(http: httpx.Client, url: str, photo: Path, network: str, size: int | None) -> dict[str, float]:
    """Upload a photo, ask for its mask, and fetch the three pictures, over one connection that stays open.

    That is what a browser does. `gradio_client` opens a connection, and reads the certificates, for each step.

    Args:
        http: The connection.
        url: The app's address.
        photo: What is uploaded.
        network: A name of the catalog.
        size: The analysis size, None for the network's own.

    Returns:
        Seconds for each part: `upload`; `answer`, from the question to the facts; `fetch`, of the pictures.

    Raises:
        RuntimeError: The app refused.
    """
    times = [time.perf_counter()]
    with photo.open("rb") as file:
        (path,) = http.post(f"{url}gradio_api/upload", files={"files": file}).raise_for_status().json()
    times.append(time.perf_counter())
    data = [{"path": path, "meta": {"_type": "gradio.FileData"}}, network, "auto", size]
    call = http.post(f"{url}gradio_api/call/segment", json={"data": data}).raise_for_status().json()["event_id"]
    *_, event, answer = http.get(f"{url}gradio_api/call/segment/{call}").raise_for_status().text.strip().splitlines()
    if event != "event: complete":
        raise RuntimeError(answer)
    *pictures, _ = json.loads(answer.removeprefix("data: "))
    times.append(time.perf_counter())
    for picture in pictures:
        http.get(picture["url"]).raise_for_status()
    times.append(time.perf_counter())
    return {
        part: end - start for part, (start, end) in zip(("upload", "answer", "fetch"), pairwise(times), strict=True)
    }


def http_vs_forward(server: Server, segmenters: dict[str, Segmenter], folder: Path, runs: int) -> dict[str, object]:
    """Compare a request through HTTP with the bare pass through the network, for a 512×512 JPEG seen at that size.

    Returns:
        By network: `request_s` and `forward_s` (medians), and `ratio`; the same at the network's own analysis size
        under `own_size`. What a request is made of: `upload_s`, `answer_s` and `fetch_s` as `segment_over_http` has
        them; of the answer, what the endpoint's function takes in this process (`function_s`), and the rest, which is
        Gradio's (`queue_s`: its line, its checks, its stream).
    """
    photo = write_photo(folder / "photo.jpg", SIDE, SIDE)
    found: dict[str, object] = {}
    with httpx.Client(timeout=_PATIENCE) as http:
        for name, segmenter in segmenters.items():
            ask = partial(segment_over_http, http, server.url, photo, name)
            own, wide = (_request_and_pass(partial(ask, size), segmenter, photo, size, runs) for size in (None, SIDE))
            found[name] = {**wide, "own_size": own}
    return found


def _request_and_pass(
    ask: Callable[[], dict[str, float]], segmenter: Segmenter, photo: Path, size: int | None, runs: int
) -> dict[str, float]:
    from segdemo.ui import api  # noqa: PLC0415 - brings Gradio, which only these figures need

    ask()  # to warm up
    requests = [ask() for _ in range(runs)]
    parts = {f"{part}_s": statistics.median(each[part] for each in requests) for part in requests[0]}
    request = statistics.median(sum(each.values()) for each in requests)
    image = read_image(photo)
    passes = [segmenter(image, size).milliseconds["network"] / 1000 for _ in range(runs + 1)]
    forward = statistics.median(passes[1:])
    function = measure(partial(api.segment, str(photo), segmenter.name, "auto", size), runs).median
    rest = {"function_s": function, "queue_s": parts["answer_s"] - function}
    return {"request_s": request, "forward_s": forward, "ratio": request / forward, **parts, **rest}


def clients(server: Server, folder: Path, counts: tuple[int, ...], requests: int) -> dict[str, dict[str, float]]:
    """Let several clients send photos at once.

    Args:
        server: The app.
        folder: For the photos, one a client.
        counts: Numbers of clients.
        requests: In all, for each number of clients.

    Returns:
        By number of clients: `requests_per_s`, `p50_s` and `p95_s`, how many requests were `lost` and how many were
        `mixed_up`, that is, got another result than the same photo got alone.
    """
    photos = [write_photo(folder / f"client{i}.jpg", SIDE, SIDE, seed=i) for i in range(max(counts))]
    alone = Segmenter.load(_NETWORK)
    wanted = [alone(read_image(photo)).areas for photo in photos]
    return {str(count): _load(server, photos[:count], wanted, max(requests // count, 1)) for count in counts}


def soak(server: Server, folder: Path, requests: int) -> dict[str, float]:
    """Send requests one after the other, each as a new visitor with another photo and network, and watch the memory.

    Args:
        server: The app.
        folder: For the photos.
        requests: How many, at least two for each network; the memory after the first tenth, or after those if they
            are more, is what the end is compared with.

    Returns:
        `requests`, `settled_mb`, `end_mb`, and `growth`, the share that was added.

    Raises:
        ValueError: psutil is not installed.
    """
    try:
        import psutil  # noqa: PLC0415 - only this figure needs it
    except ImportError as error:
        raise ValueError("`soak` needs psutil: pip install -r requirements-dev.txt") from error
    photos = [write_photo(folder / f"soak{i}.jpg", 200 + 40 * i, 300, seed=i) for i in range(8)]
    names, process = list(catalog.BUNDLED), psutil.Process(server.process)
    settled = 0
    with httpx.Client(timeout=_PATIENCE) as http:
        for index in range(requests):
            segment_over_http(http, server.url, photos[index % len(photos)], names[index % len(names)], None)
            if index + 1 == max(requests // 10, 2 * len(names)):  # by then every network is loaded and has run
                settled = process.memory_info().rss
    end = process.memory_info().rss
    return {"requests": requests, "settled_mb": settled / 1e6, "end_mb": end / 1e6, "growth": end / settled - 1}


def first_times(server: Server) -> dict[str, float]:
    """Give what the start took."""
    return {"first_page_s": server.first_page_s, "first_mask_s": server.first_mask_s}


def rerender_ms(folder: Path, runs: int) -> dict[str, float]:
    """Time the drawing of a result again: another class, opacity or colours, at 512×512.

    Returns:
        By what changes: median milliseconds of server time.
    """
    from segdemo.analysis import Analysis, Style  # noqa: PLC0415
    from segdemo.ui.result import Result  # noqa: PLC0415 - brings Gradio, which only these figures need

    photo = write_photo(folder / "photo.jpg", SIDE, SIDE)
    result = Result.make(str(photo), Analysis(_NETWORK))
    styles = {"class": Style("dog"), "opacity": Style(opacity=0.3), "colours": Style(colormap="magma")}
    return {name: measure(lambda style=style: result.draw(style), runs).median * 1000 for name, style in styles.items()}


def _load(server: Server, photos: list[Path], wanted: list[dict[str, float]], each: int) -> dict[str, float]:
    seconds, lost, mixed = [], 0, 0

    opened = [_client(server.url) for _ in photos]

    def visit(index: int) -> tuple[list[float], int, int]:
        client = opened[index]
        mine, my_lost, my_mixed = [], 0, 0
        for _ in range(each):
            try:
                took, facts = timed(lambda: segment(client, photos[index], _NETWORK))
            except Exception:  # whatever it was, the visitor got nothing
                my_lost += 1
                continue
            mine.append(took)
            my_mixed += not _same(facts["areas"], wanted[index])
        return mine, my_lost, my_mixed

    with ThreadPoolExecutor(len(photos)) as pool:
        total, visits = timed(lambda: list(pool.map(visit, range(len(photos)))))
    for took, my_lost, my_mixed in visits:
        seconds += took
        lost += my_lost
        mixed += my_mixed
    return {
        "requests_per_s": len(seconds) / total,
        "p50_s": percentile(seconds, 0.5),
        "p95_s": percentile(seconds, 0.95),
        "requests": len(seconds),
        "lost": lost,
        "mixed_up": mixed,
    }


def _same(areas: dict[str, float], wanted: dict[str, float]) -> bool:
    return bool(np.allclose([areas[name] for name in wanted], list(wanted.values()), atol=2e-3))


def _client(url: str) -> Client:
    return Client(url, verbose=False, httpx_kwargs={"timeout": httpx.Timeout(_PATIENCE)})


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                response.read()
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the app did not start")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
