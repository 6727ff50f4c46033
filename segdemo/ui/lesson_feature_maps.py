"""The part of the size lesson that shows a photo's feature maps."""

import gradio as gr

from segdemo import catalog, render
from segdemo.devices import device_lock
from segdemo.lessons.feature_maps import Stage, stages
from segdemo.ui.gradio_compat import shown_file
from segdemo.ui.i18n import static
from segdemo.ui.lesson_parts import IN_TURN, as_seen, figure, figure_row, lesson_network, read_photo

_STRONGEST = 5
_TEXT = static("maps.text")


def build(photo: gr.Image, pixels: gr.Slider, network: gr.Dropdown) -> None:
    """Lay the part out and wire it.

    Args:
        photo: The visitor's.
        pixels: The longer side at which the network sees it.
        network: Of those that come with the program.
    """
    gr.Markdown(_TEXT)
    maps = gr.HTML(_draw(shown_file(photo), pixels.value, network.value), elem_id="fm-maps", elem_classes="maps")
    for changed in (photo.change, pixels.release, network.change):
        changed(_draw, [photo, pixels, network], maps, **IN_TURN)


def choices() -> list[tuple[str, str]]:
    """Give titles and names of the networks on offer: of those that share a checkpoint, and so their maps, one."""
    first = {entry.file: entry for entry in reversed(catalog.BUNDLED.values())}
    return [(entry.label, entry.name) for entry in catalog.BUNDLED.values() if first[entry.file] is entry]


def _draw(path: str | None, pixels: float, network: str) -> object:
    if path is None:
        return gr.skip()
    image = as_seen(read_photo(path), network, int(pixels))
    with device_lock("cpu"):
        found = stages(lesson_network(network), image)
    rows = [_row(number, stage) for number, stage in enumerate(found, 1)]
    title = catalog.find(network).title
    return (
        f"<p class='formula' role='status'>{title}: the photo is seen at {image.shape[2]}×{image.shape[1]} pixels and "
        f"passes through {len(found)} sizes of maps.</p>{''.join(rows)}"
    )


def _row(number: int, stage: Stage) -> str:
    channels, height, width = stage.maps.shape
    silent = f", {stage.silent} of them silent" if stage.silent else ""
    heading = (
        f"{number}. {channels} channels{silent}; {width}×{height} cells of {stage.stride}×{stage.stride} pixels "
        f"(behind {stage.layer})"
    )
    shown = [("mean", stage.mean), *((f"channel {index}", stage.maps[index]) for index in stage.strongest(_STRONGEST))]
    return figure_row(
        heading,
        (
            figure(
                render.feature_map(values.numpy()),
                f"{name}, up to {float(values.max()):.2f}",
                f"stage{number}_{name.replace(' ', '')}.png",
            )
            for name, values in shown
        ),
    )
