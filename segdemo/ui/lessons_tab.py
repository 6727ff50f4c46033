"""The lessons, a tab each."""

import gradio as gr

from segdemo.ui import lesson_adaptive_pooling, lesson_fc_as_conv, lesson_size_trace, lesson_transposed_conv


def build() -> None:
    """Put the lessons together."""
    with gr.Tabs(elem_classes="lessons"):
        with gr.Tab("Linear to 1×1 conv", id="fc-as-conv"):
            lesson_fc_as_conv.build()
        with gr.Tab("Sizes", id="size-trace"):
            lesson_size_trace.build()
        with gr.Tab("Transposed conv", id="transposed-conv"):
            lesson_transposed_conv.build()
        with gr.Tab("Adaptive pooling", id="adaptive-pooling"):
            lesson_adaptive_pooling.build()
