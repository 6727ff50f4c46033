"""The lessons as a teacher uses them: move a control, read the changed result."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect


def go(page, name):
    """Open a tab, which on a phone may be behind the three dots."""
    tab = page.get_by_role("tab", name=name, exact=True)
    if not tab.is_visible():
        menu = page.locator(".overflow-menu:visible", has_text=name)
        menu.locator("> button").click()
        tab = menu.locator(".overflow-dropdown button", has_text=name)
    tab.click()


@pytest.fixture
def open_lesson(open_page):
    def opened(name, **options):
        page = open_page(**options)
        for tab in ("Lessons", name):
            go(page, tab)
        return page

    return opened


def move(page, name, value):
    page.locator(f"#{name} input[type=range]").fill(str(value))


def pixels(page, name, folder):
    path = folder / f"{name}.png"
    path.write_bytes(page.request.get(page.locator(f"#{name} img").get_attribute("src")).body())
    return np.asarray(Image.open(path).convert("RGB"))


def test_moving_the_stride_changes_the_size_and_the_picture(open_lesson, tmp_path):
    page = open_lesson("Transposed conv")
    sizes = page.locator("#tc-sizes")
    expect(sizes).to_contain_text("(3 − 1)·2 − 2·1 + 3 + 0 = 5")
    before = page.locator("#tc-large img").get_attribute("src")
    move(page, "tc-stride", 3)
    expect(sizes).to_contain_text("(3 − 1)·3 − 2·1 + 3 + 0 = 7")
    expect(page.locator("#tc-large img")).not_to_have_attribute("src", before)
    assert pixels(page, "tc-large", tmp_path).shape[0] % 7 == 0
    expect(page.locator("#tc-checks")).to_contain_text("3 is a multiple of 3")


@pytest.mark.parametrize(
    ("line", "size"),
    [("k 2, s 1, p 0", 4), ("k 2, s 1, p 1", 2), ("k 3, s 1, p 0", 5), ("k 3, s 1, p 1", 3), ("k 2, s 2, p 0", 6)],
)
def test_the_tutorials_lines_are_one_click_away(open_lesson, line, size):
    page = open_lesson("Transposed conv")
    page.get_by_role("button", name=line).click()
    expect(page.locator("#tc-sizes")).to_contain_text(f"Output {size}×{size}")


def test_a_setting_that_leaves_nothing_gets_a_sentence(open_lesson):
    page = open_lesson("Transposed conv")
    move(page, "tc-output-padding", 3)
    expect(page.locator("#tc-sizes")).to_contain_text("must be below the stride, 2")
    move(page, "tc-output-padding", 0)
    expect(page.locator("#tc-sizes")).to_contain_text("= 5")


def test_the_fcn_s_own_kernel_can_be_looked_at(open_lesson):
    page = open_lesson("Transposed conv")
    page.get_by_label("learned by the FCN-8s").check()
    expect(page.locator("#tc-sizes")).to_contain_text("kernel 4, stride 2, padding 1")
    expect(page.locator("#tc-checks")).to_contain_text("4 is a multiple of 2")


def test_bins_follow_the_sliders(open_lesson):
    page = open_lesson("Adaptive pooling")
    bins = page.locator("#ap-bins")
    expect(bins).to_contain_text("[0, 2), [1, 4), [3, 6), [5, 7)")
    move(page, "ap-input", 2)
    expect(bins).to_contain_text("[0, 1), [0, 1), [1, 2), [1, 2)")
    expect(bins).to_contain_text("repeated")


def test_no_lesson_is_wider_than_a_phone(open_lesson):
    page = open_lesson("Transposed conv", width=360, height=780, has_touch=True, is_mobile=True)
    expect(page.locator("#tc-large img")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_size_trace_follows_network_and_size(open_lesson):
    page = open_lesson("Sizes")
    table = page.locator("#st-table")
    expect(table).to_contain_text("333×500 → 352×512")
    page.locator("#st-height input").fill("64")
    page.locator("#st-height input").press("Tab")
    expect(table).to_contain_text("64×500 → 64×512")
    page.locator("#st-network input").click()
    page.get_by_role("option", name="Classifier, 1×1 conv", exact=True).click()
    expect(table).to_contain_text("backbone.0")
    page.locator("#st-width input").fill("0")
    page.locator("#st-width input").press("Tab")
    expect(table).to_contain_text("between 1 and 8,192")


def test_a_forgotten_bias_is_seen_in_the_scores(open_lesson):
    page = open_lesson("Linear to 1×1 conv")
    steps = page.locator("#fc-steps")
    expect(steps).to_contain_text("512 numbers")
    expect(steps).to_contain_text("[3, 512, 1, 1]")
    expect(steps).to_contain_text("shapes cannot be multiplied")
    before = page.locator("#fc-dog img").get_attribute("src")
    page.get_by_label("Forget the bias").check()
    expect(page.locator("#fc-note")).to_contain_text("off by a constant per class")
    expect(page.locator("#fc-dog img")).not_to_have_attribute("src", before)


def test_the_classifier_is_slid_over_the_photo(open_lesson):
    page = open_lesson("Linear to 1×1 conv")
    page.locator("#fc-slide").click()
    expect(page.locator("#fc-slid")).to_contain_text("times as long", timeout=60_000)
    expect(page.locator("#fc-map-2 img")).to_be_visible()
