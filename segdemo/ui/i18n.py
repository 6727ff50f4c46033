"""The page's texts in the visitor's language: `locales/` has a catalogue for each language, sentences by key.

- `static` is for what stays on the page, such as labels: Gradio translates it in the browser.
- `say` is for sentences in HTML: it writes them in every language, and the style sheet shows the one of the page.
- `both` is for what stays on the page and holds no HTML, such as choices, text alternatives and charts: `language.js`
  shows the page's language.
- `plain` is for messages: it takes the language of whoever asks.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from string import Formatter

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
    """A sentence as HTML in every language.

    Attributes:
        texts: In each language alone.
    """

    texts: Mapping[str, Markup]

    @classmethod
    def of(cls, texts: Mapping[str, Markup]) -> "Said":
        """Put the languages side by side, or give the one text where they have the same."""
        first, *others = texts.values()
        alike = all(text == first for text in others)
        said = cls(first if alike else Markup("").join(_IN_LANGUAGE.format(*each) for each in texts.items()))
        said.texts = texts
        return said


class Both(str):
    """A plain text in every language, one behind the other, with a sign between them that nobody types.

    Attributes:
        texts: In each language alone.
    """

    texts: Mapping[str, str]

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> "Both":
        """Put the languages behind each other, or give the one text where they have the same."""
        first, *others = texts.values()
        text = first if all(each == first for each in others) else BETWEEN_LANGUAGES.join(texts.values())
        whole = cls(text)
        whole.texts = texts
        return whole


def placeholders(sentence: str) -> list[str]:
    """Give the names of a sentence's placeholders, in alphabetical order."""
    return sorted(name for _, name, *_ in Formatter().parse(sentence) if name)


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
    return Said.of({each: Markup(CATALOGUES[each][key]).format(**_alone(values, each)) for each in LANGUAGES})


def say_made(sentence: object) -> Said:
    """Write an English sentence that was made outside the page, such as an error's, as HTML in every language."""
    return Said.of({language: Markup.escape(_translated(str(sentence), language)) for language in LANGUAGES})


def alike(text: str) -> Both:
    """Take a text that is the same in every language."""
    return Both.of(dict.fromkeys(LANGUAGES, text))


def both(key: str, **values: object) -> Both:
    """Write a sentence as plain text, in every language; the values may be such texts themselves."""
    return Both.of({each: CATALOGUES[each][key].format(**_alone(values, each)) for each in LANGUAGES})


def joined(between: str, texts: Iterable[Both]) -> Both:
    """Join texts of `both`, each language for itself."""
    every = list(texts)
    return Both.of({each: between.join(text.texts[each] for text in every) for each in LANGUAGES})


def in_language(document: str, language: str) -> str:
    """Leave one language of every text in a document, such as an SVG, that `both` wrote."""
    index = LANGUAGES.index(language)
    return _SIDE_BY_SIDE.sub(lambda found: found[0].split(BETWEEN_LANGUAGES)[index], document)


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
