"""Whatever is sent gives a result or one clear sentence: from the decoder, the page, the API and the command line."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

import gradio as gr
import pytest
from corpus import Case, cases
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from segdemo.__main__ import main
from segdemo.analysis import Analysis
from segdemo.images import ImageError, read_image
from segdemo.segmenter import Segmenter
from segdemo.ui.result import Result

NETWORK = "conv1x1_vgg11"
GOOD = [case for case in cases() if not case.says]
BAD = [case for case in cases() if case.says]
BATCH = 50
# One of a sort, where all would only take longer.
FEW = ("animated.gif", "16-bit rgba.png", "nan and inf.tif", "1 by 10000.png", "CMYK.jpeg", "broken icc 1.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("corpus")
    for case in cases():
        (made / case.name).write_bytes(case.content)
    return made


@pytest.fixture(scope="module")
def client(demo_url):
    return Client(demo_url, verbose=False)


def is_sentence(text):
    return text.endswith(".") and "\n" not in text and "Error" not in text and "Traceback" not in text


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_decoder_gives_an_image_or_a_sentence(folder, case: Case):
    if not case.says:
        image = read_image(folder / case.name)
        assert (image.mode, image.size, image.info) == ("RGB", case.size, {})
        return
    with pytest.raises(ImageError) as refusal:
        read_image(folder / case.name)
    assert case.says in str(refusal.value)
    assert str(refusal.value).startswith(case.name)
    assert is_sentence(str(refusal.value))


def test_the_corpus_has_both_sorts_and_no_name_twice():
    assert len(GOOD) > 60
    assert len(BAD) > 10
    assert len({case.name.casefold() for case in cases()}) == len(cases())


def test_the_command_line_takes_them_all_at_once(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["predict", str(folder), "--model", NETWORK, "--out", str(out)]) == 2
    lines = capsys.readouterr().err.splitlines()
    for case in BAD:
        (line,) = (line for line in lines if line.startswith(f"segdemo predict: {case.name} "))
        assert case.says in line
    assert len(lines) == len(BAD)
    assert len(list(out.glob("*.json"))) == len(GOOD)
    table = (out / "areas.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 1 + len(cases())


def test_the_command_line_ends_with_2_and_one_line_for_each_alone(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Segmenter, "load", cache(Segmenter.load))
    for case in BAD:
        assert main(["predict", str(folder / case.name), "--model", NETWORK, "--out", str(tmp_path)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert case.says in line


def test_what_is_no_file_is_one_line_on_the_command_line(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Segmenter, "load", cache(Segmenter.load))
    empty = tmp_path / "empty"
    empty.mkdir()
    for photo, says in {
        str(empty): "there is no photo in",
        "http://127.0.0.1:9/photo.jpg": "photo.jpg is a web address",
        "FILE:///etc/passwd": "passwd is a web address",
        str(folder / ".." / "nothing.jpg"): "There is no file nothing.jpg",
        "a\0b.jpg": "a?b.jpg",  # the words differ between versions of Python
    }.items():
        assert main(["predict", photo, "--model", NETWORK, "--out", str(tmp_path / "out")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert says in line


def test_a_path_with_dots_is_read_and_its_results_stay_in_their_folder(folder, tmp_path):
    out = tmp_path / "out"
    photo = folder / ".." / folder.name / "RGB.png"
    assert main(["predict", str(photo), "--model", NETWORK, "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {
        f"RGB{end}" for end in ("_mask.png", "_overlay.png", "_heatmap.png", ".json")
    }
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_process_says_one_line_and_no_warning(folder, tmp_path):
    photos = [str(folder / name) for name in ("broken exif 2.jpg", "truncated.png")]
    command = [sys.executable, "-m", "segdemo", "predict", *photos, "--model", NETWORK, "--out", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)
    assert ended.returncode == 2
    assert ended.stderr == "segdemo predict: truncated.png is damaged or cut short.\n"


def test_the_page_gives_a_result_or_the_sentence(folder):
    for case in BAD:
        with pytest.raises(gr.Error) as refusal:
            Result.make(str(folder / case.name), Analysis(NETWORK))
        assert case.says in refusal.value.message
        assert is_sentence(refusal.value.message)
    for name in FEW:
        result = Result.make(str(folder / name), Analysis(NETWORK))
        assert Image.open(result.mask).size == result.segmentation.image_size


def test_the_batch_endpoint_takes_them_all(client, folder):
    for start in range(0, len(cases()), BATCH):
        part = cases()[start : start + BATCH]
        _, rows = client.predict([handle_file(str(folder / c.name)) for c in part], NETWORK, api_name="/batch")
        for case, row in zip(part, rows, strict=True):
            assert case.says in row["problem"]
            assert bool(case.says) == bool(row["problem"])


@pytest.mark.parametrize(
    ("endpoint", "rest"),
    [("/segment", (NETWORK, "auto", None)), ("/compare", ("fcn8s_vgg16, fcn32s_vgg16",)), ("/fc_as_conv", ())],
)
def test_each_endpoint_gives_a_result_or_the_sentence(client, folder, endpoint, rest):
    for case in BAD:
        with pytest.raises(AppError) as refusal:
            client.predict(handle_file(str(folder / case.name)), *rest, api_name=endpoint)
        assert case.says in str(refusal.value)
        assert is_sentence(str(refusal.value))
    for name in FEW[: 6 if endpoint == "/segment" else 2]:
        assert client.predict(handle_file(str(folder / name)), *rest, api_name=endpoint)


def answer(url, endpoint, data):
    """Call an endpoint as a program that builds its requests itself, and give what comes back."""
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}gradio_api/call/{endpoint}", json.dumps({"data": data}).encode(), head)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            event = json.load(response)["event_id"]
        with urllib.request.urlopen(f"{url}gradio_api/call/{endpoint}/{event}", timeout=120) as stream:
            return stream.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


@pytest.mark.parametrize(
    ("endpoint", "shape"),
    [
        ("segment", lambda file: [file, NETWORK, "auto", None]),
        ("compare", lambda file: [file, "fcn8s_vgg16, fcn32s_vgg16"]),
        ("fc_as_conv", lambda file: [file]),
        ("batch", lambda file: [[file], NETWORK]),
    ],
    ids=["segment", "compare", "fc_as_conv", "batch"],
)
def test_what_was_not_uploaded_is_neither_read_nor_fetched(demo_url, endpoint, shape):
    root = str(Path(__file__).parent.parent)
    for path, says in {
        "http://127.0.0.1:9/photo.jpg": "web address",
        "https://localhost/photo.jpg": "web address",
        "/etc/passwd": "not uploaded",
        f"{root}/docs/page.png": "not uploaded",
        "../../../../etc/passwd": "not uploaded",
        root: "not uploaded",
    }.items():
        found = answer(demo_url, endpoint, shape({"path": path, "meta": {"_type": "gradio.FileData"}}))
        assert "event: error" in found
        assert says in found
        assert root not in found
