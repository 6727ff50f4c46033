"""Several networks on one photo, side by side."""

import gradio as gr
import numpy as np

from segdemo import catalog, compare
from segdemo.images import read_mask
from segdemo.segmentation import Segmentation
from segdemo.ui import views
from segdemo.ui.i18n import both, plain, say, static
from segdemo.ui.inference import in_line, were_without_gpu
from segdemo.ui.link import Place
from segdemo.ui.network_list import network_choices
from segdemo.ui.photo_input import photo_field
from segdemo.ui.request_log import logged
from segdemo.ui.service import Comparison, compare_file
from segdemo.ui.templates import render

_FIRST = ("fcn8s_vgg16", "fcn32s_vgg16")
_DOWNLOAD_PROGRESS = gr.Progress(track_tqdm=True)


def build(opened: gr.Tab) -> Place:
    """Lay the tab out and wire it: when it is opened, the networks run; gives what a link can set."""
    with gr.Row(elem_classes="work"):
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photo, examples = photo_field("cmp-photo")
            networks = gr.CheckboxGroup(
                network_choices(), value=list(_FIRST), label=static("compare.networks"), elem_id="cmp-networks"
            )
            mask = gr.File(label=static("compare.mask"), height=120, elem_id="cmp-mask")
            problem = gr.HTML(elem_id="cmp-problem")
        with gr.Column(scale=8, min_width=300, elem_classes="results"):
            pair = gr.HTML(render("no_slide"), elem_id="cmp-pair")
            table = gr.HTML(elem_id="cmp-table")
            with gr.Row():
                gallery = gr.Gallery(
                    label=static("compare.all"),
                    columns=3,
                    height=260,
                    buttons=["download", "fullscreen"],
                    elem_id="cmp-gallery",
                )
                apart = gr.Image(
                    label=static("compare.disagree"),
                    format="png",
                    interactive=False,
                    height=260,
                    buttons=["download", "fullscreen"],
                    elem_id="cmp-apart",
                    alt_text=both("alt.apart"),
                )
    shown = gr.State()  # what was compared last: the photo's path, the networks, the mask's path
    gr.on(
        [opened.select, photo.change, networks.change, mask.change],
        _run,
        [photo, networks, mask, shown],
        [pair, gallery, apart, table, problem, shown],
        **in_line(),
        trigger_mode="always_last",
        show_progress_on=[pair],
        api_visibility="private",
    )
    return Place(networks, photo, examples)


def _run(
    path: str | None,
    names: list[str],
    mask: str | None,
    shown: tuple[object, ...] | None,
    progress: gr.Progress = _DOWNLOAD_PROGRESS,
) -> list[object]:
    """Compare, unless it is what the page shows already; on failure the results stay, marked as those of before."""
    wanted = (path, *names, mask)
    if wanted == shown:
        return [gr.skip()] * 6
    try:
        if path is None:
            raise gr.Error(plain("compare.no_photo"))
        with logged(names):
            found = compare_file(path, names)
            table = _table(found, read_mask(mask) if mask else None)
    except gr.Error as error:
        return [*[gr.skip()] * 4, views.problem(error.message, stale=True), None]
    overlays = list(zip(found.overlays, _titles(found.segmentations), strict=True))
    return [views.slide(*overlays[:2]), overlays, found.disagreement, table, "", wanted]


def _titles(segmentations: list[Segmentation]) -> list[str]:
    """Name the networks, with their groups only where that tells them apart."""
    entries = [catalog.find(each.network) for each in segmentations]
    titles = [entry.title for entry in entries]
    return titles if len(set(titles)) == len(titles) else [views.network_label(entry) for entry in entries]


def _table(found: Comparison, truth: np.ndarray | None) -> str:
    """Tabulate legend, agreement and times, and IoU where there is a true mask of the photo's size."""
    segmentations, size = found.segmentations, found.disagreement.size
    rows: list[list[str]] = []
    for each in segmentations:
        cells = [views.network_label(catalog.find(each.network)), _time(each, segmentations)]
        if truth is not None:
            by_class = compare.iou_by_class(each, truth)
            listed = ", ".join(f"{name} {iou:.2f}" for name, iou in by_class.items() if iou is not None)
            cells += [f"{compare.mean_iou(by_class):.3f}", listed]
        rows.append(cells)
    pairs = compare.pairwise_agreement(segmentations, size)
    return render(
        "comparison",
        legend=views.legend(*segmentations),
        share=compare.agreement(segmentations, size),
        several=len({each.classes for each in segmentations}) > 1,
        pairs=[(*map(views.network_label, map(catalog.find, names)), share) for names, share in pairs.items()],
        unscored=[] if truth is None else _left_out(segmentations, truth),
        heads=["network", "time", *(["mean_iou", "iou"] if truth is not None else [])],
        rows=rows,
        without_gpu=were_without_gpu(segmentations),
    )


def _left_out(segmentations: list[Segmentation], truth: np.ndarray) -> list[tuple[int, float]]:
    """Give the values of a true mask that the scores leave out, and how much of the mask has them."""
    shares = {compare.ignored_value(each): compare.left_out(each, truth) for each in segmentations}
    return [(value, share) for value, share in shares.items() if share]


def _time(segmentation: Segmentation, segmentations: list[Segmentation]) -> str:
    """Say how long a network took; those of one checkpoint share a pass and bear its time, to the last digit."""
    same = [each for each in segmentations if each.milliseconds == segmentation.milliseconds]
    key = "compare.time_shared" if len(same) > 1 else "compare.time"
    return say(key, milliseconds=sum(segmentation.milliseconds.values()), count=len(same))
