"""The Segment tab as a visitor uses it."""

import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import app
from segdemo.images import read_image
from segdemo.segmenter import Segmenter

SLOW = 60_000


@pytest.fixture
def passes(monkeypatch):
    """Count the passes through a network."""
    counted = []
    original = Segmenter.__call__

    def counting(self, *arguments):
        counted.append(self.name)
        return original(self, *arguments)

    monkeypatch.setattr(Segmenter, "__call__", counting)
    return counted


def source(page, name):
    return page.locator(f"#{name} img").get_attribute("src")


def content(page, name):
    return page.request.get(source(page, name)).body()


def wait_for_new(page, name, old):
    expect(page.locator(f"#{name} img")).not_to_have_attribute("src", old, timeout=SLOW)


def upload(page, path):
    page.get_by_label("Remove Image").or_(page.get_by_label("Clear")).first.click()
    page.locator("#photo input[type=file]").set_input_files(str(path))


def choose(page, network):
    page.locator("#network input").click()
    page.get_by_role("option", name=network, exact=True).click()


def download(page, name, folder):
    with page.expect_download() as caught:
        page.locator(f"#download-{name}").click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def test_an_example_is_already_segmented_when_the_page_opens(open_page, passes):
    page = open_page()
    for name in ("overlay", "heatmap", "grid"):
        assert page.locator(f"#{name} img").evaluate("image => image.naturalWidth") > 50
    expect(page.locator("#classes tbody tr").first).to_be_visible()
    expect(page.locator("#facts")).to_contain_text("photo 256×256")
    assert passes == []


def test_upload_switch_network_and_download_the_mask(open_page, striped_photo, tmp_path):
    page = open_page()
    first = source(page, "overlay")
    upload(page, striped_photo)
    wait_for_new(page, "overlay", first)
    expect(page.locator("#facts")).to_contain_text("photo 300×200", timeout=SLOW)
    fcn = source(page, "overlay")
    choose(page, "Classifier, 1×1 conv · pets and people")
    wait_for_new(page, "overlay", fcn)
    expect(page.locator("#facts")).to_contain_text("Classifier, 1×1 conv", timeout=SLOW)
    expect(page.locator("#story")).to_contain_text("one label per image")

    mask = Image.open(download(page, "mask", tmp_path))
    assert mask.mode == "P"
    assert mask.size == (300, 200)
    expected = Segmenter.load("conv1x1_vgg11", "cpu")(read_image(striped_photo)).class_map()
    np.testing.assert_array_equal(np.asarray(mask), expected)


def test_a_photo_that_no_browser_shows_is_segmented_once_and_whole(open_page, passes, tmp_path):
    photo = tmp_path / "scan.tif"
    Image.effect_noise((1500, 1200), 80).convert("RGB").save(photo)
    page = open_page()
    old = source(page, "overlay")
    upload(page, photo)
    wait_for_new(page, "overlay", old)
    page.wait_for_function("document.querySelector('#photo img')?.src.endsWith('scan.jpg')")
    expect(page.locator("#facts")).to_contain_text("photo 1500×1200")
    page.locator("#photo img").click()
    expect(page.locator("#pixel .pixel")).to_contain_text("pixel (7")
    assert passes == ["fcn8s_vgg16"]
    choose(page, "VGG-FCN-32s · pets and people")
    expect(page.locator("#facts")).to_contain_text("VGG-FCN-32s", timeout=SLOW)
    expect(page.locator("#facts")).to_contain_text("photo 1500×1200")
    assert passes == ["fcn8s_vgg16", "fcn32s_vgg16"]


def test_a_photo_that_is_uploaded_over_another_is_segmented_once(open_page, passes, striped_photo):
    page = open_page()
    for size in ((300, 200), (91, 60)):
        Image.effect_noise(size, 80).convert("RGB").save(striped_photo)
        with page.expect_file_chooser() as chooser:
            page.locator("#photo").get_by_label("Upload file").click()
        chooser.value.set_files(str(striped_photo))
        expect(page.locator("#facts")).to_contain_text(f"photo {size[0]}×{size[1]}", timeout=SLOW)
        page.wait_for_timeout(1000)  # a second pass would begin at once
    assert passes == ["fcn8s_vgg16"] * 2


def test_every_download_can_be_read(open_page, tmp_path):
    page = open_page()
    assert Image.open(download(page, "overlay", tmp_path)).size == (256, 256)
    assert Image.open(download(page, "heatmap", tmp_path)).size == (256, 256)
    assert isinstance(json.loads(download(page, "rle", tmp_path).read_text()), list)
    with np.load(download(page, "scores", tmp_path)) as scores:
        assert scores["scores"].shape[0] == 4


def test_class_colours_and_opacity_answer_without_the_network(open_page, passes):
    page = open_page()
    heat, overlay = source(page, "heatmap"), source(page, "overlay")
    page.locator("#heat-class input").click()
    page.get_by_role("option", name="background", exact=True).click()
    wait_for_new(page, "heatmap", heat)
    expect(page.get_by_text("probability of background")).to_be_visible()
    heat = source(page, "heatmap")
    page.locator("#colormap input").click()
    page.get_by_role("option", name="magma").click()
    wait_for_new(page, "heatmap", heat)
    page.locator("#opacity input[type=range]").fill("0.1")
    wait_for_new(page, "overlay", overlay)
    assert passes == []


def test_another_analysis_size_makes_another_grid(open_page, passes):
    page = open_page()
    slider = page.locator("#size input[type=range]")
    slider.focus()
    slider.fill("192")
    slider.dispatch_event("pointerup")
    expect(page.locator("#facts")).to_contain_text("analysed at 192×192", timeout=SLOW)
    expect(page.locator("#facts")).to_contain_text("score map 24×24")
    assert passes == ["fcn8s_vgg16"]


def test_of_a_forgotten_visitor_no_other_photo_is_drawn_and_the_own_is_segmented_again(
    open_page, passes, striped_photo
):
    page = open_page()
    first = source(page, "overlay")
    upload(page, striped_photo)
    wait_for_new(page, "overlay", first)
    expect(page.locator("#facts")).to_contain_text("photo 300×200")
    mine = content(page, "overlay")
    app.demo.state_holder.session_data.clear()  # as after an hour, a restart, or many other visitors
    page.locator("#opacity input[type=range]").fill("0.2")
    expect(page.get_by_text("no longer kept")).to_be_visible(timeout=SLOW)
    assert content(page, "overlay") == mine
    old, before = source(page, "overlay"), len(passes)
    page.locator("#size input[type=range]").fill("128")
    page.locator("#size input[type=range]").dispatch_event("pointerup")
    wait_for_new(page, "overlay", old)
    expect(page.locator("#facts")).to_contain_text("photo 300×200")
    assert len(passes) == before + 1
    old = source(page, "overlay")
    page.locator("#opacity input[type=range]").fill("0.9")
    wait_for_new(page, "overlay", old)


def test_an_example_replaces_the_photo(open_page):
    page = open_page()
    old = source(page, "overlay")
    page.locator("#examples .gallery-item").nth(1).click()
    wait_for_new(page, "overlay", old)
    assert "lion" in source(page, "photo")
    assert "lion" in source(page, "overlay")


@pytest.mark.parametrize("picture", ["photo", "overlay"])
def test_a_click_shows_the_probabilities_at_that_pixel(open_page, picture):
    page = open_page()
    page.locator(f"#{picture} img").click()
    shown = page.locator("#pixel .pixel")
    expect(shown).to_contain_text("pixel (")
    expect(shown.locator("meter")).to_have_count(4)
    values = [float(v) for v in shown.locator("meter").evaluate_all("meters => meters.map(m => m.value)")]
    assert sum(values) == pytest.approx(1, abs=1e-3)
    x, y = (int(v) for v in shown.inner_text().split("(")[1].split(")")[0].split(","))
    # The middle of the picture is the middle of the photo, however it is scaled on the page.
    assert abs(x - 128) <= 3
    assert abs(y - 128) <= 3


def test_a_bad_file_gets_a_sentence_and_loses_nothing(open_page, tmp_path):
    broken = tmp_path / "holiday.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no photo")
    page = open_page()
    old, found = content(page, "overlay"), page.locator("#classes").inner_text()
    upload(page, broken)
    expect(page.get_by_text("holiday.jpg is damaged")).to_be_visible(timeout=SLOW)
    assert content(page, "overlay") == old
    assert page.locator("#classes").inner_text() == found
    assert "Traceback" not in page.content()


def test_the_main_flow_fits_a_projector_without_scrolling(open_page):
    page = open_page(1280, 720)
    page.locator("#overlay img").click()
    expect(page.locator("#pixel meter")).to_have_count(4)
    controls = ("photo", "network", "heat-class", "size", "opacity", "refine", "best-quality")
    names = (*controls, "overlay", "heatmap", "grid", "classes", "facts")
    for name in (*names, "pixel", "download-mask", "download-rle"):
        box = page.locator(f"#{name}").bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720, name
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_nothing_is_wider_than_a_phone(open_page):
    page = open_page(360, 780, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    tops = [page.locator(f"#{name}").bounding_box()["y"] for name in ("photo", "overlay", "network", "opacity")]
    assert tops == sorted(tops)


def test_on_a_phone_result_controls_and_answer_share_a_screen(open_page):
    page = open_page(360, 740, has_touch=True, is_mobile=True)
    page.locator("#overlay img").tap()
    expect(page.locator("#pixel meter")).to_have_count(4, timeout=SLOW)
    page.locator("#opacity").evaluate("part => scrollBy(0, part.getBoundingClientRect().bottom - innerHeight)")
    names = ("overlay", "pixel", "network", "heat-class", "size", "opacity")
    boxes = [page.locator(f"#{name}").bounding_box() for name in names]
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= 741 for box in boxes)
    for above, below in pairwise(boxes[:4]):
        assert above["y"] + above["height"] <= below["y"] + 1
