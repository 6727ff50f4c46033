"""The part of the size lesson that shows a photo's feature maps."""

import gradio as gr
import torch
from markupsafe import Markup

from segdemo import catalog, render
from segdemo.devices import device_lock, prefers_bfloat16
from segdemo.entries import Entry
from segdemo.lessons.feature_maps import Stage, stages
from segdemo.models import SegmentationNetwork
from segdemo.ui.events import IN_TURN
from segdemo.ui.gradio_compat import shown_file
from segdemo.ui.i18n import both, say, static
from segdemo.ui.lesson_parts import as_seen, figure, figure_row, lesson_network, note, read_photo

_STRONGEST = 5


def build(photo: gr.Image, pixels: gr.Slider, network: gr.Dropdown) -> None:
    """Lay the part out and wire it; the network sees the photo with a longer side of so many pixels."""
    gr.Markdown(static("maps.text"))
    maps = gr.HTML(_draw(shown_file(photo), pixels.value, network.value), elem_id="fm-maps", elem_classes="maps")
    gr.on([photo.change, pixels.release, network.change], _draw, [photo, pixels, network], maps, **IN_TURN)


def offered() -> list[Entry]:
    """Give the networks on offer: of those that share a checkpoint, and so their maps, one."""
    first = {entry.file: entry for entry in reversed(catalog.BUNDLED.values())}
    return [entry for entry in catalog.BUNDLED.values() if first[entry.file] is entry]


def _draw(path: str | None, pixels: float, network: str) -> object:
    if path is None:
        return gr.skip()
    image = as_seen(read_photo(path), network, int(pixels))
    with device_lock("cpu"), torch.autocast("cpu", torch.bfloat16, enabled=prefers_bfloat16(image.device)):
        found = stages(lesson_network(network, SegmentationNetwork), image)
    rows = [_row(number, stage) for number, stage in enumerate(found, 1)]
    title, size = catalog.find(network).title, f"{image.shape[2]}×{image.shape[1]}"
    return Markup("").join([note(say("maps.seen", network=title, size=size, count=len(found))), *rows])


def _row(number: int, stage: Stage) -> Markup:
    channels, height, width = stage.maps.shape
    heading = say(
        "maps.stage_with_silent" if stage.silent else "maps.stage",
        number=number,
        channels=channels,
        silent=stage.silent,
        cells=f"{width}×{height}",
        pixels=f"{stage.stride}×{stage.stride}",
        layer=stage.layer,
    )
    strongest = [("channel", index, stage.maps[index]) for index in stage.strongest(_STRONGEST)]
    return figure_row(
        heading,
        (
            figure(
                render.feature_map(values.numpy()),
                both(f"maps.{kind}", channel=index, highest=float(values.max())),
                f"stage{number}_{kind}{index}.png",
            )
            for kind, index, values in [("mean", "", stage.mean), *strongest]
        ),
    )
