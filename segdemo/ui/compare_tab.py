"""Several networks on one photo, side by side."""

from dataclasses import dataclass
from html import escape

import gradio as gr
import numpy as np
from PIL import Image

from segdemo import catalog, compare, render
from segdemo.images import read_mask
from segdemo.segmentation import Segmentation
from segdemo.ui.inference import compare_file, in_line
from segdemo.ui.link import Place
from segdemo.ui.photo_input import photo_field

_FIRST = ("fcn8s_vgg16", "fcn32s_vgg16")
_OPACITY = 0.6
_DOWNLOAD_PROGRESS = gr.Progress(track_tqdm=True)
_LONGER_SIDE = 640
_DISAGREE = ("#000000", "#d55e00")  # Okabe and Ito's vermilion: no class has it


@dataclass(frozen=True)
class Shown:
    """What the tab shows of a comparison.

    Attributes:
        pair: The overlays of the first two networks.
        overlays: One a network, with its title.
        apart: The photo with the pixels marked on which not all agree.
        table: HTML: agreement, times, and IoU where there is a true mask.
    """

    pair: tuple[Image.Image, Image.Image]
    overlays: list[tuple[Image.Image, str]]
    apart: Image.Image
    table: str


def show(photo: Image.Image, segmentations: list[Segmentation], truth: np.ndarray | None) -> Shown:
    """Draw a comparison.

    Args:
        photo: Upright RGB, of its own size or one that is enough to be shown.
        segmentations: Of the photo, two or more.
        truth: A true mask of the photo's size, or None.

    Raises:
        ValueError: The mask does not fit.
    """
    size = render.display_size(segmentations[0].image_size, _LONGER_SIDE)
    small = photo.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    overlays = [
        render.overlay(small, each.class_map(small.size), each.colours, _OPACITY, each.has_background)
        for each in segmentations
    ]
    titles = [catalog.find(each.network).title for each in segmentations]
    apart = compare.disagreement(segmentations, small.size).astype(np.uint8)
    return Shown(
        pair=(overlays[0], overlays[1]),
        overlays=list(zip(overlays, titles, strict=True)),
        apart=render.overlay(small, apart, _DISAGREE, 0.8),
        table=_table(segmentations, truth, small.size),
    )


def build() -> Place:
    """Lay the tab out and wire it; gives what a link can set."""
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photo, examples = photo_field("cmp", "The photo that the networks are compared on")
            choices = [(entry.title, name) for name, entry in catalog.ENTRIES.items()]
            networks = gr.CheckboxGroup(choices, value=list(_FIRST), label="Networks", elem_id="cmp-networks")
            mask = gr.File(label="True mask, an index PNG (optional)", height=90, elem_id="cmp-mask")
            button = gr.Button("Compare", variant="primary", elem_id="cmp-run")
        with gr.Column(scale=8, min_width=300):
            pair = gr.ImageSlider(
                label="The first two networks: drag the line",
                interactive=False,
                height=330,
                buttons=["download", "fullscreen"],
                elem_id="cmp-pair",
            )
            table = gr.HTML(elem_id="cmp-table")
            with gr.Row():
                gallery = gr.Gallery(
                    label="All of them",
                    columns=3,
                    height=260,
                    buttons=["download", "fullscreen"],
                    elem_id="cmp-gallery",
                )
                apart = gr.Image(
                    label="Where they disagree",
                    type="pil",
                    format="png",
                    interactive=False,
                    height=260,
                    buttons=["download", "fullscreen"],
                    elem_id="cmp-apart",
                    alt_text="The photo with the pixels marked on which the networks disagree",
                )
    button.click(
        _run,
        [photo, networks, mask],
        [pair, gallery, apart, table],
        **in_line(),
        api_visibility="private",
    )
    return Place(networks, photo, examples)


def _run(
    path: str | None,
    names: list[str],
    mask: str | None,
    progress: gr.Progress = _DOWNLOAD_PROGRESS,
) -> list[object]:
    if path is None:
        raise gr.Error("There is no photo to compare on.", print_exception=False)
    image, segmentations = compare_file(path, names, _LONGER_SIDE)
    try:
        shown = show(image, segmentations, read_mask(mask) if mask else None)
    except ValueError as error:  # as ImageError is
        raise gr.Error(str(error), print_exception=False) from error
    return [shown.pair, shown.overlays, shown.apart, shown.table]


def _table(segmentations: list[Segmentation], truth: np.ndarray | None, size: tuple[int, int]) -> str:
    head = ["network", "time", *(["mean IoU", "IoU by class"] if truth is not None else [])]
    rows = []
    for each in segmentations:
        cells = [catalog.find(each.network).title, f"{sum(each.milliseconds.values()):.0f} ms"]
        if truth is not None:
            by_class = compare.iou_by_class(each, truth)
            listed = ", ".join(f"{name} {iou:.2f}" for name, iou in by_class.items() if iou is not None)
            cells += [f"{compare.mean_iou(by_class):.3f}", listed]
        rows.append(cells)
    pairs = compare.pairwise_agreement(segmentations, size)
    agreed = "".join(
        f"<li>{escape(catalog.find(a).title)} and {escape(catalog.find(b).title)}: {share:.1%}</li>"
        for (a, b), share in pairs.items()
    )
    everything = compare.agreement(segmentations, size)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in rows)
    heads = "".join(f"<th scope='col'>{text}</th>" for text in head)
    return (
        f"<p class='formula' role='status'>All agree on <b>{everything:.1%}</b> of the photo.</p>"
        f"<ul class='checks'>{agreed}</ul>"
        f"<div class='wide'><table class='classes'><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )
