"""A network that a visitor taught, opened on the Segment tab by that visitor alone."""

import dataclasses
import re

import gradio as gr
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from segdemo import catalog
from segdemo.lessons.teach import Fit
from segdemo.lessons.teaching import Photo, Teaching
from segdemo.segmenter import Segmenter
from segdemo.ui import lesson_teach

SLOW = 60_000


@pytest.fixture
def file(tmp_path):
    layer = Fit(torch.randn(3, 1280), torch.zeros(3), 0.1, 5)
    teaching = Teaching().with_photo(Photo.of(Image.open(gr.get_image("lion.jpg")).convert("RGB"))).named("mane, paw")
    path = tmp_path / "mane_paw.safetensors"
    dataclasses.replace(teaching, layer=layer).save(path, lesson_teach._network(3), catalog.find("fcn8s_vgg16"))
    return path


def give(page, path):
    with page.expect_file_chooser() as asked:
        page.locator("#open-taught").click()
    asked.value.set_files(str(path))


def test_what_was_taught_segments_for_its_visitor_alone(open_page, file, demo_url):
    page, other = open_page(), open_page()
    give(page, file)
    expect(page.locator("#facts")).to_contain_text("mane, paw", timeout=SLOW)
    expect(page.locator("#knows")).to_contain_text("mane, paw")
    alone = Segmenter.load(str(file))(Image.open(gr.get_image("cheetah1.jpg")).convert("RGB")).areas
    shares = dict(re.findall(r"(background|mane|paw)\s+([\d.]+)%", page.locator("#classes").inner_text()))
    for name, share in shares.items():
        assert float(share) == pytest.approx(alone[name] * 100, abs=1.5)
    assert page.url == demo_url  # the link holds no name that is the visitor's own
    other.locator("#network input").click()
    expect(other.get_by_role("option").first).to_be_visible()
    assert "mane" not in " ".join(other.get_by_role("option").all_inner_texts())


def test_another_file_is_refused_in_a_sentence(open_page, tmp_path):
    page = open_page()
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"nothing")
    give(page, bad)
    expect(page.locator("#problem")).to_contain_text("damaged", timeout=SLOW)
    give(page, catalog.find("conv1x1_resnet18").path)
    expect(page.locator("#problem")).to_contain_text("another kind of network", timeout=SLOW)
