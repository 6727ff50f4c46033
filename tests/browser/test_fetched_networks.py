"""Networks that are fetched on first use, on the page: progress, a thousand classes, and no network at all."""

import io
import re
import time
import urllib.error
from types import SimpleNamespace

import pytest
import torch
from playwright.sync_api import expect
from torchvision.models import get_model

from segdemo import catalog, weights
from segdemo.ui import inference
from segdemo.weights import cached_file

SLOW = 120_000
RESNET = "conv1x1_resnet18_imagenet"


def content(page):
    return page.request.get(page.locator("#overlay img").get_attribute("src")).body()


@pytest.fixture(autouse=True)
def hub(tmp_path):
    """Use an empty cache folder, and forget what was loaded from it."""
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path / "hub")
    yield
    torch.hub.set_dir(before)
    inference._load_segmenter.cache_clear()


def choose(page, name):
    page.locator("#network input").click()
    page.get_by_role("option", name=catalog.find(name).label, exact=True).click()


def write_random_weights(path):
    torch.manual_seed(0)
    torch.save(get_model("resnet18").state_dict(), path)


class SlowAnswer(io.FileIO):
    """A file that comes over a line that is slow for eight seconds."""

    waits = 40

    def __init__(self, path):
        super().__init__(path)
        self.headers = {"Content-Length": str(path.stat().st_size)}

    def read(self, size=-1):
        if self.waits:
            self.waits -= 1
            time.sleep(0.2)
        return super().read(size)


def test_a_download_says_how_far_it_is(open_page, tmp_path, monkeypatch):
    path = tmp_path / "served.pth"
    write_random_weights(path)
    digest = re.search(r"-([0-9a-f]{8})", cached_file(catalog.find(RESNET).weights).name)[1]
    monkeypatch.setattr(weights, "urlopen", lambda *_, **__: SlowAnswer(path))
    monkeypatch.setattr(weights, "sha256", lambda: SimpleNamespace(update=lambda _: None, hexdigest=lambda: digest))
    page = open_page()
    choose(page, RESNET)
    expect(page.locator("#overlay")).to_contain_text(re.compile(r"[\d.]+M?/[\d.]+M? ?B"), timeout=SLOW)
    expect(page.locator("#facts")).to_contain_text("ResNet18", timeout=SLOW)


def test_a_thousand_classes_are_searched_and_the_photo_s_own_come_first(open_page):
    path = cached_file(catalog.find(RESNET).weights)
    path.parent.mkdir(parents=True)
    write_random_weights(path)
    page = open_page()
    choose(page, RESNET)
    expect(page.locator("#facts")).to_contain_text("score map 14×14, stride 32", timeout=SLOW)
    expect(page.locator("#classes tbody tr").first).to_be_visible()

    picker = page.locator("#heat-class input")
    picker.click()
    offered = page.get_by_role("option").all_inner_texts()
    assert len(offered) >= 100  # Gradio lists so many until one searches
    assert "tench" not in offered[1:6]
    rest = [name.strip("✓ \n").casefold() for name in offered[6:]]
    assert rest == sorted(rest)
    page.keyboard.type("tabby")
    page.get_by_role("option", name="tabby", exact=True).click()
    expect(page.get_by_text("probability of tabby")).to_be_visible(timeout=SLOW)

    page.locator("#overlay img").click()
    expect(page.locator("#pixel meter")).to_have_count(5)


def test_without_a_network_there_is_a_sentence_and_the_rest_goes_on(open_page, monkeypatch):
    def unreachable(*_, **__):
        raise urllib.error.URLError("Temporary failure in name resolution")

    monkeypatch.setattr(weights, "urlopen", unreachable)
    page = open_page()
    found = page.locator("#classes").inner_text()
    choose(page, RESNET)
    toast = page.get_by_text("could not be reached")
    expect(toast).to_be_visible(timeout=SLOW)
    assert "by hand" in toast.inner_text()
    assert "Traceback" not in page.content()
    assert page.locator("#classes").inner_text() == found

    choose(page, "fcn16s_vgg16")
    expect(page.locator("#facts")).to_contain_text("VGG-FCN-16s", timeout=SLOW)


def test_refined_edges_and_best_quality_make_another_mask(open_page):
    page = open_page()
    pictures = [content(page)]
    old = page.locator("#overlay img").get_attribute("src")
    page.get_by_label("Refine edges").check()
    expect(page.locator("#overlay img")).not_to_have_attribute("src", old, timeout=SLOW)
    expect(page.locator("#facts")).to_contain_text("refine")
    pictures.append(content(page))
    old = page.locator("#overlay img").get_attribute("src")
    page.get_by_label("Best quality").check()
    expect(page.locator("#overlay img")).not_to_have_attribute("src", old, timeout=SLOW)
    expect(page.locator("#facts")).to_contain_text("refine")
    pictures.append(content(page))
    assert len(set(pictures)) == 3, "a new address is not yet another picture"
