"""The page in the browser's language: `korean.py` has the texts, and Gradio chooses in the browser.

The tabs and lessons write their texts in English, and nothing else. When the page is laid out, `translate` puts in
place of each text that has a translation the marker that Gradio translates. A text that a function makes later, with
numbers in it, stays English.
"""

import inspect
import re

import gradio as gr

from segdemo.ui.korean import KOREAN

I18N = gr.I18n(en={text: text for text in KOREAN}, ko=KOREAN)
_TRANSLATED = ("label", "info", "placeholder", "value")
_IN_A_TAG = re.compile(r"(<[^>]+>)([^<]+)(</\w+>)")
_WRITTEN = (gr.HTML, gr.Markdown, gr.Button, gr.DownloadButton)  # their value is a text, not an answer


def translate(demo: gr.Blocks) -> None:
    """Put Gradio's marker in place of each text of the page that has a translation."""
    for block in demo.blocks.values():
        for name in _TRANSLATED:
            text = getattr(block, name, None)
            if isinstance(text, str) and (name != "value" or isinstance(block, _WRITTEN)):
                setattr(block, name, mark(text))


def mark(text: str) -> str:
    """Give the marker for a text, alone or inside one pair of tags; without a translation the text comes back."""
    before, inner, after = match.groups() if (match := _IN_A_TAG.fullmatch(text)) else ("", text, "")
    key = inspect.cleandoc(inner)
    return f"{before}{I18N(key)}{after}" if key in KOREAN else text
