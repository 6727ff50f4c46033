"""The page's texts in two languages."""

import json
import re
from types import SimpleNamespace

import gradio as gr
import pytest

import app
from segdemo.ui import i18n
from segdemo.ui.gradio_compat import components_in
from segdemo.ui.i18n import CATALOGUES, I18N, in_asked_language, mark, placeholders, translate

EN, KO = CATALOGUES["en"], CATALOGUES["ko"]
SAID = I18N.translations["ko"]

MARKER = re.compile(r"__i18n__(\{.*?\})")


@pytest.fixture(scope="module")
def props():
    return [component["props"] for component in app.demo.get_config_file()["components"]]


def marked(props):
    return {json.loads(found)["key"] for each in props for found in MARKER.findall("".join(map(str, each.values())))}


def test_both_languages_have_the_same_texts_with_the_same_placeholders():
    assert EN.keys() == KO.keys()
    assert {key for key in EN if placeholders(EN[key]) != placeholders(KO[key]) and key.startswith("error.")} == set()


def test_every_translation_is_of_a_text_on_the_page(props):
    assert set(SAID) - marked(props) == set()


def test_every_tab_and_lesson_text_is_translated():
    blocks = components_in(app.demo)
    tabs = [block.label for block in blocks if isinstance(block, gr.Tab)]
    texts = [block.value for block in blocks if isinstance(block, gr.Markdown) and block.elem_id != "about"]
    assert [text for text in tabs + texts if text and "__i18n__" not in text] == []


def test_every_translation_is_in_hangul():
    assert {key for key, text in KO.items() if not re.search("[가-힣]", text)} == set()


def test_a_text_inside_a_tag_keeps_it_and_one_without_a_translation_stays():
    assert mark("<p class='caption'>Kernel</p>").startswith("<p class='caption'>__i18n__{")
    assert mark("<p>no such text</p>") == "<p>no such text</p>"


def test_values_that_a_visitor_chooses_stay():
    with gr.Blocks() as blocks:
        choice = gr.Textbox("Kernel", label="Kernel")
        translate(blocks)
    assert choice.value == "Kernel"
    assert "__i18n__" in choice.label


def ask(monkeypatch, lang, header):
    headers = {"accept-language": header} if header else {}
    request = SimpleNamespace(query_params={"lang": lang} if lang else {}, headers=headers)
    monkeypatch.setattr(i18n, "current_request", lambda: request)


@pytest.mark.parametrize(
    ("lang", "header", "wanted"),
    [
        (None, None, "en"),
        ("ko", "en-GB,en", "ko"),
        ("en", "ko-KR,ko;q=0.9", "en"),
        (None, "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        (None, "fr-FR,ko", "en"),
        ("xx", None, "en"),
    ],
)
def test_the_language_of_whoever_asks(monkeypatch, lang, header, wanted):
    ask(monkeypatch, lang, header)
    assert i18n.asked_language() == wanted


def test_an_error_is_said_in_the_visitors_language_with_its_values(monkeypatch):
    sentence = "There is no network named 'a. b'. Choose from c, d."
    assert in_asked_language(sentence) == sentence
    ask(monkeypatch, "ko", None)
    assert in_asked_language(sentence) == "'a. b'(이)라는 네트워크는 없습니다. 다음 중에서 고르세요: c, d."
    assert in_asked_language("nothing known") == "nothing known"
