"""What the lessons' pages have in common."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import gradio as gr
from markupsafe import Markup
from PIL import Image
from torch import Tensor

from segdemo import catalog, charts, render
from segdemo.devices import channels_last
from segdemo.images import ImageError, read_reduced
from segdemo.models import SegmentationNetwork
from segdemo.seeing import fit, normalised
from segdemo.ui import files
from segdemo.ui.bounded_slider import BoundedSlider
from segdemo.ui.i18n import both, plain_made, say, static, svg_address
from segdemo.ui.templates import render as render_template

_Network = TypeVar("_Network", bound=SegmentationNetwork)


def picture(
    value: Image.Image | None,
    caption: str,
    name: str,
    height: int | None = None,
    *,
    form: str = "png",
    smooth: bool = False,
    alternative: str = "",
    **values: object,
) -> gr.Image:
    """Place a picture that can be saved, with its caption of one line above it, whose key and values are given.

    A smooth one is a photo, or lies over one; the cells of others are drawn with sharp edges. The text alternative is
    the caption where it has no key of its own. The height is in pixels; None takes what the picture needs.
    """
    with gr.Column(min_width=200 if smooth else 150):
        gr.HTML(render_template("caption", text=say(caption, **values)))
        return gr.Image(
            value,
            show_label=False,
            format=form,
            interactive=False,
            buttons=["download"] if smooth else ["download", "fullscreen"],
            height=height,
            elem_id=name,
            elem_classes="lesson-photo" if smooth else "lesson-picture",
            alt_text=both(alternative or caption, **values),
        )


def guide(lesson: str) -> gr.Markdown:
    """Place what to try in a lesson, what to watch, and why it happens."""
    return gr.Markdown(static(f"{lesson}.guide"), elem_classes="guide")


def slider(low: int, high: int, value: int, label: str, name: str) -> gr.Slider:
    """Place a slider over whole numbers; `label` is the key of its text."""
    return BoundedSlider(low, high, value, step=1, label=static(label), buttons=[], min_width=130, elem_id=name)


def note(text: object, role: str | None = "status") -> Markup:
    """Write a sentence on what is shown, escaped where it is no HTML; what stays as it is has no role."""
    return render_template("note", text=text, role=role)


def checks(items: Iterable[object], numbered: bool = False) -> Markup:
    """Write sentences as a list."""
    return render_template("checks", items=items, numbered=numbered)


def chart(svg: str, caption: str, name: str) -> Markup:
    """Write a chart with its caption of one line and a link that saves it under a name, given without its ending."""
    source = svg_address(charts.standalone(svg))
    return render_template("chart", svg=Markup(svg), caption=caption, name=name, source=source)


def table(heads: Iterable[object], rows: Iterable[Sequence[object]], plain_cells: bool = True) -> Markup:
    """Write a table that scrolls by itself where it is too wide; what is no HTML is escaped.

    The first cell of a row is its head; the second is set like it where not all are plain cells.
    """
    return render_template("table", heads=heads, rows=rows, plain_cells=plain_cells)


def torch_code(lines: str) -> gr.Code:
    """End a lesson with the lines of torch that give its numbers, to copy."""
    return gr.Code(lines, language="python", label=static("lessons.torch_code"), interactive=False, wrap_lines=True)


def lesson_network(name: str, kind: type[_Network]) -> _Network:
    """Load a network of a kind once for all visitors, on the CPU and as its checkpoint has it; to be run in turn."""
    network = _loaded(name)
    assert isinstance(network, kind), f"{name} is of another kind"
    return network


@cache
def _loaded(name: str) -> SegmentationNetwork:
    return channels_last(catalog.find(name).load())


def read_photo(path: str | Path) -> Image.Image:
    """Read as much of an uploaded photo as a lesson shows.

    Raises:
        gr.Error: It cannot be read; the message says why.
    """
    try:
        return read_reduced(path, render.SCREEN)[0]
    except ImageError as error:
        raise gr.Error(plain_made(error), print_exception=False) from error


def as_seen(image: Image.Image, network: str, longer_side: int) -> Tensor:
    """Make of a photo what a network sees: float32 `[3, H, W]`, the longer side so many pixels."""
    return normalised(image, fit(image.size, longer_side), catalog.find(network).metadata)


def figure(image: Image.Image, caption: str, file_name: str) -> Markup:
    """Write a small picture as HTML: its caption is its text alternative too, and a click saves it as PNG."""
    source = files.data_url(image, "png", compress_level=6)
    return render_template("figure", source=source, caption=caption, name=file_name)


def figure_row(heading: object, figures: Iterable[Markup]) -> Markup:
    """Put figures side by side below a heading."""
    return render_template("figures", heading=heading, figures=figures)
