"""The page's texts in the visitor's language: `locales/` has a catalogue for each language, sentences by key.

- `static` is for what stays on the page, such as labels: Gradio translates it in the browser.
- `say` is for sentences in HTML: it writes them in every language, and the style sheet shows the one of the page.
- `both` is for what stays on the page and holds no HTML, such as choices, text alternatives and charts: `language.js`
  shows the page's language.
- `plain` is for messages: it takes the language of whoever asks.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TypeVar

import gradio as gr
from markupsafe import Markup

from segdemo.charts import BETWEEN_LANGUAGES
from segdemo.ui.gradio_compat import current_request

LANGUAGES = ("en", "ko")
"""Codes of the languages, the one that others are translated from first."""
_FOLDER = Path(__file__).with_name("locales")
CATALOGUES: dict[str, dict[str, str]] = {
    language: json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8")) for language in LANGUAGES
}
_ENGLISH = CATALOGUES[LANGUAGES[0]]
_IN_LANGUAGE = Markup('<span lang="{}">{}</span>')
_SIDE_BY_SIDE = re.compile(f"[^<>\"']*{BETWEEN_LANGUAGES}[^<>\"']*")  # a whole text or attribute of a document
_MADE_ELSEWHERE = ("error.", "formula.", "story.")  # how the keys of sentences begin that are made outside the page


class Said(Markup):
    """A sentence as HTML in every language; `texts` has each alone."""

    texts: Mapping[str, str]


class Both(str):
    """A plain text in every language, one behind the other, with a sign between them; `texts` has each alone."""

    texts: Mapping[str, str]


_Sentence = TypeVar("_Sentence", Said, Both)


def _together(kind: type[_Sentence], texts: Mapping[str, str]) -> _Sentence:
    """Put the languages together, or give the one text where they have the same."""
    if len(set(texts.values())) == 1:
        whole = kind(next(iter(texts.values())))
    elif kind is Said:
        whole = kind(Markup("").join(_IN_LANGUAGE.format(*each) for each in texts.items()))
    else:
        whole = kind(BETWEEN_LANGUAGES.join(texts.values()))
    whole.texts = texts
    return whole


I18N = gr.I18n(**{language: {} for language in LANGUAGES})
"""What the browser translates: the texts for which `static` was asked."""


def static(key: str, **values: object) -> str:
    """Give the marker in whose place Gradio puts a text in the browser, in the page's language."""
    name = ":".join((key, *map(str, values.values())))
    for language, texts in I18N.translations.items():
        texts[name] = CATALOGUES[language][key].format(**values)
    return str(I18N(name))


def say(key: str, **values: object) -> Said:
    """Write a sentence as HTML, in every language; the values are escaped, and may be HTML themselves."""
    return _together(Said, {each: Markup(CATALOGUES[each][key]).format(**_alone(values, each)) for each in LANGUAGES})


def say_made(sentence: object) -> Said:
    """Write an English sentence that was made outside the page, such as an error's, as HTML in every language."""
    return _together(Said, {language: Markup.escape(_translated(str(sentence), language)) for language in LANGUAGES})


def alike(text: str) -> Both:
    """Take a text that is the same in every language."""
    return _together(Both, dict.fromkeys(LANGUAGES, text))


def both(key: str, **values: object) -> Both:
    """Write a sentence as plain text, in every language; the values may be such texts themselves."""
    return _together(Both, {each: CATALOGUES[each][key].format(**_alone(values, each)) for each in LANGUAGES})


def joined(between: str, texts: Iterable[Both]) -> Both:
    """Join texts of `both`, each language for itself."""
    every = list(texts)
    return _together(Both, {each: between.join(text.texts[each] for text in every) for each in LANGUAGES})


def in_language(document: str, language: str) -> str:
    """Leave one language of every text in a document, such as an SVG, that `both` wrote."""
    index = LANGUAGES.index(language)
    return _SIDE_BY_SIDE.sub(lambda found: found[0].split(BETWEEN_LANGUAGES)[index], document)


def svg_address(svg: str) -> Both:
    """Write an SVG file that may hold texts of `both` into an address of its own, for each language one."""
    files = {each: base64.b64encode(in_language(svg, each).encode()).decode() for each in LANGUAGES}
    return _together(Both, {each: f"data:image/svg+xml;base64,{data}" for each, data in files.items()})


def plain(key: str, **values: object) -> str:
    """Say a sentence as plain text in the language of whoever asks; in English where nobody does."""
    return CATALOGUES[asked_language()][key].format(**values)


def plain_made(sentence: object) -> str:
    """Say an English sentence that was made outside the page in the language of whoever asks."""
    return _translated(str(sentence), asked_language())


def asked_language() -> str:
    """Give the language of whoever asks: the address's `lang`, else the browser's, else English.

    The page keeps `lang` in its address, and Gradio's browser client sends the address's query with each request.
    """
    request = current_request()
    if request is None:
        return LANGUAGES[0]
    wanted = (request.query_params.get("lang", ""), request.headers.get("accept-language", ""))
    found = next((text[:2].lower() for text in wanted if text), LANGUAGES[0])
    return found if found in LANGUAGES else LANGUAGES[0]


def _alone(values: Mapping[str, object], language: str) -> dict[str, object]:
    """Give of values that stand in every language that one alone."""
    return {name: value.texts[language] if isinstance(value, Said | Both) else value for name, value in values.items()}


def _translated(sentence: str, language: str) -> str:
    for key, pattern in _patterns():
        if found := pattern.fullmatch(sentence):
            texts = CATALOGUES[language]
            return texts[key].format(
                **{name: texts.get(f"word.{part}", part) for name, part in found.groupdict().items()}
            )
    return sentence


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Make a pattern of each sentence that is made elsewhere, those with the most words of their own first."""
    found = []
    for key, text in _ENGLISH.items():
        if key.startswith(_MADE_ELSEWHERE):
            parts = [(words, name) for words, name, *_ in Formatter().parse(text)]
            pattern = "".join(re.escape(words) + (f"(?P<{name}>.+)" if name else "") for words, name in parts)
            found.append((sum(len(words) for words, _ in parts), key, re.compile(pattern, re.DOTALL)))
    return [(key, pattern) for _, key, pattern in sorted(found, key=lambda each: -each[0])]
