"""Teaching a class of one's own, as a student does: taps, labels, a second photo, a file, a phone."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from steps import go

import app
from segdemo.segmenter import Segmenter
from segdemo.ui.lesson_parts import read_photo
from segdemo.ui.photo_input import EXAMPLES

SLOW = 60_000
ON = ((0.5, 0.4), (0.45, 0.2), (0.35, 0.55))  # the lion, as shares of the picture's width and height
BESIDE = ((0.1, 0.1), (0.5, 0.93), (0.93, 0.5))


@pytest.fixture
def teach(open_page):
    def opened(**options):
        page = open_page(query="?lesson=teach", **options)
        page.set_default_timeout(SLOW)
        expect(page.locator("#teach-photo-taps img")).to_be_visible()
        return page

    return opened


def facts(page):
    return page.locator("#teach-facts")


def tap(page, x, y, label=None, touch=False):
    if label:
        page.locator("#teach-label").get_by_label(label, exact=True).check()
    picture = page.locator("#teach-photo-taps img")
    box = picture.bounding_box()
    spot = {"x": x * box["width"], "y": y * box["height"]}
    before = picture.get_attribute("src")
    picture.tap(position=spot) if touch else picture.click(position=spot)
    expect(picture).not_to_have_attribute("src", before, timeout=SLOW)  # the point is drawn


def teach_the_lion(page, touch=False):
    for points, label in ((ON, "animal"), (BESIDE, "beside them all")):
        for x, y in points:
            tap(page, x, y, label, touch)
    expect(facts(page)).to_contain_text("fitted to 6 taps", timeout=SLOW)


def pixels(page, name, folder):
    path = folder / f"{name}.image"
    path.write_bytes(page.request.get(page.locator(f"#{name} img").get_attribute("src")).body())
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def look_at(page, example):
    """Choose an example photo, and wait until the class map is that photo's."""
    before = page.locator("#teach-photo-taps img").get_attribute("src")
    page.locator("#teach-examples .gallery-item").nth(example).click()
    expect(page.locator("#teach-photo-taps img")).not_to_have_attribute("src", before, timeout=SLOW)


def share(page):
    return float(re.search(r"animal ([\d.]+)%", facts(page).inner_text())[1])


def save(page, folder):
    with page.expect_download() as caught:
        page.locator("#teach-save").click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def reopen(page, path):
    with page.expect_file_chooser() as asked:
        page.locator("#teach-open").click()
    asked.value.set_files(str(path))
    expect(facts(page)).to_contain_text("as it was opened", timeout=SLOW)


def test_a_class_taught_by_taps_is_found_on_another_photo_and_comes_back_from_its_file(teach, tmp_path):
    page = teach()
    teach_the_lion(page)
    assert 20 < share(page) < 80
    shown = pixels(page, "teach-photo-taps", tmp_path)
    height, width, _ = shown.shape
    colours = {label: shown[int(y * height), int(x * width)] for label, (x, y) in (("on", ON[0]), ("off", BESIDE[0]))}
    assert np.abs(colours["on"] - (0xE6, 0x9F, 0x00)).max() < 40, "a point is drawn where it was tapped"
    assert colours["off"].max() < 60
    look_at(page, 1)
    expect(page.locator("#teach-photos label")).to_have_count(2)
    assert 20 < share(page) < 95
    found = pixels(page, "teach-map", tmp_path)
    path, before = save(page, tmp_path), share(page)

    page.locator("#teach-clear").click()
    expect(facts(page)).to_contain_text("Nothing is taught yet", timeout=SLOW)
    reopen(page, path)
    assert share(page) == before
    assert (pixels(page, "teach-map", tmp_path) == found).all()

    # The file alone, outside the page, finds the same.
    outside = Segmenter.load(str(path))(read_photo(EXAMPLES[1]))
    assert outside.areas["animal"] * 100 == pytest.approx(before, abs=0.5)


def test_a_class_taught_by_labels_of_whole_photos_comes_back_from_its_file(teach, tmp_path):
    page = teach()
    page.locator("#teach-way").get_by_label("whole photos").check()
    mark = page.locator("#teach-mark")
    mark.get_by_label("has animal").check()
    look_at(page, 2)
    mark.get_by_label("has none").check()
    expect(facts(page)).to_contain_text("fitted to 2 marked photos", timeout=SLOW)
    tower = share(page)
    look_at(page, 1)
    expect(page.locator("#teach-photos label")).to_have_count(3)
    assert share(page) > tower + 10
    found, path = pixels(page, "teach-map", tmp_path), save(page, tmp_path)
    page.locator("#teach-clear").click()
    expect(facts(page)).to_contain_text("Nothing is taught yet", timeout=SLOW)
    reopen(page, path)
    assert (pixels(page, "teach-map", tmp_path) == found).all()


def test_undo_clear_and_start_over(teach):
    page = teach()
    tap(page, *ON[0], "animal")
    tap(page, *BESIDE[0], "beside them all")
    expect(facts(page)).to_contain_text("fitted to 2 taps", timeout=SLOW)
    page.locator("#teach-undo").click()
    expect(facts(page)).to_contain_text("fitted to 1 taps", timeout=SLOW)
    look_at(page, 1)
    page.locator("#teach-clear").click()
    expect(facts(page)).to_contain_text("Nothing is taught yet", timeout=SLOW)
    expect(page.locator("#teach-photos label")).to_have_count(2)
    page.locator("#teach-restart").click()
    expect(page.locator("#teach-photos label")).to_have_count(1)


def test_what_was_taught_survives_a_server_that_forgot_it(teach, tmp_path):
    page = teach()
    names = page.locator("#teach-names input, #teach-names textarea")
    names.fill("lion")
    names.press("Enter")
    expect(page.locator("#teach-label")).to_contain_text("lion")
    tap(page, *ON[0], "lion")
    tap(page, *BESIDE[0], "beside them all")
    expect(facts(page)).to_contain_text("fitted to 2 taps", timeout=SLOW)
    found, points = (pixels(page, name, tmp_path) for name in ("teach-map", "teach-photo-taps"))
    app.demo.state_holder.session_data.clear()
    page.locator("#teach-undo").click()
    expect(page.locator("#teach-said")).to_contain_text("Reload it", timeout=SLOW)
    page.reload()
    expect(facts(page)).to_contain_text("fitted to 2 taps", timeout=SLOW)
    expect(names).to_have_value("lion")
    assert (pixels(page, "teach-map", tmp_path) == found).all()
    assert (pixels(page, "teach-photo-taps", tmp_path) == points).all()
    page.locator("#teach-undo").click()
    expect(facts(page)).to_contain_text("fitted to 1 taps", timeout=SLOW)


def test_fingers_teach_on_a_phone(teach):
    page = teach(width=360, height=740, has_touch=True, is_mobile=True)
    teach_the_lion(page, touch=True)
    assert 20 < share(page) < 80
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_segment_leads_to_teaching(open_page):
    page = open_page()
    page.locator("#to-teach a").click()
    expect(page.locator("#teach-photo-taps img")).to_be_visible(timeout=SLOW)
    go(page, "Segment")
    expect(page.locator("#overlay img")).to_be_visible()
