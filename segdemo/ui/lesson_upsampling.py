"""The part of the transposed-conv lesson that upsamples a visitor's photo in four ways."""

from typing import Any

import gradio as gr

from segdemo import catalog, render
from segdemo.devices import device_lock
from segdemo.lessons import upsampling
from segdemo.lessons.upsampling import WAYS
from segdemo.models.fcn import FCN
from segdemo.ui.events import IN_TURN
from segdemo.ui.gradio_compat import shown_file
from segdemo.ui.i18n import say, static
from segdemo.ui.lesson_parts import as_seen, lesson_network, note, picture, read_photo, table
from segdemo.ui.link import Place
from segdemo.ui.photo_input import photo_field

_NETWORK = "fcn8s_vgg16"
_SHOWN = 320  # pixels, the longer side of a picture


def build() -> Place:
    """Lay the part out and wire it; gives what a link can set."""
    gr.Markdown(static("upsampling.text"))
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photo, examples = photo_field("up-photo")
        with gr.Column(scale=8, min_width=300):
            first = _draw(shown_file(photo))
            answer = gr.HTML(first[0], elem_id="up-table")
            with gr.Row():
                pictures = [
                    picture(value, f"upsampling.{way}", f"up-{way}", 200)
                    for way, value in zip(WAYS, first[1:], strict=True)
                ]
    photo.change(_draw, photo, [answer, *pictures], **IN_TURN)
    return Place(photo=photo, examples=examples)


def _draw(path: str | None) -> list[Any]:
    if path is None:
        return [gr.skip()] * (1 + len(WAYS))
    metadata = catalog.find(_NETWORK).metadata
    image = as_seen(read_photo(path), _NETWORK, metadata.analysis_size)
    with device_lock("cpu"):
        found = upsampling.compare(lesson_network(_NETWORK, FCN), image)
    counts = found["learned"].scores.argmax(0).flatten().bincount(minlength=len(metadata.classes))
    index = 1 + int(counts[1:].argmax())
    limit = float(found["learned"].scores[index].abs().max())
    rows = [[say(f"upsampling.{way}"), f"{each.plaid:.0%}", f"{each.changed:.1%}"] for way, each in found.items()]
    heads = [say(f"upsampling.head_{head}") for head in ("way", "plaid", "changed")]
    sentence = say("upsampling.scale", class_name=metadata.classes[index], limit=limit)
    pictures = [render.score_grid(each.scores[index].numpy(), limit, _SHOWN) for each in found.values()]
    return [table(heads, rows) + note(sentence), *pictures]
