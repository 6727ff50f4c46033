"""The page's texts in two languages."""

import ast
import json
import re
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

import app
from segdemo.ui import i18n
from segdemo.ui.gradio_compat import components_in
from segdemo.ui.i18n import CATALOGUES, I18N, plain, plain_error, placeholders, say, say_error, static

EN, KO = CATALOGUES["en"], CATALOGUES["ko"]
UI = Path(i18n.__file__).parent
MARKER = re.compile(r"__i18n__(\{.*?\})")
SAME_IN_KOREAN = {"segment.rle"}  # a format's name


@pytest.fixture(scope="module")
def props():
    return [component["props"] for component in app.demo.get_config_file()["components"]]


def test_both_languages_have_the_same_texts_with_the_same_placeholders():
    assert EN.keys() == KO.keys()
    assert {key for key in EN if placeholders(EN[key]) != placeholders(KO[key])} == set()


def test_every_marker_on_the_page_has_a_text_in_every_language(props):
    marked = {json.loads(found)["key"] for each in props for found in MARKER.findall("".join(map(str, each.values())))}
    assert marked
    assert all(marked <= texts.keys() for texts in I18N.translations.values())


def test_every_tab_and_lesson_text_is_translated():
    blocks = components_in(app.demo)
    tabs = [block.label for block in blocks if isinstance(block, gr.Tab)]
    texts = [block.value for block in blocks if isinstance(block, gr.Markdown) and block.elem_id != "about"]
    assert [text for text in tabs + texts if text and "__i18n__" not in text] == []


def test_every_translation_is_in_hangul():
    assert {key for key, text in KO.items() if not re.search("[가-힣]", text)} == SAME_IN_KOREAN


def test_a_sentence_stands_in_every_language_with_its_values_escaped():
    assert say("fc.scores", class_name="<b>") == (
        '<span lang="en">Scores: &lt;b&gt;</span><span lang="ko">점수: &lt;b&gt;</span>'
    )
    assert say("segment.rle") == "COCO RLE"


def test_a_label_may_hold_a_number():
    key = json.loads(MARKER.search(static("batch.photos", most=7))[1])["key"]
    assert I18N.translations["en"][key] == "Photos, up to 7"
    assert I18N.translations["ko"][key] == "사진, 최대 7장"


def test_an_unknown_key_is_an_error():
    for write in (static, say, plain):
        with pytest.raises(KeyError):
            write("no such key")


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
    korean = "'a. b'(이)라는 네트워크는 없습니다. 다음 중에서 고르세요: c, d."
    assert plain_error(sentence) == sentence
    assert korean.replace("'", "&#39;") in say_error(sentence)
    ask(monkeypatch, "ko", None)
    assert plain_error(sentence) == korean
    assert plain_error("nothing known") == say_error("nothing known") == "nothing known"
