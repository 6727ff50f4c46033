"""The lesson on transposed convolution."""

from dataclasses import replace
from functools import cache, partial
from typing import Any

import gradio as gr
import torch
from markupsafe import Markup
from PIL import Image
from torch import nn

from segdemo import catalog, render
from segdemo.lessons import transposed_conv as lesson
from segdemo.lessons.transposed_conv import Setting
from segdemo.ui import lesson_own_numbers, lesson_upsampling
from segdemo.ui.events import AT_ONCE
from segdemo.ui.i18n import both, say, say_made, static
from segdemo.ui.lesson_parts import checks, guide, note, picture, slider
from segdemo.ui.link import Place

_FCN = "fcn8s_vgg16"
_LEARNED = "learned"
_KERNELS = ("bilinear", _LEARNED, "random", "ones")
_LEARNED_SETTING = (4, 2, 1, 0)  # kernel, stride, padding, output padding of the FCN's own ×2 step
_SIZE = 3  # cells a side of the input at first
_NUMBERED = 9  # cells a side that still have room for a number


def build() -> Place:
    """Lay the lesson out and wire it; gives what a link can set."""
    gr.Markdown(static("transposed.text"))
    guide("transposed")
    with gr.Row(elem_classes="work"):
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            with gr.Row(elem_classes="pair"):
                sliders = [
                    slider(1, 6, _SIZE, "transposed.input", "tc-input"),
                    slider(1, 7, 3, "transposed.kernel", "tc-kernel"),
                    slider(1, 4, 2, "transposed.stride", "tc-stride"),
                    slider(0, 3, 1, "transposed.padding", "tc-padding"),
                    slider(0, 3, 0, "transposed.output_padding", "tc-output-padding"),
                    slider(0, _SIZE**2, _SIZE**2, "transposed.step", "tc-step"),
                ]
            choices = [(both(f"transposed.{kind}"), kind) for kind in _KERNELS]
            kind = gr.Radio(choices, value="bilinear", label=static("transposed.kind"), elem_id="tc-kind")
            controls = [*sliders, kind]
            with gr.Row():
                for k, s, p in lesson.TUTORIAL:
                    button = gr.Button(f"k {k}, s {s}, p {p}", size="sm", min_width=90)
                    button.click(partial(_choose, k, s, p), None, controls, **AT_ONCE)
        with gr.Column(scale=8, min_width=300, elem_classes="results"):
            outputs = _lay_out_results()
    size, step = sliders[0], sliders[-1]
    size.change(_draw_all, [*sliders[:-1], kind], [step, *outputs], **AT_ONCE)
    gr.on([control.change for control in controls[1:]], _draw, controls, outputs, **AT_ONCE)
    kind.change(_fix_learned, kind, sliders[1:5], **AT_ONCE)
    texts = lesson_own_numbers.build()
    return replace(lesson_upsampling.build(), texts=texts)


def _all_prints(size: int) -> gr.Slider:
    """Set the slider of prints to all that there are: one for each cell of the input."""
    return gr.Slider(maximum=size**2, value=size**2)


def _choose(kernel: int, stride: int, padding: int) -> list[object]:
    return [_SIZE, kernel, stride, padding, 0, _all_prints(_SIZE), "random"]


def _draw_all(*values: Any) -> list[object]:  # noqa: ANN401 - a number for each slider, and the kind of kernel
    """Draw all prints of an input of another size; the slider's old place may lie beyond its new end."""
    *numbers, kind = values
    size = int(numbers[0])
    return [_all_prints(size), *_draw(*numbers, size**2, kind)]


def _fix_learned(kind: str) -> list[gr.Slider]:
    """Let the sliders show what the FCN's kernel was learned with, for as long as that is chosen."""
    if kind == _LEARNED:
        return [gr.Slider(value=number, interactive=False) for number in _LEARNED_SETTING]
    return [gr.Slider(interactive=True) for _ in _LEARNED_SETTING]


def _lay_out_results() -> list[gr.Component]:
    """Place what `_draw` gives, in its order."""
    sizes, *pictures, checked = _draw(_SIZE, 3, 2, 1, 0, _SIZE**2, "bilinear")
    outputs: list[gr.Component] = [gr.HTML(sizes, elem_id="tc-sizes")]
    for row in (("small", "kernel_picture", "large"), ("overlaps", "matrix")):
        with gr.Row():
            for name in row:
                value = pictures[len(outputs) - 1]
                outputs.append(picture(value, f"transposed.{name}", f"tc-{name.replace('_', '-')}", 200))
    return [*outputs, gr.HTML(checked, elem_id="tc-checks")]


def _draw(*values: Any) -> list[Any]:  # noqa: ANN401 - as above
    *numbers, kind = values
    n, k, s, p, o, step = (int(number) for number in numbers)
    if kind == _LEARNED:
        k, s, p, o = _LEARNED_SETTING
    try:
        setting = Setting(n, k, s, p, o)
    except ValueError as error:  # pictures of another setting would only mislead
        return [note(say_made(error)), *[None] * 5, ""]
    small = lesson.make_map(n)
    kernel = _learned_kernel() if kind == _LEARNED else lesson.make_kernel(str(kind), k)
    whole = lesson.transposed_conv(small, kernel, setting)
    so_far = lesson.prints(small, kernel, setting, step)
    transposed = lesson.conv_matrix(kernel, setting).T
    counts = lesson.overlaps(setting)
    pictures = [_grid(small), _grid(kernel), _grid(so_far, whole), _grid(counts), _grid(transposed)]
    return [_sizes(setting), *pictures, _checks(setting, small, kernel, whole)]


@cache
def _learned_kernel() -> torch.Tensor:
    """Take the kernel of the FCN's first ×2 step for its last class."""
    entry = catalog.find(_FCN)
    conv = entry.load().get_submodule("upscore_fc7.conv")
    assert isinstance(conv, nn.ConvTranspose2d)
    return lesson.learned_kernel(conv, len(entry.metadata.classes) - 1)


def _grid(values: torch.Tensor, scale: torch.Tensor | None = None) -> Image.Image:
    limit = float((values if scale is None else scale).abs().max())
    return render.score_grid(values.numpy(), limit, 480, _NUMBERED)


def _sizes(setting: Setting) -> Markup:
    sentence = say(
        "transposed.sizes",
        formula=setting.formula,
        size=f"{setting.size}×{setting.size}",
        kernel=setting.kernel,
        stride=setting.stride,
        padding=setting.padding,
    )
    return note(sentence)


def _checks(setting: Setting, small: torch.Tensor, kernel: torch.Tensor, whole: torch.Tensor) -> Markup:
    product = (lesson.conv_matrix(kernel, setting).T @ small.flatten()).view_as(whole)
    back = lesson.conv(whole, kernel, setting)
    board = "transposed.checkerboard" if lesson.has_checkerboard(setting) else "transposed.even"
    sentences = (
        say("transposed.product", difference=float((product - whole).abs().max())),
        say("transposed.back", difference=float((back - small).abs().max())),
        say(board, kernel=setting.kernel, stride=setting.stride),
    )
    return checks(sentences)
