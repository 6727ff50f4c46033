"""The page's texts in two languages."""

import ast
import json
import re
from pathlib import Path
from string import Formatter
from types import SimpleNamespace

import gradio as gr
import pytest

import app
from segdemo.catalog import ENTRIES
from segdemo.ui import i18n
from segdemo.ui.i18n import CATALOGUES, I18N, plain, plain_made, say, say_made, static

EN, KO = CATALOGUES["en"], CATALOGUES["ko"]
UI = Path(i18n.__file__).parent
MARKER = re.compile(r"__i18n__(\{.*?\})")
# Names, numbers and formulas alone.
SAME_IN_KOREAN = re.compile(
    r"segment\.rle|word\.JPEG.*|batch\.progress|compare\.(pair|time)|transfer\.miou|why\.grad_cam"
    r"|task\.[a-z-]+\.(hint|worked)|task\.adaptive-kernel\.choice_."
)


@pytest.fixture(scope="module")
def props():
    return [component["props"] for component in app.demo.get_config_file()["components"]]


def placeholders(sentence):
    return sorted(name for _, name, *_ in Formatter().parse(sentence) if name)


def test_both_languages_have_the_same_texts_with_the_same_placeholders():
    assert EN.keys() == KO.keys()
    assert {key for key in EN if placeholders(EN[key]) != placeholders(KO[key])} == set()


def used_keys():
    """Give the keys that stand in the sources, and beginnings and ends of those that are put together there."""
    paths = [path for ending in ("py", "html") for path in UI.rglob(f"*.{ending}")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    whole = set(re.findall(r"""["']([a-z]+\.[\w.-]+)["']""", source))
    beginnings = tuple(re.findall(r"""["']([a-z]+\.[a-z_]*)(?:\{|["'] \+)""", source))
    ends = tuple(re.findall(r"""f"\{\w+\}(\.\w+)["']""", source))
    return whole, beginnings, ends


def test_every_key_is_used_and_every_used_key_is_there():
    whole, beginnings, ends = used_keys()
    made_elsewhere = ("error.", "formula.", "gradio.", "story.", "word.")
    unused = [
        k for k in EN if k not in whole and not k.startswith((*beginnings, *made_elsewhere)) and not k.endswith(ends)
    ]
    assert unused == []
    groups = {key.split(".")[0] for key in EN}
    files = (".js", ".css", ".html", ".py", ".csv", ".png")
    missing = [k for k in whole if k.split(".")[0] in groups and k not in EN and not k.endswith(files)]
    assert [k for k in missing if not any(k == b for b in beginnings)] == []


def is_sentence(text):
    return bool(re.search(r"[A-Za-z]{2,} [a-z]{2,}", text))


SHOWN_BY = {"label", "info", "placeholder", "alt_text", "value", "submit_btn", "desc"}
SHOW = {"Error", "Warning", "Info", "Markdown", "HTML", "Button", "UploadButton", "DownloadButton", "note", "problem"}


def shown_literals(tree):
    """Find texts that a visitor would read and that stand in the source itself."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        shown = [k.value for k in call.keywords if k.arg in SHOWN_BY] + (call.args[:1] if name in SHOW else [])
        for node in (each for value in shown for each in ast.walk(value)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_sentence(node.value):
                yield node.value


# What only a program meets that sends requests of its own.
FOR_PROGRAMS = {"api.py", "request_checks.py", "gradio_compat.py"}


def test_no_sentence_that_a_visitor_reads_stands_in_python():
    found = {}
    for path in UI.rglob("*.py"):
        literals = list(shown_literals(ast.parse(path.read_text(encoding="utf-8"))))
        if literals and path.name not in FOR_PROGRAMS:
            found[path.name] = literals
    assert found == {}


def test_such_a_sentence_would_be_found():
    for line in (
        'gr.Error("No photo here.")',
        'gr.Radio([], label=f"Up to {n} of them")',
        "views.problem('Not now, later')",
    ):
        assert list(shown_literals(ast.parse(line)))


def test_every_marker_on_the_page_has_a_text_in_every_language(props):
    marked = {json.loads(found)["key"] for each in props for found in MARKER.findall("".join(map(str, each.values())))}
    assert marked
    assert all(marked <= texts.keys() for texts in I18N.translations.values())


def test_every_tab_and_lesson_text_is_translated():
    blocks = app.demo.blocks.values()
    tabs = [block.label for block in blocks if isinstance(block, gr.Tab)]
    texts = [block.value for block in blocks if isinstance(block, gr.Markdown)]
    assert [text for text in tabs + texts if text and "__i18n__" not in text] == []


def test_every_translation_is_in_hangul():
    same = [key for key, text in KO.items() if not re.search("[가-힣]", text)]
    assert [key for key in same if not SAME_IN_KOREAN.fullmatch(key)] == []
    assert [key for key in same if re.search("[a-z]{4}", KO[key]) and "{" not in KO[key]] == []


def test_a_sentence_stands_in_every_language_with_its_values_escaped():
    assert say("fc.scores", class_name="<b>") == (
        '<span lang="en">Scores: &lt;b&gt;</span><span lang="ko">점수: &lt;b&gt;</span>'
    )
    assert say("segment.rle") == "COCO RLE"


def test_every_story_of_a_network_is_translated():
    for entry in ENTRIES.values():
        assert re.search("[가-힣]", say_made(entry.story)), entry.name


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
    assert plain_made(sentence) == sentence
    assert korean.replace("'", "&#39;") in say_made(sentence)
    ask(monkeypatch, "ko", None)
    assert plain_made(sentence) == korean
    assert plain_made("nothing known") == say_made("nothing known") == "nothing known"
