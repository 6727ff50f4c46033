"""The lessons, a tab each."""

import gradio as gr

from segdemo.lessons import torch_lines
from segdemo.ui import (
    lesson_adaptive_pooling,
    lesson_fc_as_conv,
    lesson_size_trace,
    lesson_tasks,
    lesson_teach,
    lesson_transfer,
    lesson_transposed_conv,
    lesson_why,
)
from segdemo.ui.i18n import static
from segdemo.ui.lesson_parts import torch_code
from segdemo.ui.link import Place

_SIZES = torch_lines.layer_size("Conv2d(3, 64, 3, padding=1)", 3, 352, 512)
# The lines of the transposed conv follow what a visitor chooses.
LESSONS = (
    ("teach", "lessons.teach", lesson_teach, torch_lines.teach(2)),
    ("fc-as-conv", "lessons.fc", lesson_fc_as_conv, torch_lines.fc_as_conv(3)),
    ("size-trace", "lessons.sizes", lesson_size_trace, _SIZES),
    ("transposed-conv", "lessons.transposed", lesson_transposed_conv, ""),
    ("adaptive-pooling", "lessons.pooling", lesson_adaptive_pooling, torch_lines.adaptive_pooling(7, 4)),
    ("transfer", "lessons.transfer", lesson_transfer, torch_lines.transfer()),
    ("why", "lessons.why", lesson_why, torch_lines.why()),
)


def build() -> tuple[gr.Tabs, dict[str, Place]]:
    """Put the lessons together; gives their tabs, and what a link can set on each."""
    places = {}
    with gr.Tabs(elem_classes="lessons") as tabs:
        for name, title, lesson, lines in LESSONS:
            with gr.Tab(static(title), id=name):
                places[name] = lesson.build() or Place()
                lesson_tasks.build(name)
                if lines:
                    torch_code(lines)
    return tabs, places
