"""The lesson on adaptive pooling."""

import gradio as gr
import torch

from segdemo import render
from segdemo.lessons import adaptive_pooling as lesson
from segdemo.ui.lesson_parts import AT_ONCE, picture, slider

_NUMBERED = 12
_TEXT = """
### Adaptive pooling
The number of cells that comes **out** is fixed, whatever goes in: each output cell *i* pools the input cells from
⌊i·n/m⌋ up to ⌈(i+1)·n/m⌉. With it a network ends in the same number of features for a photo of any size, and the Linear
layer behind it always fits.

Where m divides n it is plain pooling. Else bins **overlap**, and where m is larger than n values are **repeated**.
"""


def build() -> None:
    """Lay the lesson out and wire it."""
    gr.Markdown(_TEXT)
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            controls = [
                slider(1, 32, 7, "Input cells n", "ap-input"),
                slider(1, 32, 4, "Output cells m", "ap-output"),
                gr.Radio(list(lesson.MODES), value=lesson.MODES[0], label="Pooling", elem_id="ap-mode"),
            ]
        with gr.Column(scale=8, min_width=300):
            first = _draw(7, 4, lesson.MODES[0])
            outputs = [
                gr.HTML(first[0], elem_id="ap-bins"),
                picture(first[1], "Input", "ap-values", 80),
                picture(first[2], "Weight of each input cell (column) in each output cell (row)", "ap-matrix", 260),
                picture(first[3], "Output", "ap-pooled", 80),
            ]
    for control in controls:
        control.change(_draw, controls, outputs, **AT_ONCE)


def _draw(n: float, m: float, mode: str) -> list[object]:
    n, m = int(n), int(m)
    values = torch.randint(1, 10, (n,), generator=torch.Generator().manual_seed(n)).float()
    pooled = lesson.pool(values, m, mode)
    grids = (values[None], lesson.matrix(n, m), pooled[None])
    limits = (10.0, 1.0, 10.0)
    pictures = [
        render.score_grid(grid.numpy(), limit, 900, _NUMBERED) for grid, limit in zip(grids, limits, strict=True)
    ]
    return [_describe(n, m), *pictures]


def _describe(n: int, m: int) -> str:
    bins = ", ".join(f"[{start}, {end})" for start, end in lesson.bins(n, m))
    if lesson.is_fixed_kernel(n, m) and m <= n:
        kind = "the bins are equally long and equally far apart: a plain pooling layer does the same"
    elif m > n:
        kind = "there are fewer cells than bins, so values are repeated"
    else:
        kind = "the bins differ in length or distance: no plain pooling layer does this"
    return (
        f"<p class='formula' role='status'><b>{n} → {m}</b>: {kind}; {lesson.overlap_count(n, m)} of {n} cells "
        f"are pooled more than once.</p><p class='formula'>{bins}</p>"
    )
