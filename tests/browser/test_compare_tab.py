"""The Compare tab as a visitor uses it."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

SLOW = 60_000
SHIFTS = range(-6, 7)  # pixels of the screen
NAMES_HIGH = 48  # pixels at the top, where the names stand
LINE_WIDE = 8


@pytest.fixture
def tab(open_page):
    page = open_page()
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#cmp-table")).to_contain_text("All agree on", timeout=SLOW)
    return page


def rendered(page, at):
    """Give the pixels of the screen with the line at a place in percent, grey, without the names and the line."""
    pair = page.locator("#cmp-pair .slide")
    pair.locator("input").fill(str(at))
    shot = np.asarray(Image.open(io.BytesIO(pair.screenshot())).convert("L")).astype(int)
    return shot[NAMES_HIGH:, LINE_WIDE:-LINE_WIDE]


@pytest.mark.parametrize("window", [(1280, 720), (1920, 1080), (360, 740)])
def test_both_sides_of_the_line_show_the_same_place(open_page, window):
    page = open_page(*window, query="?tab=compare")
    expect(page.locator("#cmp-table")).to_contain_text("All agree on", timeout=SLOW)
    right, left = rendered(page, 0), rendered(page, 100)
    assert (right != left).any()
    inner = max(map(abs, SHIFTS))
    middle = right[inner:-inner, inner:-inner]

    def difference(down, across):
        return abs(np.roll(left, (down, across), (0, 1))[inner:-inner, inner:-inner] - middle).mean()

    assert min(SHIFTS, key=lambda across: difference(0, across)) == 0
    assert min(SHIFTS, key=lambda down: difference(down, 0)) == 0


def test_it_compares_when_it_opens_and_says_which_is_which(tab):
    pair = tab.locator("#cmp-pair")
    expect(pair.locator("b.left")).to_have_text("VGG-FCN-8s")
    expect(pair.locator("b.right")).to_have_text("VGG-FCN-32s")
    expect(tab.locator("#cmp-table tbody tr")).to_have_count(2)
    expect(tab.locator("#cmp-table .legend")).to_contain_text("background")
    expect(tab.locator("#cmp-table tbody")).to_contain_text("for one pass that 2 networks share")
    expect(tab.locator("#cmp-apart img")).to_be_visible()
    bottom = pair.bounding_box()["y"] + pair.bounding_box()["height"]
    assert bottom <= 720


def test_the_line_is_moved_by_keys_and_by_the_mouse(tab):
    line = tab.locator("#cmp-pair input")
    line.focus()
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    place = "pair => getComputedStyle(pair).getPropertyValue('--at')"
    assert tab.locator("#cmp-pair .slide").evaluate(place) == "52"
    box = line.bounding_box()
    tab.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    assert float(tab.locator("#cmp-pair .slide").evaluate(place)) == pytest.approx(25, abs=2)


def test_another_photo_and_another_network_replace_the_result(tab):
    left = tab.locator("#cmp-pair img.left")
    before = left.get_attribute("src")
    tab.locator("#cmp-examples .gallery-item").nth(1).click()
    expect(left).not_to_have_attribute("src", before, timeout=SLOW)
    tab.locator("#cmp-networks").get_by_label("U-Net").check()
    expect(tab.locator("#cmp-table tbody tr")).to_have_count(3, timeout=SLOW)


def test_a_true_mask_adds_the_iou(tab, tmp_path):
    mask = Image.fromarray(np.zeros((256, 256), np.uint8))
    path = tmp_path / "mask.png"
    tab.locator("#cmp-examples .gallery-item").nth(1).click()
    mask.save(path)
    tab.locator("#cmp-mask input[type=file]").set_input_files(str(path))
    expect(tab.locator("#cmp-table")).to_contain_text("mean IoU", timeout=SLOW)
    expect(tab.locator("#cmp-table")).to_contain_text("background 0.")


def test_one_network_is_not_enough_and_the_sentence_stays(tab):
    fewer = tab.locator("#cmp-networks").get_by_label("VGG-FCN-32s · pets")
    fewer.uncheck()
    expect(tab.locator("#cmp-problem")).to_contain_text("Choose two networks or more", timeout=SLOW)
    greyed = "page => getComputedStyle(page).filter"
    assert "grayscale" in tab.locator(".work:visible .results").evaluate(greyed)
    fewer.check()
    expect(tab.locator("#cmp-problem")).to_be_empty(timeout=SLOW)
    assert "grayscale" not in tab.locator(".work:visible .results").evaluate(greyed)
