"""What a page holds of a photo: drawing again needs no network."""

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from segdemo.analysis import Analysis, Style
from segdemo.segmenter import Segmenter
from segdemo.ui import files
from segdemo.ui.result import Result
from segdemo.ui.service import segment_file


@pytest.fixture(scope="module")
def result():
    return Result.make(gr.get_image("lion.jpg"), Analysis("fcn8s_vgg16"))


def test_a_new_style_draws_other_pictures_without_the_network(result, monkeypatch):
    monkeypatch.setattr(Segmenter, "__call__", lambda *_: pytest.fail("the network ran"))
    first = result.draw(Style("cat", 0.6, "viridis"))
    clear = result.draw(Style("cat", 0.0, "viridis"))
    other_class = result.draw(Style("background", 0.6, "viridis"))
    magma = result.draw(Style("cat", 0.6, "magma"))
    photo = np.asarray(result.photo).astype(int)
    assert abs(np.asarray(Image.open(clear.overlay)).astype(int) - photo).mean() < 3
    assert "probability of background" in other_class.heat_bar
    assert other_class.heatmap != first.heatmap
    assert magma.heat_bar != first.heat_bar


def test_auto_is_the_main_class(result):
    name = result.segmentation.classes[result.segmentation.main_class]
    assert f"probability of {name}" in result.draw(Style()).heat_bar


def test_a_place_in_the_picture_is_the_photo_s_pixel_there(result):
    width, height = result.segmentation.image_size
    assert f"pixel ({width // 2}, {height // 4})" in result.probe(
        (width // 2 + 0.5) / width, (height // 4 + 0.5) / height
    )
    assert "pixel (0, 0)" in result.probe(0.0, -0.1)
    assert f"pixel ({width - 1}, {height - 1})" in result.probe(1.0, 7.0)


def test_files_for_download_hold_what_was_found(result):
    mask = Image.open(result.mask)
    np.testing.assert_array_equal(np.asarray(mask), result.segmentation.class_map())
    with np.load(result.scores) as scores:
        np.testing.assert_array_equal(scores["scores"], result.segmentation.scores.numpy())
        assert scores["classes"].tolist() == list(result.segmentation.classes)


@pytest.mark.parametrize("name", ["conv1x1_vgg11", "fcn8s_vgg16"])
def test_the_scores_download_is_enough_to_make_the_mask(name, tmp_path):
    photo = Image.open(gr.get_image("cheetah1.jpg")).convert("RGB").resize((250, 187))
    mask, scores, _ = files.write_results(tmp_path, "x", Segmenter.load(name, "cpu")(photo))
    with np.load(scores) as held:
        values = held["scores"]
        for axis, side, extent in zip((2, 1), held["image_size"], held["extent"], strict=True):
            place = np.clip((np.arange(side) + 0.5) * extent / side - 0.5, 0, values.shape[axis] - 1)
            first = place.astype(int)
            share = (place - first).reshape((-1, 1) if axis == 1 else (-1,))
            last = np.minimum(first + 1, values.shape[axis] - 1)
            values = values.take(first, axis) * (1 - share) + values.take(last, axis) * share
        assert held["score_map"].shape[1:] == tuple(-(-side // held["stride"]) for side in held["analysis_size"][::-1])
    assert (values.argmax(0) == np.asarray(Image.open(mask))).mean() > 0.999


def test_what_no_browser_shows_gets_a_copy_that_it_does(striped_photo):
    tiff = striped_photo.with_suffix(".tif")
    Image.open(striped_photo).save(tiff)
    held = Result.make(str(tiff), Analysis("fcn8s_vgg16"))
    assert held.source == str(tiff)
    assert Image.open(held.shown).format == "JPEG"
    as_it_is = Result.make(str(striped_photo), Analysis("fcn8s_vgg16"))
    assert as_it_is.shown == as_it_is.source


def test_it_knows_its_own_photo_wherever_it_was_copied(striped_photo, tmp_path):
    held = Result.make(str(striped_photo), Analysis("fcn8s_vgg16"))
    copy = tmp_path / "copy.png"
    copy.write_bytes(striped_photo.read_bytes())
    other = tmp_path / "other.png"
    other.write_bytes(b"something else")
    assert held.shows(str(copy))
    assert not held.shows(str(other))


def test_a_long_name_is_cut(striped_photo):
    long = striped_photo.with_name("x" * 180 + ".png")
    striped_photo.rename(long)
    assert Result.make(str(long), Analysis("fcn8s_vgg16")).stem == "x" * 60


@pytest.mark.parametrize("refine", [False, True])
def test_a_large_jpeg_is_decoded_as_far_as_needed_and_answered_at_its_own_size(tmp_path, refine):
    large = tmp_path / "large.jpg"
    with Image.open(gr.get_image("lion.jpg")) as lion:
        lion.convert("RGB").resize((4002, 3000), Image.Resampling.BICUBIC).save(large)
    held = Result.make(str(large), Analysis("fcn8s_vgg16", refine=refine))
    whole, segmentation = segment_file(large, Analysis("fcn8s_vgg16", refine=refine))
    assert whole.size == segmentation.image_size == held.segmentation.image_size == (4002, 3000)
    assert (held.photo.size, Image.open(held.mask).size) == ((1024, 768), (4002, 3000))
    assert (held.segmentation.class_map() == segmentation.class_map()).mean() > 0.99
    assert "4002" in held.draw(Style()).facts


@pytest.mark.parametrize(("analysed", "size"), [(None, (1001, 750)), (96, (1001, 750)), (600, (2001, 1500))])
def test_what_is_analysed_is_twice_as_large_as_the_analysis(tmp_path, result, analysed, size):
    large, seen = tmp_path / "large.jpg", []
    Image.new("RGB", (4002, 3000)).save(large)

    def run(network, image, *_):
        seen.append(image.size)
        return result.segmentation

    segment_file(large, Analysis("fcn8s_vgg16", analysed), run, 1000)
    assert seen == [size]
