"""The part of the size lesson that takes FCN-8s's scores apart."""

from typing import Any

import gradio as gr
from PIL import Image

from segdemo import catalog, render
from segdemo.analysis import Style
from segdemo.devices import device_lock, prefers_bfloat16
from segdemo.lessons.skip_shares import SOURCES, Decomposition, decompose
from segdemo.models.fcn import FCN
from segdemo.ui.events import IN_TURN
from segdemo.ui.gradio_compat import shown_file
from segdemo.ui.i18n import say, static
from segdemo.ui.lesson_parts import as_seen, lesson_network, note, picture, read_photo, table

_NETWORK = "fcn8s_vgg16"
_STRIDES = (32, 16, 8)
_SHOWN = 320  # pixels, the longer side of a picture


def build(photo: gr.Image, pixels: gr.Slider) -> None:
    """Lay the part out and wire it; the network sees the photo with a longer side of so many pixels."""
    gr.Markdown(static("skips.text"))
    first = _draw(shown_file(photo), pixels.value)
    outputs = [gr.HTML(first[0], elem_id="ss-table")]
    pictures = iter(first[1:])
    with gr.Row():
        for stride in _STRIDES:
            name, network = f"ss-fcn{stride}s", f"FCN-{stride}s"
            outputs.append(picture(next(pictures), "skips.map", name, 200, form="jpeg", network=network))
    with gr.Row():
        for source in SOURCES:
            outputs.append(picture(next(pictures), "skips.part", f"ss-{source}", 200, source=source))
        outputs.append(picture(next(pictures), "skips.sum", "ss-sum", 200))
    gr.on([photo.change, pixels.release], _draw, [photo, pixels], outputs, **IN_TURN)


def _draw(path: str | None, pixels: float) -> list[Any]:
    if path is None:
        return [gr.skip()] * (2 + len(_STRIDES) + len(SOURCES))
    image = read_photo(path)
    seen = as_seen(image, _NETWORK, int(pixels))
    with device_lock("cpu"):
        found = decompose(lesson_network(_NETWORK, FCN), seen, prefers_bfloat16(seen.device))
    index = found.main_class()
    small = image.resize((seen.shape[2], seen.shape[1]), Image.Resampling.BILINEAR)
    colours = catalog.find(_NETWORK).metadata.colours
    overlays = [
        render.overlay(small, found.outputs[stride].argmax(0).byte().numpy(), colours, Style.opacity)
        for stride in _STRIDES
    ]
    scores = [*(part[index] for part in found.parts.values()), found.outputs[8][index]]
    limit = float(max(values.abs().max() for values in scores))
    parts = [render.score_grid(values.numpy(), limit, _SHOWN) for values in scores]
    return [_describe(found, index, limit), *(render.enlarge(overlay, _SHOWN) for overlay in overlays), *parts]


def _describe(found: Decomposition, index: int, limit: float) -> str:
    name = catalog.find(_NETWORK).metadata.classes[index]
    every, one, constants = found.shares(), found.shares(index), found.constants()
    rows = [
        (
            source,
            "×".join(map(str, reversed(found.grids[source]))),
            f"{every[source]:.1%}",
            f"{one[source]:.1%}",
            f"{float(constants[source][index]):+.2f}",
        )
        for source in SOURCES
    ]
    heads = [say(f"skips.head_{head}", class_name=name) for head in ("part", "cells", "every", "share", "mean")]
    sentence = say(
        "skips.found",
        class_name=name,
        difference=found.largest_difference,
        by_pool4=found.changed(16, 32),
        by_pool3=found.changed(8, 16),
    )
    return table(heads, rows, plain_cells=False) + note(sentence) + note(say("skips.scale", limit=limit), role=None)
