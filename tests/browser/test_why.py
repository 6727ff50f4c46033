"""Why here? A click asks, and the page answers with fields, channels, shares and grey squares."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

SLOW = 60_000


@pytest.fixture
def why(open_page):
    def opened(network=None, **options):
        page = open_page(query="?lesson=why" + (f"&network={network}" if network else ""), **options)
        expect(page.locator("#why-asked img")).to_be_visible()
        return page

    return opened


def answer(page):
    return page.locator("#why-answer")


def click(page, x, y):
    said = answer(page).get_by_role("status").first
    before = said.inner_text()
    picture = page.locator("#why-asked img")
    box = picture.bounding_box()
    picture.click(position={"x": x * box["width"], "y": y * box["height"]})
    expect(said).not_to_have_text(before, timeout=SLOW, use_inner_text=True)


def pixels(page, name, folder):
    path = folder / f"{name}.image"
    path.write_bytes(page.request.get(page.locator(f"#{name} img").get_attribute("src")).body())
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def number(text):
    return float(text.replace("−", "-"))


def cell(page, row):
    return number(answer(page).get_by_role("row", name=re.compile(f"^{row}")).locator("td").first.inner_text())


def test_a_click_draws_the_field_and_channels_and_bias_add_up_to_the_score(why, tmp_path):
    page = why("conv1x1_vgg11")
    click(page, 0.3, 0.6)
    expect(answer(page)).to_contain_text(re.compile(r"Cell \(\d+, \d+\) of stride 16; it can see \d+×\d+ pixels"))
    drawn = pixels(page, "why-asked", tmp_path)
    assert (drawn.min(2) > 240).mean() > 0.002, "a white frame"
    parts = answer(page).locator("table").first.locator("tbody tr")
    terms = [number(text) for text in parts.locator("td").all_inner_texts()]
    total, score = cell(page, "sum"), cell(page, "the network's score")
    assert sum(terms[:-2]) == pytest.approx(total, abs=0.01)
    assert total == pytest.approx(score, abs=1e-3)
    expect(answer(page).locator("figure")).to_have_count(8)  # six channels, CAM and Grad-CAM
    difference = re.search(r"the largest difference is ([\d.e+-]+)", answer(page).inner_text())[1]
    assert float(difference.rstrip(".")) < 1e-3


def test_the_effective_field_comes_on_demand(why, tmp_path):
    page = why("conv1x1_vgg11")
    expect(page.locator("#why-field img")).to_have_count(0)
    page.locator("#why-effective").click()
    expect(page.locator("#why-field img")).to_be_visible(timeout=SLOW)
    assert pixels(page, "why-field", tmp_path).std() > 5


def test_of_an_fcn_the_paths_add_up_to_the_score(why):
    page = why("fcn8s_vgg16")
    expect(answer(page)).to_contain_text("fc7", timeout=SLOW)
    click(page, 0.5, 0.4)
    total, score = cell(page, "sum of the paths"), cell(page, "the network's score")
    assert sum(cell(page, path) for path in ("fc7", "pool4", "pool3")) == pytest.approx(total, abs=0.01)
    assert total == pytest.approx(score, abs=1e-3)


def test_a_grey_square_changes_the_score(why, tmp_path):
    page = why("conv1x1_vgg11")
    expect(answer(page)).not_to_contain_text("Under the grey square")
    page.locator("#why-click").get_by_label("lays the grey square").check()
    click(page, 0.5, 0.5)
    found = re.search(r"Under the grey square: ([+−-][\d.]+), a change of ([+−-][\d.]+)\.", answer(page).inner_text())
    assert number(found[2]) != 0
    drawn = pixels(page, "why-asked", tmp_path)
    height, width, _ = drawn.shape
    assert np.abs(drawn[height // 2, width // 2] - 128).max() < 30
    page.locator("#why-side input[type=range]").press("Home")  # the smallest square
    expect(answer(page)).not_to_contain_text(found[0], timeout=SLOW)


def test_segment_asks_with_its_photo_network_and_pixel(open_page, striped_photo):
    page = open_page(query="?network=fcn16s_vgg16")
    page.locator("#photo").get_by_label("Remove Image").or_(page.locator("#photo").get_by_label("Clear")).first.click()
    page.locator("#photo input[type=file]").set_input_files(str(striped_photo))
    expect(page.locator("#facts")).to_contain_text("300×200", timeout=SLOW)
    picture = page.locator("#overlay img")
    box = picture.bounding_box()
    picture.click(position={"x": 0.8 * box["width"], "y": 0.5 * box["height"]})
    expect(page.locator("#pixel")).to_contain_text("pixel (", timeout=SLOW)
    column, row = map(int, re.search(r"pixel \((\d+), (\d+)\)", page.locator("#pixel").inner_text()).groups())
    page.locator("#why-here").click()
    expect(page.locator("#why-asked img")).to_be_visible(timeout=SLOW)
    expect(page.locator("#why-network input")).to_have_value(re.compile("VGG-FCN-16s"), timeout=SLOW)
    expect(answer(page)).to_contain_text("stride 16", timeout=SLOW)
    expect(page.locator("#why-photo img")).to_have_attribute("src", re.compile("stripes"))
    expect(answer(page)).to_contain_text("224×149", timeout=SLOW)  # the size at which that network sees this photo
    wanted = f"Cell ({int((row + 0.5) / 200 * 149 / 16)}, {int((column + 0.5) / 300 * 224 / 16)})"
    expect(answer(page)).to_contain_text(wanted, timeout=SLOW)
    expect(page).to_have_url(re.compile("lesson=why"))
