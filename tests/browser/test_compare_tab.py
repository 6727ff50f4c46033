"""The Compare tab as a visitor uses it."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

SLOW = 60_000


@pytest.fixture
def tab(open_page):
    page = open_page()
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#cmp-run")).to_be_visible()
    return page


def test_two_networks_are_laid_over_each_other(tab):
    tab.locator("#cmp-run").click()
    expect(tab.locator("#cmp-table")).to_contain_text("All agree on", timeout=SLOW)
    expect(tab.locator("#cmp-table tbody tr")).to_have_count(2)
    expect(tab.locator("#cmp-apart img")).to_be_visible()
    assert tab.locator("#cmp-pair img").count() >= 2


def test_a_true_mask_adds_the_iou(tab, tmp_path):
    mask = Image.fromarray(np.zeros((256, 256), np.uint8))
    path = tmp_path / "mask.png"
    tab.locator("#cmp-examples .gallery-item").nth(1).click()
    mask.save(path)
    tab.locator("#cmp-mask input[type=file]").set_input_files(str(path))
    expect(tab.locator("#cmp-mask")).to_contain_text("mask")
    tab.locator("#cmp-run").click()
    expect(tab.locator("#cmp-table")).to_contain_text("mean IoU", timeout=SLOW)
    expect(tab.locator("#cmp-table")).to_contain_text("background 0.")


def test_one_network_is_not_enough(tab):
    tab.get_by_label("VGG-FCN-32s").uncheck()
    tab.locator("#cmp-run").click()
    expect(tab.get_by_text("Choose two networks or more")).to_be_visible(timeout=SLOW)
