"""The page's texts in the visitor's language: `locales/` has a catalogue for each language, sentences by key.

The tabs and lessons write their texts in English. When the page is laid out, `translate` puts in place of each text
that the catalogue has the marker that Gradio translates in the browser; `language.js` says which language that is. A
sentence that a function makes later, with numbers in it, stays English, but for errors: `in_asked_language` says them.
"""

import inspect
import json
import re
from functools import cache
from pathlib import Path
from string import Formatter

import gradio as gr

from segdemo.ui.gradio_compat import components_in, current_request

LANGUAGES = ("en", "ko")
"""Codes of the languages, the one that others are translated from first."""
_FOLDER = Path(__file__).with_name("locales")
CATALOGUES: dict[str, dict[str, str]] = {
    language: json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8")) for language in LANGUAGES
}
_ERROR = "error."  # how the keys of errors begin, whose sentences have placeholders
I18N = gr.I18n(
    **{
        language: {key: text for key, text in texts.items() if not key.startswith(_ERROR)}
        for language, texts in CATALOGUES.items()
    }
)
_KEYS = {text: key for key, text in I18N.translations[LANGUAGES[0]].items()}
_TRANSLATED = ("label", "info", "placeholder", "value")
_IN_A_TAG = re.compile(r"(<[^>]+>)([^<]+)(</\w+>)")
_WRITTEN = (gr.HTML, gr.Markdown, gr.Button, gr.DownloadButton)  # their value is a text, not an answer


def translate(demo: gr.Blocks) -> None:
    """Put Gradio's marker in place of each text of the page that has a translation."""
    for block in components_in(demo):
        for name in _TRANSLATED:
            text = getattr(block, name, None)
            if isinstance(text, str) and (name != "value" or isinstance(block, _WRITTEN)):
                setattr(block, name, mark(text))


def mark(text: str) -> str:
    """Give the marker for a text, alone or inside one pair of tags; without a translation the text comes back."""
    before, inner, after = match.groups() if (match := _IN_A_TAG.fullmatch(text)) else ("", text, "")
    key = _KEYS.get(inspect.cleandoc(inner))
    return f"{before}{I18N(key)}{after}" if key else text


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


def in_asked_language(sentence: str) -> str:
    """Say an error's English sentence in the language of whoever asks, where the catalogue has it under `error.`."""
    for key, pattern in _patterns():
        if found := pattern.fullmatch(sentence):
            return CATALOGUES[asked_language()][key].format(**found.groupdict())
    return sentence


def placeholders(sentence: str) -> list[str]:
    """Give the names of a sentence's placeholders, in alphabetical order."""
    return sorted(name for _, name, *_ in Formatter().parse(sentence) if name)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Make a pattern of each error's sentence, those with the most words of their own first."""
    found = []
    for key, text in CATALOGUES[LANGUAGES[0]].items():
        if key.startswith(_ERROR):
            parts = [(words, name) for words, name, *_ in Formatter().parse(text)]
            pattern = "".join(re.escape(words) + (f"(?P<{name}>.+)" if name else "") for words, name in parts)
            found.append((sum(len(words) for words, _ in parts), key, re.compile(pattern, re.DOTALL)))
    return [(key, pattern) for _, key, pattern in sorted(found, key=lambda each: -each[0])]
