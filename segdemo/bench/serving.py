"""The running app, as a visitor has it: start, requests, many clients, pictures drawn again."""

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from segdemo import catalog
from segdemo.bench.photos import write_photo
from segdemo.bench.timing import measure, timed
from segdemo.images import read_image
from segdemo.segmenter import Segmenter

ROOT = Path(__file__).parents[2]
SIDE = 512  # pixels
_PATIENCE = 300.0  # seconds
_NETWORK = "fcn8s_vgg16"


@dataclass(frozen=True)
class Server:
    """An app in a process of its own, by its number, and the seconds from its start to the first page and mask."""

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
        with httpx.Client(timeout=_PATIENCE) as http:
            segment(http, url, photo)
        yield Server(url, process.pid, first_page, time.perf_counter() - start)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:  # what was measured is not lost for that
            process.kill()


def segment(
    http: httpx.Client, url: str, photo: Path, network: str = _NETWORK, size: int | None = None
) -> tuple[dict[str, float], dict[str, Any]]:
    """Upload a photo, ask for its mask, and fetch the three pictures, over one connection that stays open.

    That is what a browser does. `gradio_client` opens a connection, and reads the certificates, for each step.

    Returns:
        Seconds for each part: `upload`; `answer`, from the question to the facts; `fetch`, of the pictures; and the
        facts.

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
    *pictures, facts = json.loads(answer.removeprefix("data: "))
    times.append(time.perf_counter())
    for picture in pictures:
        http.get(picture["url"]).raise_for_status()
    times.append(time.perf_counter())
    seconds = [end - start for start, end in pairwise(times)]
    return dict(zip(("upload", "answer", "fetch"), seconds, strict=True)), facts


def http_vs_forward(server: Server, segmenters: dict[str, Segmenter], folder: Path, runs: int) -> dict[str, object]:
    """Compare a request through HTTP with the bare pass through the network, for a 512×512 JPEG seen at that size.

    Returns:
        By network: `request_s` and `forward_s` (medians), and `ratio`; the same at the network's own analysis size
        under `own_size`. What a request is made of: `upload_s`, `answer_s` and `fetch_s` as `segment` has them; of the
        answer, what the endpoint's function takes in this process (`function_s`), and the rest, which is Gradio's
        (`queue_s`: its line, its checks, its stream).
    """
    photo = write_photo(folder / "photo.jpg", SIDE, SIDE)
    found: dict[str, object] = {}
    with httpx.Client(timeout=_PATIENCE) as http:
        for name, segmenter in segmenters.items():
            ask = partial(segment, http, server.url, photo, name)
            own, wide = (_request_and_pass(partial(ask, size), segmenter, photo, size, runs) for size in (None, SIDE))
            found[name] = {**wide, "own_size": own}
    return found


def _request_and_pass(
    ask: Callable[[], tuple[dict[str, float], object]], segmenter: Segmenter, photo: Path, size: int | None, runs: int
) -> dict[str, float]:
    from segdemo.ui import api  # noqa: PLC0415 - brings Gradio, which only these figures need

    ask()  # to warm up
    requests = [ask()[0] for _ in range(runs)]
    parts = {f"{part}_s": statistics.median(each[part] for each in requests) for part in requests[0]}
    request = statistics.median(sum(each.values()) for each in requests)
    image = read_image(photo)
    passes = [segmenter(image, size).milliseconds["network"] / 1000 for _ in range(runs + 1)]
    forward = statistics.median(passes[1:])
    function = measure(partial(api.segment, str(photo), segmenter.name, "auto", size), runs).median
    rest = {"function_s": function, "queue_s": parts["answer_s"] - function}
    return {"request_s": request, "forward_s": forward, "ratio": request / forward, **parts, **rest}


def clients(server: Server, folder: Path, counts: tuple[int, ...], requests: int) -> dict[str, dict[str, float]]:
    """Let several clients send a photo each at once, `requests` in all for each number of clients.

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

    The end is compared with the memory after the first tenth, or after two requests for each network if they are more.

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
            segment(http, server.url, photos[index % len(photos)], names[index % len(names)])
            if index + 1 == max(requests // 10, 2 * len(names)):  # by then every network is loaded and has run
                settled = process.memory_info().rss
    end = process.memory_info().rss
    return {"requests": requests, "settled_mb": settled / 1e6, "end_mb": end / 1e6, "growth": end / settled - 1}


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
    seconds: list[float] = []  # appended to by all threads, which a list allows
    same: list[bool] = []

    def visit(index: int) -> None:
        with httpx.Client(timeout=_PATIENCE) as http:
            for _ in range(each):
                with suppress(Exception):  # whatever it was, the visitor got nothing
                    parts, facts = segment(http, server.url, photos[index])
                    same.append(_same(facts["areas"], wanted[index]))
                    seconds.append(sum(parts.values()))

    with ThreadPoolExecutor(len(photos)) as pool:
        total, _ = timed(lambda: list(pool.map(visit, range(len(photos)))))
    twentieths = statistics.quantiles(seconds, n=20, method="inclusive")
    return {
        "requests_per_s": len(seconds) / total,
        "p50_s": twentieths[9],
        "p95_s": twentieths[18],
        "requests": len(seconds),
        "lost": each * len(photos) - len(seconds),
        "mixed_up": same.count(False),
    }


def _same(areas: dict[str, float], wanted: dict[str, float]) -> bool:
    return bool(np.allclose([areas[name] for name in wanted], list(wanted.values()), atol=2e-3))


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(httpx.HTTPError):
            httpx.get(url, timeout=5).raise_for_status()
            return
        time.sleep(0.05)
    raise RuntimeError("the app did not start")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
