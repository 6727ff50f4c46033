"""What the lessons' pages have in common."""

import base64
import io
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
from segdemo.ui.bounded_slider import BoundedSlider
from segdemo.ui.i18n import LANGUAGES, Both, both, in_language, plain_made, say, static
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
    """Place a picture that can be saved, with its caption above it.

    Args:
        value: What it shows at first.
        caption: Key of one line.
        name: The element's id.
        height: Pixels; None takes what the picture needs.
        form: Of the file: `png` or `jpeg`.
        smooth: Whether it is a photo, or lies over one; else its cells are drawn with sharp edges.
        alternative: Key of the text alternative, where that is not the caption.
        **values: Of the caption's placeholders.
    """
    with gr.Column(min_width=200 if smooth else 150):
        gr.HTML(render_template("caption", text=say(caption, **values)))
        return gr.Image(
            value,
            show_label=False,
            type="pil",
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
    """Write a sentence on what is shown.

    Args:
        text: Escaped where it is no HTML.
        role: `status`, `alert`, or None for what stays as it is.
    """
    return render_template("note", text=text, role=role)


def checks(items: Iterable[object], numbered: bool = False) -> Markup:
    """Write sentences as a list."""
    return render_template("checks", items=items, numbered=numbered)


def chart(svg: str, caption: str, name: str) -> Markup:
    """Write a chart with its caption and a link that saves it.

    Args:
        svg: From `segdemo.charts`.
        caption: One line.
        name: Of the file to save, without its ending.
    """
    file = charts.standalone(svg)
    saved = {each: base64.b64encode(in_language(file, each).encode()).decode() for each in LANGUAGES}
    source = Both.of({each: f"data:image/svg+xml;base64,{data}" for each, data in saved.items()})
    return render_template("chart", svg=Markup(svg), caption=caption, name=name, source=source)


def chart_row(each: Iterable[Markup]) -> Markup:
    """Put charts side by side."""
    return render_template("charts", charts=each)


def table(heads: Iterable[object], rows: Iterable[Sequence[object]], plain_cells: bool = True) -> Markup:
    """Write a table that scrolls by itself where it is too wide; the first cell of a row is its head.

    Args:
        heads: Of the columns.
        rows: As many cells as there are heads; what is no HTML is escaped.
        plain_cells: Whether all cells but the first are set alike.
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
    """Write a small picture as HTML: its caption is its text alternative too, and a click saves it.

    Args:
        image: Written as PNG into the page itself.
        caption: One short line.
        file_name: Under which it is saved, with `.png`.
    """
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=6)
    source = f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
    return render_template("figure", source=source, caption=caption, name=file_name)


def figure_row(heading: object, figures: Iterable[Markup]) -> Markup:
    """Put figures side by side below a heading."""
    return render_template("figures", heading=heading, figures=figures)
