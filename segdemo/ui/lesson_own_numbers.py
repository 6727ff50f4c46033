"""The part of the transposed-conv lesson that takes a visitor's own numbers."""

from collections.abc import Mapping

import gradio as gr
from markupsafe import Markup
from torch import Tensor

from segdemo.lessons import torch_lines
from segdemo.lessons.matrices import MOST, read_matrix
from segdemo.lessons.transposed_conv import Setting, conv_matrix, transposed_conv
from segdemo.ui.events import AT_ONCE
from segdemo.ui.i18n import say, say_made, static
from segdemo.ui.lesson_parts import note, torch_code
from segdemo.ui.templates import render

_TEXTBOOK = "0 1\n2 3"


def build() -> Mapping[str, gr.Textbox]:
    """Lay the part out and wire it; gives the fields that a link can set."""
    gr.Markdown(static("own.text"))
    with gr.Row():
        values, kernel = _matrix("input"), _matrix("kernel")
        controls = [values, kernel, _number("stride", 1, 4), _number("padding", 0, 3)]
    first = _draw(*(control.value for control in controls))
    answer = gr.HTML(first[0], elem_id="own-output")
    code = torch_code(first[1])
    gr.on([control.change for control in controls], _draw, controls, [answer, code], **AT_ONCE)
    return {"input": values, "kernel": kernel}


def _matrix(name: str) -> gr.Textbox:
    label = static(f"own.{name}")
    return gr.Textbox(_TEXTBOOK, label=label, lines=2, max_lines=MOST, min_width=110, elem_id=f"own-{name}")


def _number(name: str, low: int, high: int) -> gr.Number:
    label = static(f"own.{name}")
    return gr.Number(low, label=label, minimum=low, maximum=high, precision=0, min_width=110, elem_id=f"own-{name}")


def _draw(input_text: str, kernel_text: str, stride: float | None, padding: float | None) -> tuple[Markup, str]:
    try:
        values, kernel = read_matrix(input_text, "input"), read_matrix(kernel_text, "kernel")
        setting = Setting(len(values), len(kernel), int(stride or 0), int(padding or 0))
    except ValueError as error:
        return note(say_made(error), role="alert"), ""
    found = transposed_conv(values, kernel, setting)
    matrices = {"own.input": values.tolist(), "own.kernel": kernel.tolist(), "own.output": found.tolist()}
    answer = render("matrices", matrices=matrices) + note(_sum(values, kernel, setting, found))
    return answer, torch_lines.transposed_conv(values, kernel, setting)


def _sum(values: Tensor, kernel: Tensor, setting: Setting, found: Tensor) -> Markup:
    """Write out the sum of the prints that meet in the output's middle cell."""
    row = column = setting.size // 2
    taken = conv_matrix(kernel, setting).T[row * setting.size + column].tolist()
    terms = [f"{value:g}·{weight:g}" for value, weight in zip(values.flatten().tolist(), taken, strict=True) if weight]
    return say("own.sum", row=row, column=column, terms=" + ".join(terms) or "0", value=float(found[row, column]))
