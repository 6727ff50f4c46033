"""The page as a whole, and how it is served."""

from pathlib import Path

import gradio as gr

from segdemo.ui import about_tab, api, batch_tab, compare_tab, lessons_tab, segment_tab

_HOUR = 3600
# A click into the list of classes selects what stands there, so that typing searches instead of adding to it.
_SELECT_ON_FOCUS = """() => document.addEventListener("focusin", (event) => {
  if (event.target.matches("#heat-class input")) event.target.select();
})"""


def build_demo() -> gr.Blocks:
    """Put the tabs together; loads the first network and segments the first example."""
    with gr.Blocks(
        title="segdemo: from classifier to segmenter",
        analytics_enabled=False,
        delete_cache=(_HOUR, 2 * _HOUR),
        fill_width=True,
    ) as demo:
        gr.HTML("<h1>From classifier to segmenter</h1>", elem_id="title")
        with gr.Tab("Segment"):
            segment_tab.build()
        with gr.Tab("Compare"):
            compare_tab.build()
        with gr.Tab("Batch"):
            batch_tab.build()
        with gr.Tab("Lessons"):
            lessons_tab.build()
        with gr.Tab("About"):
            about_tab.build()
        api.add_endpoints()
    return demo.queue(max_size=64, api_open=False)


def launch(demo: gr.Blocks, **overrides: object) -> tuple[object, str, str]:
    """Serve the page; nothing is fetched from or sent to anywhere else.

    Args:
        demo: From `build_demo`.
        **overrides: Arguments of `gr.Blocks.launch` that take the place of ours.

    Returns:
        What `gr.Blocks.launch` gives.
    """
    # Named system fonts, because Gradio's default themes ask for web fonts.
    theme = gr.themes.Default(
        primary_hue="orange",
        secondary_hue="sky",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    settings = {
        "theme": theme,
        "css_paths": Path(__file__).with_name("style.css"),
        "js": _SELECT_ON_FOCUS,
        "footer_links": ["api"],
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "max_file_size": "40mb",
    }
    return demo.launch(**{**settings, **overrides})
