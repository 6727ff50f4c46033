"""What the Segment tab asks of the service: each choice as it is made, each photo once."""

import json
import uuid
from itertools import count

import gradio as gr
import httpx
import pytest

from segdemo.devices import device_lock
from segdemo.images import read_image
from segdemo.segmenter import Segmenter

NETWORK = "conv1x1_vgg11"


@pytest.fixture
def passes(monkeypatch):
    """Note what the networks are asked for: the analysis size, and whether the best quality is wanted."""
    asked, original = [], Segmenter.__call__

    def noting(self, images, size=None, best_quality=False, watch=None):
        asked.extend((self.name, size, best_quality) for _ in (images if isinstance(images, list) else [images]))
        return original(self, images, size, best_quality, watch)

    monkeypatch.setattr(Segmenter, "__call__", noting)
    return asked


class Visitor:
    """Presses what a browser presses: sends the Segment tab's event with what stands in its fields."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, uuid.uuid4().hex
        config = httpx.get(f"{url}config", timeout=60).json()
        fields = {each["id"]: each["props"] for each in config["components"]}
        names = {number: props.get("elem_id") for number, props in fields.items()}
        self.event = next(
            each
            for each in config["dependencies"]
            if {"photo", "best-quality"} <= {names[number] for number in each["inputs"]} and each["outputs"]
        )
        self.inputs = [(names[number], fields[number].get("value")) for number in self.event["inputs"]]
        self.outputs = [names[number] for number in self.event["outputs"]]
        self.numbers = count()

    def upload(self, path: str) -> dict[str, object]:
        with open(path, "rb") as file:  # noqa: PTH123 - a name from Gradio
            (sent,) = httpx.post(f"{self.url}gradio_api/upload", files={"files": file}, timeout=60).json()
        return {"path": sent, "meta": {"_type": "gradio.FileData"}}

    def ask(self, **chosen: object) -> None:
        """Hand in the event; `best_quality` stands for the field `best-quality`."""
        chosen = {name.replace("_", "-"): value for name, value in chosen.items()}
        data = [chosen.get(name, value) if name else value for name, value in self.inputs]
        body = {"data": data, "fn_index": self.event["id"], "session_hash": self.session}
        httpx.post(f"{self.url}gradio_api/queue/join", json=body, timeout=60).raise_for_status()

    def answers(self, number: int) -> list[dict[str, object]]:
        """Wait for the answers to this many events, each by the names of what it changes."""
        found = []
        url = f"{self.url}gradio_api/queue/data?session_hash={self.session}"
        with httpx.stream("GET", url, timeout=120) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if message.get("msg") == "process_completed":
                    assert message["success"], message
                    found.append(dict(zip(self.outputs, message["output"]["data"], strict=True)))
                if len(found) == number:
                    return found
        return found


@pytest.fixture
def visitor(demo_url):
    return Visitor(demo_url)


@pytest.mark.parametrize("best_quality", [False, True])
def test_best_quality_reaches_the_network_and_the_mask(visitor, passes, best_quality):
    path = gr.get_image("cheetah1.jpg")
    visitor.ask(photo=visitor.upload(path), network=NETWORK, best_quality=best_quality)
    (answer,) = visitor.answers(1)
    assert passes == [(NETWORK, None, best_quality)]
    wanted = Segmenter.load(NETWORK)(read_image(path), None, best_quality)
    shown = answer["classes"]
    assert f"{wanted.areas['cat']:.1%}" in shown and f"{wanted.areas['dog']:.1%}" in shown


def test_a_photo_that_is_sent_twice_is_segmented_once(visitor, passes):
    photo = visitor.upload(gr.get_image("cheetah1.jpg"))
    with device_lock("cpu"):
        for _ in range(2):
            visitor.ask(photo=photo, network=NETWORK)
    visitor.answers(2)
    assert passes == [(NETWORK, None, False)]
