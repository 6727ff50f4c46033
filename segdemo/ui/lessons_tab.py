"""The lessons, a tab each."""

import gradio as gr

from segdemo.ui import (
    lesson_adaptive_pooling,
    lesson_fc_as_conv,
    lesson_size_trace,
    lesson_transfer,
    lesson_transposed_conv,
)
from segdemo.ui.link import Place

_LESSONS = (
    ("fc-as-conv", "Linear to 1×1 conv", lesson_fc_as_conv),
    ("size-trace", "Sizes", lesson_size_trace),
    ("transposed-conv", "Transposed conv", lesson_transposed_conv),
    ("adaptive-pooling", "Adaptive pooling", lesson_adaptive_pooling),
    ("transfer", "Transfer learning", lesson_transfer),
)


def build() -> tuple[gr.Tabs, dict[str, Place]]:
    """Put the lessons together; gives their tabs, and what a link can set on each."""
    places = {}
    with gr.Tabs(elem_classes="lessons") as tabs:
        for name, title, lesson in _LESSONS:
            with gr.Tab(title, id=name):
                places[name] = lesson.build() or Place()
    return tabs, places
