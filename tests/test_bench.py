"""The bench command, on small images: that it measures what it says; the figures themselves are no test's matter."""

import json
import os

import gradio as gr
import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from segdemo.__main__ import main
from segdemo.bench import bench as whole
from segdemo.bench import megapixels, passes, precision, serving
from segdemo.bench.lessons import lesson_ms
from segdemo.bench.photos import write_photo
from segdemo.images import read_image
from segdemo.models import build
from segdemo.models.blocks import InBlocks
from segdemo.segmenter import Segmenter

CLASSIFIER, FCN = "conv1x1_vgg11", "fcn8s_vgg16"


@pytest.fixture(scope="module")
def segmenters():
    return {name: Segmenter.load(name, "cpu") for name in (CLASSIFIER, FCN)}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(passes, "SIDE", 64)
    monkeypatch.setattr(passes, "_USUAL_MATRIX", 64)
    monkeypatch.setattr(passes, "_CROP", 32)


def test_operations_are_counted():
    network = build("conv1x1_vgg", backbone="vgg11", num_classes=3)
    images = torch.randn(1, 3, 32, 32)
    by_hand, features = 0, images
    for layer in network.features if hasattr(network, "features") else network.backbone:
        features = layer(features)
        if isinstance(layer, torch.nn.Conv2d):
            by_hand += 2 * layer.weight.numel() * features[0, 0].numel()
    by_hand += 2 * network.score.weight.numel() * features[0, 0].numel()
    assert passes.count_flops(network, images) == by_hand


def test_a_product_of_matrices_is_made_as_such_and_as_a_conv(monkeypatch):
    made = []
    monkeypatch.setattr(passes, "_done", made.append)
    for product in passes._products(64, "cpu", torch.float32):
        product()
    as_such, as_conv = made
    torch.testing.assert_close(as_conv[0].permute(1, 2, 0).reshape(64, 64), as_such, rtol=1e-4, atol=1e-4)


def test_what_blocks_compute_twice_is_counted_once():
    network = build("fcn_vgg", backbone="vgg11", num_classes=3, fc_width=8, fc_kernel=1).eval()
    images = torch.randn(1, 3, 96, 96)
    whole = passes.count_flops(network, images)
    stages = network.stages[0]
    network.stages[0] = InBlocks(stages, 32 * 32)
    assert passes.count_flops(network, images) == whole
    assert network.stages[0].pixels == 32 * 32


def test_rates_are_operations_over_seconds(segmenters):
    for figures in passes.forward_vs_matmul(segmenters, 2).values():
        assert (figures["batch"], figures["precision"]) == (1, "float32")
        assert figures["gflops_per_s"] == pytest.approx(figures["gflops"] / figures["seconds"])
        rate = max(figures["matmul_gflops_per_s"], figures["conv1x1_gflops_per_s"])
        assert figures["ratio"] == pytest.approx(figures["gflops_per_s"] / rate)


def test_passes_are_measured_in_the_segmenters_precision_and_on_a_card_in_batches(monkeypatch):
    seen = []
    segmenter = Segmenter.load(CLASSIFIER, "cpu", "bfloat16")
    score = segmenter.network.score
    score.register_forward_hook(lambda _, inputs, output: seen.append((len(output), output.dtype)))
    monkeypatch.setattr(passes, "_BATCH", {"cpu": 2})
    ((name, figures),) = passes.forward_vs_matmul({CLASSIFIER: segmenter}, 1).items()
    assert (name, figures["batch"], figures["precision"]) == (CLASSIFIER, 2, "bfloat16")
    assert seen[1:] == [(2, torch.bfloat16)] * 2  # the first counted operations


def test_precisions_are_compared_pixel_by_pixel_and_in_time(monkeypatch, pet_folder):
    monkeypatch.setattr(precision.catalog, "BUNDLED", {CLASSIFIER: None})
    found = precision.bfloat16_vs_float32("cpu", None, 1)[CLASSIFIER]
    assert found["photos"] == len(precision.EXAMPLES)
    assert found["times_as_fast"] == found["float32_ms"] / found["bfloat16_ms"] > 0
    maps = []
    for kind in ("float32", "bfloat16"):
        segmenter = Segmenter.load(CLASSIFIER, "cpu", kind)
        maps.append([segmenter(read_image(path)).class_map() for path in precision.EXAMPLES])
    shares = [np.mean(one == other) for one, other in zip(*maps, strict=True)]
    assert found["worst_photo"] == pytest.approx(min(shares), abs=1e-4)
    assert min(shares) <= found["pixels_equal"] <= max(shares) < 1
    with pytest.raises(ValueError, match="too few photos"):
        precision.bfloat16_vs_float32("cpu", pet_folder, 1)
    monkeypatch.setattr(precision, "_SPLIT", "train")
    assert precision.bfloat16_vs_float32("cpu", pet_folder, 1)[CLASSIFIER]["photos"] == 4


def test_there_is_a_crop_for_every_cell(segmenters):
    figures = passes.dense_vs_crops(segmenters, 1)
    assert figures["crops"] == (passes.SIDE // 2 // segmenters[CLASSIFIER].network.stride) ** 2
    assert figures["ratio"] == pytest.approx(figures["crops_seconds"] / figures["dense_seconds"])


def test_the_padded_construction_sees_99_pixels_more_on_every_side(segmenters):
    seen = []
    handle = segmenters[FCN].network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-1]))
    passes.vs_padding100(segmenters, 1)
    handle.remove()
    assert set(seen) == {64, 64 + 2 * 99}


def test_a_photo_has_its_size_and_its_seed(tmp_path):
    paths = [write_photo(tmp_path / f"{i}.jpg", 90, 70, seed=i) for i in range(2)]
    first, second = (np.asarray(Image.open(path)) for path in paths)
    assert first.shape == (70, 90, 3)
    assert not np.array_equal(first, second)
    tall = np.asarray(Image.open(write_photo(tmp_path / "tall.jpg", 30, 1500)))
    assert tall.shape == (1500, 30, 3) and tall[1100:].std() > 5


@pytest.mark.skipif(os.name == "nt", reason="Windows does not tell the peak")
def test_large_photos_are_measured_in_a_process_of_their_own(monkeypatch):
    monkeypatch.setattr(megapixels, "SIZES", (0.02, 0.04, 9.0))
    monkeypatch.setattr(megapixels, "_REFERENCE", 0.03)
    found = megapixels.megapixels(1.0, "cpu")
    assert list(found) == ["0.02", "0.04", "spread"]
    for row in (found["0.02"], found["0.04"]):
        assert row["seconds"] > 0 and row["peak_mb"] > 100
        assert row["vs_one_megapixel"] > 0
    assert found["spread"] >= 1


def test_the_served_app_is_measured_and_stopped(tmp_path, segmenters):
    with serving.serve(tmp_path) as server:
        assert 0 < server.first_page_s < server.first_mask_s
        found = serving.clients(server, tmp_path, (1, 3), 6)
        assert {count: row["requests"] for count, row in found.items()} == {"1": 6, "3": 6}
        assert all(row["lost"] == row["mixed_up"] == 0 for row in found.values())
        assert all(row["p50_s"] <= row["p95_s"] for row in found.values())
        soaked = serving.soak(server, tmp_path, 24)
        assert soaked["settled_mb"] > 100 and soaked["growth"] < 0.1
        requests = serving.http_vs_forward(server, {CLASSIFIER: segmenters[CLASSIFIER]}, tmp_path, 1)
        for found in (requests[CLASSIFIER], requests[CLASSIFIER]["own_size"]):
            assert found["ratio"] == found["request_s"] / found["forward_s"]
            assert found["upload_s"] + found["answer_s"] + found["fetch_s"] == pytest.approx(found["request_s"])
            assert found["function_s"] + found["queue_s"] == pytest.approx(found["answer_s"])
            assert min(found[part] for part in ("upload_s", "answer_s", "fetch_s", "function_s", "forward_s")) > 0
    with pytest.raises(httpx.ConnectError, match="refused"):
        httpx.get(server.url)


def test_a_result_of_another_photo_is_noticed():
    wanted = {"background": 0.5, "dog": 0.5}
    assert serving._same({"background": 0.5, "dog": 0.5}, wanted)
    assert not serving._same({"background": 0.4, "dog": 0.6}, wanted)


def test_the_command_prints_what_was_asked_for(monkeypatch, capsys, segmenters):
    monkeypatch.setattr(passes, "load_all", lambda device: segmenters)
    assert main(["bench", "vs_padding100", "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"machine", "vs_padding100"}
    assert main(["bench", "vs_padding100", "--quick"]) == 0
    assert "vs_padding100\n  seconds" in capsys.readouterr().out


def test_an_unknown_figure_is_refused_in_one_line(capsys):
    assert main(["bench", "speed"]) == 2
    assert capsys.readouterr().err.startswith("segdemo bench: There is no figure speed. Choose from forward_vs_matmul")


def test_every_figure_has_its_key():
    assert len(set(whole.KEYS)) == len(whole.KEYS) == 13


def test_every_control_of_a_lesson_is_moved_to_and_fro():
    moved = []

    def draw(held, level, mode, exact):
        moved.append((level, mode, exact))
        return f"{level} {mode}"

    def elsewhere(level):
        raise AssertionError("no lesson's")

    draw.__module__ = "segdemo.ui.lesson_example"
    with gr.Blocks() as demo:
        controls = [
            gr.Slider(1, 5, 5, step=1, elem_id="level"),
            gr.Radio(["a", "b"], value="b", elem_id="mode"),
            gr.Checkbox(False, elem_id="exact"),
        ]
        state, text = gr.State(), gr.HTML()
        for control in controls:
            control.change(draw, [state, *controls], text)
        controls[0].release(draw, [state, *controls], text)  # the same control again
        controls[0].change(elsewhere, controls[0])
    found = lesson_ms(demo, 2)
    assert set(found) == {"example level draw", "example mode draw", "example exact draw", "slowest"}
    assert found["slowest"] == max(found.values()) > 0
    still = (5, "b", False)
    changed = {(4, "b", False), (5, "a", False), (5, "b", True)}
    assert set(moved) == changed | {still} and len(moved) == 9
