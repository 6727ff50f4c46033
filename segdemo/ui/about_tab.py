"""What the demo is, for someone who wants to know more."""

import gradio as gr

from segdemo import __version__, catalog
from segdemo.ui.i18n import static
from segdemo.ui.templates import render
from segdemo.ui.views import GROUPS


def build() -> None:
    """Write the text, with the networks from the catalog."""
    with gr.Column(elem_id="about"):
        gr.Markdown(static("about.seen"))
        gr.HTML(render("networks", entries=catalog.ENTRIES, group_keys=GROUPS))
        gr.Markdown(static("about.data", version=__version__))
