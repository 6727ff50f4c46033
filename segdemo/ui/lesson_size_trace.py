"""The lesson on where the pixels go."""

import gradio as gr

from segdemo import catalog
from segdemo.lessons.size_trace import Row
from segdemo.ui import lesson_feature_maps, lesson_skip_shares
from segdemo.ui.i18n import say, say_made, static
from segdemo.ui.lesson_parts import AT_ONCE, guide, note, slider, table
from segdemo.ui.link import Place
from segdemo.ui.photo_input import photo_field
from segdemo.ui.service import trace_sizes
from segdemo.ui.views import network_label

_TEXT = static("sizes.text")
_HEADS = ("layer", "kind", "kernel", "stride", "padding", "channels", "size", "formula", "sees", "adds", "parameters")


def build() -> Place:
    """Lay the lesson out and wire it; gives what a link can set."""
    gr.Markdown(_TEXT)
    guide("sizes")
    with gr.Row(elem_classes="controls"):
        choices = [(network_label(entry), name) for name, entry in catalog.ENTRIES.items()]
        controls = [
            gr.Dropdown(
                choices, value="fcn8s_vgg16", label=static("page.network"), filterable=False, elem_id="st-network"
            ),
            gr.Number(333, label=static("sizes.height"), precision=0, min_width=90, elem_id="st-height"),
            gr.Number(500, label=static("sizes.width"), precision=0, min_width=90, elem_id="st-width"),
        ]
    rows = gr.HTML(_draw("fcn8s_vgg16", 333, 500), elem_id="st-table")
    for control in controls:
        control.change(_draw, controls, rows, **AT_ONCE)
    photo, examples = _lay_out_photo()
    return Place(controls[0], photo=photo, examples=examples)


def _lay_out_photo() -> tuple[gr.Image, gr.Examples]:
    gr.Markdown(static("sizes.photo_text"))
    choices = lesson_feature_maps.choices()
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photo, examples = photo_field("st", "alt.st-photo")
            size = catalog.find(choices[0][1]).metadata.analysis_size
            pixels = slider(32, 256, size, "lessons.seen_at", "st-pixels")
            network = gr.Dropdown(
                choices, value=choices[0][1], label=static("maps.network"), filterable=False, elem_id="fm-network"
            )
        with gr.Column(scale=8, min_width=300):
            lesson_skip_shares.build(photo, pixels)
    lesson_feature_maps.build(photo, pixels, network)
    return photo, examples


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
