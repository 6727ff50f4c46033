"""The page as a whole, and how it is served."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from starlette.middleware import Middleware

from segdemo.ui import (
    about_tab,
    api,
    batch_tab,
    classroom,
    compare_tab,
    lesson_why,
    lessons_tab,
    link,
    segment_layout,
    segment_tab,
)
from segdemo.ui.events import SILENT
from segdemo.ui.gate import Gate
from segdemo.ui.gradio_compat import PATIENT_START, keep_no_events
from segdemo.ui.host import Host, HostMiddleware, patience
from segdemo.ui.i18n import CATALOGUES, I18N, LANGUAGES, both, static
from segdemo.ui.link import Place
from segdemo.ui.own_names import own_names
from segdemo.ui.page import Page
from segdemo.ui.templates import render

_VISITORS = 1000  # whose results are kept; Gradio forgets those of a closed page after an hour
_LINE = 64  # requests that may wait; a class of thirty can press twice
host = Host(patience())
# Darker than the theme's own: a text wants 4.5:1 against what is behind it, on a projector most of all.
_CONTRAST = {
    "body_text_color_subdued": "*neutral_500",
    **dict.fromkeys(
        (f"checkbox_border_color{each}" for each in ("", "_dark", "_hover", "_hover_dark")), "*neutral_500"
    ),
    "link_text_color": "*secondary_700",
    "link_text_color_active": "*secondary_800",
    "link_text_color_visited": "*secondary_700",
    "link_text_color_visited_dark": "*secondary_500",
    **dict.fromkeys(("button_primary_background_fill", "button_primary_background_fill_dark"), "*primary_700"),
    **dict.fromkeys(("button_primary_border_color", "button_primary_border_color_dark"), "*primary_700"),
    **dict.fromkeys(
        ("button_primary_background_fill_hover", "button_primary_background_fill_hover_dark"), "*primary_800"
    ),
}
# For those who asked their system for less motion.
_CALM = "<style media='(prefers-reduced-motion: reduce)'>*, ::before, ::after { transition: none !important; }</style>"
# What would jump while the page opens is not seen yet: what stands below the title row, which Gradio draws late, and
# the first tab where a link names another. Gradio's style sheet comes too late for that.
_STEADY = """<style>
.gradio-container main.contain > .column:not(:has(> .top)), :root.opening [role='tabpanel'] { visibility: hidden; }
</style>"""
_TABS = ("segment", "compare", "batch", "lessons", "about")


def build_demo() -> Page:
    """Put the tabs together; loads the first network and segments the first example."""
    keep_no_events()
    for key in ("common.complete", "status.queue_position"):  # for screen readers; Gradio lacks them
        static(key)
    with Page(
        title="segdemo: from classifier to segmenter",
        analytics_enabled=False,
        fill_width=True,
    ) as demo:
        with gr.Row(elem_classes="top"):
            gr.HTML(render("title"), elem_id="title")
            gr.HTML(render("copied"), elem_classes="said")
            language = gr.Button("EN / 한국어", size="sm", scale=0, min_width=0, elem_id="language")
            copy = gr.Button(static("page.copy_link"), size="sm", scale=0, min_width=0, elem_id="copy-link")
            present = gr.Button(static("page.present"), size="sm", scale=0, min_width=0, elem_id="present")
        gr.HTML(render("pitch"), elem_id="pitch")
        said = gr.HTML(elem_id="said", elem_classes="said")
        if classroom.is_on():
            card = gr.HTML(elem_id="class-card")
            demo.load(classroom.card_for, None, card, **SILENT)
        places = {name: Place() for name in _TABS}
        with gr.Tabs() as tabs:
            with _tab("segment"):
                places["segment"] = segment_tab.build()
            with _tab("compare") as opened:
                places["compare"] = compare_tab.build(opened)
            with _tab("batch"):
                places["batch"] = batch_tab.build()
            with _tab("lessons"):
                lessons = lessons_tab.build()
            with _tab("about"):
                about_tab.build()
        link.wire(demo, (tabs, places), lessons, said)
        lesson_why.answer_segment((tabs, places["segment"]), (lessons[0], lessons[1]["why"]))
        copy.click(None, js="() => segdemo.copy()", **SILENT)
        present.click(None, js="() => segdemo.present()", **SILENT)
        language.click(None, js="() => segdemo.speak()", **SILENT)
        api.add_endpoints()  # their names stay as they are
    return demo.queue(max_size=_LINE, api_open=False)


def _tab(name: str) -> gr.Tab:
    return gr.Tab(static(f"page.{name}"), id=name)


def launch(demo: gr.Blocks, **overrides: Any) -> tuple[object, str, str]:  # noqa: ANN401 - Gradio's own
    """Serve the page as `gr.Blocks.launch` does, whose arguments may take the place of ours.

    Nothing is fetched from or sent to anywhere else.
    """
    # Named system fonts, because Gradio's default themes ask for web fonts.
    theme = gr.themes.Default(
        primary_hue="orange",
        secondary_hue="sky",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(**_CONTRAST)
    parts = ("storage.js", "language.js", "page.js", "pixels.js", "fields.js", "print.css")
    *scripts, paper = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in parts)
    styles = f"<style media='print'>{paper}</style>{_CALM}{_STEADY}"
    listening = overrides.get("server_name")

    def names() -> frozenset[str]:
        shared = demo.share_url  # a tunnel's address, where who starts the program asks Gradio for one
        return own_names([listening and str(listening), shared and urlsplit(shared).hostname])

    settings: dict[str, Any] = {
        **PATIENT_START,
        "theme": theme,
        "css_paths": Path(__file__).with_name("style.css"),
        "head": f"<script>{_texts()}{''.join(scripts)}</script>{styles}",
        "footer_links": ["api"],
        "i18n": I18N,
        "mcp_server": find_spec("mcp") is not None,  # without it Gradio would print an error
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "max_file_size": "40mb",
        "state_session_capacity": _VISITORS,
        "app_kwargs": {"middleware": [Middleware(Gate, names=names), Middleware(HostMiddleware, host=host)]},
    }
    host.handle_stop_signal()
    return demo.launch(**{**settings, **overrides})


def _texts() -> str:
    """Give the scripts what Gradio itself shows, and the tabs' names, in every language; and the examples' names."""
    keys = [*(f"page.{name}" for name in _TABS), *(title for _, title, *_ in lessons_tab.LESSONS)]
    keys += [key for key in CATALOGUES[LANGUAGES[0]] if key.startswith("gradio.")]
    texts = [[catalogue[key] for catalogue in CATALOGUES.values()] for key in keys]
    examples = {Path(path).stem: both(key) for path, key in segment_layout.EXAMPLES.items()}
    return f"window.segdemoTexts = {json.dumps(texts)}; window.segdemoExamples = {json.dumps(examples)};\n"
