"""The parts of the pooling lesson that show a photo: pooled to m×m, and classified at three sizes."""

from functools import lru_cache
from typing import Any

import gradio as gr
import numpy as np
import torch
from markupsafe import Markup
from PIL import Image

from segdemo import catalog, render
from segdemo.devices import device_lock
from segdemo.lessons.adaptive_pooling import pool_map
from segdemo.lessons.input_sizes import SizeResult, classify_sizes, feature_maps
from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.seeing import fit
from segdemo.ui.events import AT_ONCE, IN_TURN
from segdemo.ui.gradio_compat import shown_file
from segdemo.ui.i18n import say, static
from segdemo.ui.lesson_parts import as_seen, lesson_network, note, picture, read_photo, table
from segdemo.ui.link import Place
from segdemo.ui.photo_input import photo_field

SIZES = (96, 160, 224)  # pixels, the longer side
_CELLS = 192  # a side, of the grey photo that is pooled
_SHOWN = 320  # pixels
_NETWORK = "conv1x1_resnet18"


def build(m: gr.Slider, mode: gr.Radio) -> Place:
    """Lay the parts out and wire them, with the lesson's number of output cells and mode; gives what a link can set."""
    gr.Markdown(static("pooled.text"))
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photo, examples = photo_field("ap-photo")
        with gr.Column(scale=8, min_width=300):
            grey = _grey(shown_file(photo))
            first = _pool(shown_file(photo), m.value, mode.value)
            said = gr.HTML(first[0], elem_id="ap-map")
            with gr.Row():
                before = picture(render.enlarge(grey, _SHOWN), "pooled.grey", "ap-grey", 220)
                after = picture(first[1], "pooled.cells", "ap-cells", 220)
    photo.change(_take, [photo, m, mode], [before, said, after], **AT_ONCE)
    gr.on([m.change, mode.change], _pool, [photo, m, mode], [said, after], **AT_ONCE)
    _lay_out_sizes(photo)
    return Place(photo=photo, examples=examples)


def _lay_out_sizes(photo: gr.Image) -> None:
    gr.Markdown(static("pooled.sizes_text"))
    choices = [(f"{size} px", size) for size in SIZES]
    made_for = gr.Radio(choices, value=SIZES[-1], label=static("pooled.made_for"), elem_id="ap-made-for")
    found = gr.HTML(_classify(shown_file(photo), SIZES[-1]), elem_id="ap-sizes")
    gr.on([photo.change, made_for.change], _classify, [photo, made_for], found, **IN_TURN)


@lru_cache(maxsize=64)  # the controls move, the photos stay; each is a few kilobytes
def _grey(path: str) -> Image.Image:
    image = read_photo(path)
    return image.resize(fit(image.size, _CELLS), Image.Resampling.BILINEAR, reducing_gap=2.0).convert("L")


def _take(path: str | None, m: float, mode: str) -> list[object]:
    if path is None:
        return [gr.skip()] * 3
    return [render.enlarge(_grey(path), _SHOWN), *_pool(path, m, mode)]


def _pool(path: str | None, m: float, mode: str) -> list[Any]:
    if path is None:
        return [gr.skip()] * 2
    grey, cells = _grey(path), int(m)
    values = torch.from_numpy(np.asarray(grey, np.float32))[None]
    pooled = pool_map(values, (cells, cells), mode)[0]
    small = Image.fromarray(pooled.round().byte().numpy())
    size, row = f"{grey.width}×{grey.height}", ", ".join(f"{value:.0f}" for value in pooled[0].tolist())
    sentence = say("pooled.first_row", size=size, cells=f"{cells}×{cells}", mode=say(f"pooling.{mode}"), row=row)
    return [note(sentence), render.enlarge(small, _SHOWN)]


@lru_cache(maxsize=8)  # the choice of a size moves, the photo stays
def _seen(path: str) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    image = read_photo(path)
    images = [as_seen(image, _NETWORK, size) for size in SIZES]
    with device_lock("cpu"):
        return images, feature_maps(lesson_network(_NETWORK, Conv1x1Segmenter), images)


def _classify(path: str | None, made_for: int) -> object:
    if path is None:
        return gr.skip()
    found = classify_sizes(lesson_network(_NETWORK, Conv1x1Segmenter), *_seen(path), SIZES.index(made_for))
    entry = catalog.find(_NETWORK)
    fitting = sum(not each.error for each in found)
    sentence = say("pooled.fits", network=entry.title, fitting=fitting, count=len(found))
    heads = [say(f"pooled.head_{head}") for head in ("seen", "map", "pooled", "logits", "probabilities", "fixed")]
    rows = [_row(each, entry.metadata.classes) for each in found]
    return note(sentence) + table(heads, rows, plain_cells=False)


def _row(found: SizeResult, classes: tuple[str, ...]) -> tuple[object, ...]:
    def listed(values: torch.Tensor, form: str) -> Markup:
        lines = (f"{name} {value:{form}}" for name, value in zip(classes, values.tolist(), strict=True))
        return Markup("<br>").join(lines)

    fixed = Markup("<code>{}</code>").format(found.error) if found.fixed is None else listed(found.fixed, ".3f")
    return (
        f"{found.image[1]}×{found.image[0]} px",
        "×".join(map(str, found.features)),
        found.pooled,
        listed(found.logits, ".3f"),
        listed(found.probabilities, ".1%"),
        fixed,
    )
