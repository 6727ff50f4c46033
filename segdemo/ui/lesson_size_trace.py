"""The lesson on where the pixels go."""

import gradio as gr

from segdemo.lessons.size_trace import Row
from segdemo.ui import lesson_feature_maps, lesson_skip_shares
from segdemo.ui.events import AT_ONCE
from segdemo.ui.i18n import say, say_made, static
from segdemo.ui.lesson_parts import guide, note, slider, table
from segdemo.ui.link import Place
from segdemo.ui.network_list import network_list
from segdemo.ui.photo_input import photo_field
from segdemo.ui.service import trace_sizes

_HEADS = ("layer", "kind", "kernel", "stride", "padding", "channels", "size", "formula", "sees", "adds", "parameters")


def build() -> Place:
    """Lay the lesson out and wire it; gives what a link can set."""
    gr.Markdown(static("sizes.text"))
    guide("sizes")
    with gr.Row(elem_classes="controls"):
        network = network_list("fcn8s_vgg16", "st-network")
        height = gr.Number(333, label=static("sizes.height"), precision=0, min_width=90, elem_id="st-height")
        width = gr.Number(500, label=static("sizes.width"), precision=0, min_width=90, elem_id="st-width")
    rows = gr.HTML(_draw("fcn8s_vgg16", 333, 500), elem_id="st-table")
    gr.on([network.change, height.change, width.change], _draw, [network, height, width], rows, **AT_ONCE)
    gr.Markdown(static("sizes.photo_text"))
    offered = lesson_feature_maps.offered()
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photo, examples = photo_field("st-photo")
            pixels = slider(32, 256, offered[0].metadata.analysis_size, "lessons.seen_at", "st-pixels")
            shown = network_list(offered[0].name, "fm-network", offered, "maps.network")
        with gr.Column(scale=8, min_width=300):
            lesson_skip_shares.build(photo, pixels)
    lesson_feature_maps.build(photo, pixels, shown)
    return Place(network, photo=photo, examples=examples)


def _draw(network: str, height: float | None, width: float | None) -> str:
    try:
        rows = trace_sizes(network, height, width)
    except ValueError as error:
        return note(say_made(error))
    adds, parameters = sum(row.multiply_adds for row in rows), sum(row.parameters for row in rows)
    layers = sum(row.kernel > 0 for row in rows)
    sentence = say("sizes.sums", layers=layers, billions=adds / 1e9, millions=parameters / 1e6)
    heads = [say(f"sizes.head_{head}") for head in _HEADS]
    return note(sentence) + table(heads, [_cells(row) for row in rows], plain_cells=False)


def _cells(row: Row) -> tuple[object, ...]:
    numbers = (row.kernel, row.stride, row.padding, row.channels) if row.kernel else ("", "", "", "")
    after = f"{row.before[0]}×{row.before[1]} → {row.after[0]}×{row.after[1]}"
    seen = f"{row.receptive_field} px" if row.receptive_field else ""
    counts = (f"{row.multiply_adds:,}", f"{row.parameters:,}") if row.parameters else ("", "")
    kind = say(f"sizes.kind_{row.kind.replace(' ', '_')}")
    name = kind if row.name == row.kind else row.name
    return (name, kind, *numbers, after, say_made(row.formula), seen, *counts)
