"""What the lessons' pages have in common."""

import base64
import io
from collections.abc import Iterable
from functools import cache
from html import escape
from typing import Any

import gradio as gr
import torch
from PIL import Image
from torch import Tensor

from segdemo import catalog, charts, render
from segdemo.images import ImageError, read_reduced
from segdemo.models import SegmentationNetwork
from segdemo.segmenter import fit, normalised
from segdemo.ui.bounded_slider import BoundedSlider
from segdemo.ui.i18n import plain, say, static
from segdemo.ui.templates import render as render_template

AT_ONCE: dict[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "trigger_mode": "always_last",
    "api_visibility": "private",
}
"""Settings of an event that only draws."""
IN_TURN: dict[str, Any] = {
    "concurrency_id": "lesson",
    "concurrency_limit": 1,
    "show_progress": "hidden",
    "trigger_mode": "always_last",
    "api_visibility": "private",
}
"""Settings of an event that runs a lesson's own copy of a network: one at a time, since some put hooks on it."""


def picture(value: Image.Image | None, caption: str, name: str, height: int, **values: object) -> gr.Image:
    """Place a picture that can be saved, with its caption above it.

    Args:
        value: What it shows at first.
        caption: Key of one line; it is the text alternative too.
        name: The element's id.
        height: Pixels.
        **values: Of the caption's placeholders.
    """
    with gr.Column(min_width=150):
        gr.HTML(render_template("caption", text=say(caption, **values)))
        return gr.Image(
            value,
            show_label=False,
            type="pil",
            format="png",
            interactive=False,
            buttons=["download", "fullscreen"],
            height=height,
            elem_id=name,
            elem_classes="lesson-picture",
            alt_text=plain(caption, **values),
        )


def guide(lesson: str) -> gr.Markdown:
    """Place what to try in a lesson, what to watch, and why it happens."""
    return gr.Markdown(static(f"{lesson}.guide"), elem_classes="guide")


def slider(low: int, high: int, value: int, label: str, name: str) -> gr.Slider:
    """Place a slider over whole numbers; `label` is the key of its text."""
    return BoundedSlider(low, high, value, step=1, label=static(label), buttons=[], min_width=130, elem_id=name)


def chart(svg: str, caption: str, name: str) -> str:
    """Write a chart with its caption and a link that saves it.

    Args:
        svg: From `segdemo.charts`.
        caption: One line.
        name: Of the file to save, without its ending.

    Returns:
        HTML, to stand among others of its kind in an element of the class `charts`.
    """
    file = base64.b64encode(charts.standalone(svg).encode()).decode()
    title = escape(caption)
    link = f"<a href='data:image/svg+xml;base64,{file}' download='{name}.svg' aria-label='Save: {title}'>save</a>"
    return f"<figure><figcaption class='caption'>{title}; {link}</figcaption>{svg}</figure>"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Write a table that scrolls by itself where it is too wide; the first cell of a row is its head.

    Args:
        heads: Of the columns.
        rows: Plain text, as many cells as there are heads.
    """
    head = "".join(f"<th scope='col'>{escape(text)}</th>" for text in heads)
    body = "".join(
        f"<tr><th scope='row'>{escape(first)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for first, *cells in rows
    )
    return (
        f"<div class='wide' tabindex='0'><table class='trace plain'><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def torch_code(lines: str) -> gr.Code:
    """End a lesson with the lines of torch that give its numbers, to copy."""
    return gr.Code(lines, language="python", label=static("lessons.torch_code"), interactive=False, wrap_lines=True)


@cache
def lesson_network(name: str) -> SegmentationNetwork:
    """Load a network once for all visitors, on the CPU and as its checkpoint has it; to be run in turn."""
    return catalog.find(name).load().to(memory_format=torch.channels_last)


def read_photo(path: str) -> Image.Image:
    """Read as much of an uploaded photo as a lesson shows.

    Raises:
        gr.Error: It cannot be read; the message says why.
    """
    try:
        return read_reduced(path, render.SCREEN)[0]
    except ImageError as error:
        raise gr.Error(str(error), print_exception=False) from error


def as_seen(image: Image.Image, network: str, longer_side: int) -> Tensor:
    """Make of a photo what a network sees: float32 `[3, H, W]`, the longer side so many pixels."""
    return normalised(image, fit(image.size, longer_side), catalog.find(network).metadata)


def figure(image: Image.Image, caption: str, file_name: str) -> str:
    """Write a small picture as HTML: its caption is its text alternative too, and a click saves it.

    Args:
        image: Written as PNG into the page itself.
        caption: One short line.
        file_name: Under which it is saved, with `.png`.
    """
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=6)
    source = f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
    title, name = escape(caption, quote=True), escape(file_name, quote=True)
    return (
        f"<figure><a href='{source}' download='{name}' title='Save: {title}'><img src='{source}' alt='{title}'></a>"
        f"<figcaption aria-hidden='true'>{title}</figcaption></figure>"
    )


def figure_row(heading: str, figures: Iterable[str]) -> str:
    """Put figures side by side below a heading."""
    return f"<section><h5>{escape(heading)}</h5><div class='figures-row'>{''.join(figures)}</div></section>"
