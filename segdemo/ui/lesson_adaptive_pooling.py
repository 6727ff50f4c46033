"""The lesson on adaptive pooling."""

import gradio as gr
import torch
from markupsafe import Markup
from PIL import Image

from segdemo import render
from segdemo.lessons import adaptive_pooling as lesson
from segdemo.ui import lesson_pooled_photo
from segdemo.ui.bin_drawing import draw_bins
from segdemo.ui.events import AT_ONCE
from segdemo.ui.i18n import both, say, static
from segdemo.ui.lesson_parts import guide, note, picture, slider
from segdemo.ui.link import Place

_NUMBERED = 12


def build() -> Place:
    """Lay the lesson out and wire it; gives what a link can set."""
    gr.Markdown(static("pooling.text"))
    guide("pooling")
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            n = slider(1, 32, 7, "pooling.input", "ap-input")
            m = slider(1, 32, 4, "pooling.output", "ap-output")
            modes = [(both(f"pooling.{mode}"), mode) for mode in lesson.MODES]
            mode = gr.Radio(modes, value=lesson.MODES[0], label=static("pooling.mode"), elem_id="ap-mode")
        with gr.Column(scale=8, min_width=300):
            first = _draw(7, 4, lesson.MODES[0])
            outputs = [
                gr.HTML(first[0], elem_id="ap-bins"),
                gr.HTML(first[1], elem_id="ap-drawing", elem_classes="drawing"),
                picture(first[2], "pooling.matrix", "ap-matrix", 220),
            ]
    gr.on([n.change, m.change, mode.change], _draw, [n, m, mode], outputs, **AT_ONCE)
    return lesson_pooled_photo.build(m, mode)


def _draw(n: float, m: float, mode: str) -> tuple[Markup, Markup, Image.Image]:
    n, m = int(n), int(m)
    values = torch.randint(1, 10, (n,), generator=torch.Generator().manual_seed(n)).float()
    pooled = lesson.pool(values, m, mode)
    weights = render.score_grid(lesson.matrix(n, m).numpy(), 1.0, 900, _NUMBERED)
    return _describe(n, m), draw_bins(values.tolist(), pooled.tolist()), weights


def _describe(n: int, m: int) -> Markup:
    if m > n:
        kind = say("pooling.again", count=sum(lesson.repeats(n, m)))
    else:
        kind = say("pooling.is_plain" if lesson.is_fixed_kernel(n, m) else "pooling.is_not_plain")
    sentence = say("pooling.found", sizes=f"{n} → {m}", kind=kind, overlap=lesson.overlap_count(n, m), count=n)
    bins = ", ".join(f"[{start}, {end})" for start, end in lesson.bins(n, m))
    return note(sentence) + note(bins, role=None)
