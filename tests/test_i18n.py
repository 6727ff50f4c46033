"""The page's texts in two languages."""

import json
import re

import gradio as gr
import pytest

import app
from segdemo.ui.i18n import I18N, mark, translate
from segdemo.ui.korean import KOREAN

MARKER = re.compile(r"__i18n__(\{.*?\})")


@pytest.fixture(scope="module")
def props():
    return [component["props"] for component in app.demo.get_config_file()["components"]]


def marked(props):
    return {json.loads(found)["key"] for each in props for found in MARKER.findall("".join(map(str, each.values())))}


def test_both_languages_have_the_same_texts():
    assert I18N.translations["en"].keys() == I18N.translations["ko"].keys()


def test_every_translation_is_of_a_text_on_the_page(props):
    assert set(KOREAN) - marked(props) == set()


def test_every_tab_and_lesson_text_is_translated():
    blocks = app.demo.blocks.values()
    tabs = [block.label for block in blocks if isinstance(block, gr.Tab)]
    texts = [block.value for block in blocks if isinstance(block, gr.Markdown) and block.elem_id != "about"]
    assert [text for text in tabs + texts if text and "__i18n__" not in text] == []


@pytest.mark.parametrize("korean", KOREAN.values())
def test_every_translation_is_in_hangul(korean):
    assert re.search("[가-힣]", korean)


def test_a_text_inside_a_tag_keeps_it_and_one_without_a_translation_stays():
    assert mark("<p class='caption'>Kernel</p>").startswith("<p class='caption'>__i18n__{")
    assert mark("<p>no such text</p>") == "<p>no such text</p>"


def test_values_that_a_visitor_chooses_stay():
    with gr.Blocks() as blocks:
        choice = gr.Textbox("Kernel", label="Kernel")
        translate(blocks)
    assert choice.value == "Kernel"
    assert "__i18n__" in choice.label
