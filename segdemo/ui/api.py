"""Named endpoints for programs."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import gradio as gr

from segdemo import catalog, render
from segdemo.analysis import Analysis, Style
from segdemo.compare import agreement, pairwise_agreement
from segdemo.lessons.adaptive_pooling import bins
from segdemo.lessons.transposed_conv import Setting
from segdemo.segmentation import AUTO, check_class
from segdemo.ui import files
from segdemo.ui.gradio_compat import publish
from segdemo.ui.inference import in_line
from segdemo.ui.photo_input import PhotoInput
from segdemo.ui.request_log import logged
from segdemo.ui.service import (
    DENSE_CLASSIFIER,
    compare_file,
    linear_and_conv,
    segment_file,
    segment_files,
    trace_sizes,
)

_MOST_CELLS = 4096


@contextmanager
def _refusals() -> Generator[None]:
    try:
        yield
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _needed(image: str | None) -> str:
    if image is None:
        raise gr.Error("There is no image in the request.", print_exception=False)
    return image


def segment(image: str | None, network: str, heat_class: str, analysis_size: float | None) -> tuple[object, ...]:
    """Segment one photo: say what class each pixel has.

    Args:
        image: The uploaded file.
        network: Its name, such as `fcn8s_vgg16` or `conv1x1_vgg11`; `python -m segdemo models` lists them.
        heat_class: The heatmap's class, or `auto` for the one that covers most, background aside.
        analysis_size: The longer side in pixels at which the network sees the photo; none or 0 takes its own.

    Returns:
        Overlay (JPEG), heatmap and index mask (palette PNG), each of the photo's size, and the facts as JSON.
    """
    path = _needed(image)
    with logged([network]):
        check_class(network, catalog.find(network).metadata.classes, heat_class)
        photo, segmentation = segment_file(path, Analysis(network, int(analysis_size) if analysis_size else None))
        index = segmentation.class_index(heat_class)
        class_map, opacity = segmentation.class_map(), Style.opacity
        folder = files.new_folder()
        pictures = {
            "overlay.jpg": render.overlay(photo, class_map, segmentation.colours, opacity, segmentation.has_background),
            "heatmap.png": render.heatmap(segmentation.heatmap(index)),
            "mask.png": render.index_mask(class_map, segmentation.colours),
        }
        paths = [files.write_picture(folder, name, picture) for name, picture in pictures.items()]
        return *paths, segmentation.facts()


def compare_networks(image: str | None, networks: str) -> tuple[object, ...]:
    """Compare networks on one photo.

    Args:
        image: The uploaded file.
        networks: Two names or more, separated by commas, such as `fcn8s_vgg16, fcn32s_vgg16`.

    Returns:
        The networks' overlays, the picture of where they disagree, and JSON: `agreement`, the share of the photo on
        which all agree, `pairs` (that of each two, by "a, b"), and `networks`, each one's facts.
    """
    path = _needed(image)
    names = [name.strip() for name in networks.split(",") if name.strip()]
    with logged(names):
        found = compare_file(path, names)
        segmentations, folder = found.segmentations, files.new_folder()
        overlays = [
            (files.write_picture(folder, f"{each.network}.png", overlay), each.network)
            for each, overlay in zip(segmentations, found.overlays, strict=True)
        ]
        pairs = pairwise_agreement(segmentations, segmentations[0].image_size)
        facts = {
            "agreement": agreement(segmentations),
            "pairs": {", ".join(names): share for names, share in pairs.items()},
            "networks": {each.network: each.facts() for each in segmentations},
        }
        return overlays, files.write_picture(folder, "disagreement.png", found.disagreement), facts


def batch(photos: list[str] | None, network: str) -> tuple[str, list[dict[str, object]]]:
    """Segment many photos at once and pack the results.

    Args:
        photos: The uploaded files.
        network: Its name, such as `fcn8s_vgg16` or `conv1x1_vgg11`; `python -m segdemo models` lists them.

    Returns:
        A zip with masks, overlays, heatmaps, facts and a table, and the table's rows as JSON; a photo that cannot be
        read has its `problem` there.
    """
    _, rows, archive = segment_files(photos or [], network)
    return archive, rows


def fc_as_conv(image: str | None) -> dict[str, object]:
    """Compare a Linear layer with the 1×1 conv that it became, on a photo.

    Args:
        image: The uploaded file.

    Returns:
        `max_abs_difference` between the mean of the conv's scores and the Linear layer's logits, the `logits` by class,
        and the `score_size` (width, height).
    """
    path = _needed(image)
    with logged([DENSE_CLASSIFIER]):
        _, _, found = linear_and_conv(path)
    classes = catalog.find(DENSE_CLASSIFIER).metadata.classes
    return {
        "max_abs_difference": max(found.mean_difference, found.pooled_difference),
        "logits": dict(zip(classes, found.logits.tolist(), strict=True)),
        "score_size": [found.features[2], found.features[1]],
    }


def transposed_conv(
    input_size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> dict[str, object]:
    """Give the size of a transposed conv's output.

    Args:
        input_size: Cells a side of the input.
        kernel: Cells a side of the kernel.
        stride: Cells from one print of the kernel to the next.
        padding: Cells cut off all round.
        output_padding: Cells added at the right and bottom.

    Returns:
        `size`, cells a side of the output, and the `formula` with the numbers filled in.
    """
    with _refusals():
        setting = Setting(input_size, kernel, stride, padding, output_padding)
    return {"size": setting.size, "formula": setting.formula}


def adaptive_pooling(input_size: int, output_size: int) -> dict[str, object]:
    """Give the bins of adaptive pooling.

    Args:
        input_size: Cells that go in, at most 4,096.
        output_size: Cells that come out, at most 4,096.

    Returns:
        `bins`, pairs of start and end (not included).
    """
    with _refusals():
        if max(input_size, output_size) > _MOST_CELLS:
            raise ValueError(f"At most {_MOST_CELLS:,} cells.")
        return {"bins": bins(input_size, output_size)}


def size_trace(network: str, height: int, width: int) -> list[dict[str, object]]:
    """Follow an image through a network.

    Args:
        network: Its name, such as `fcn8s_vgg16` or `conv1x1_vgg11`; `python -m segdemo models` lists them.
        height: Of the image, pixels.
        width: Of the image, pixels.

    Returns:
        A row for each step: `name`, `kind`, `kernel`, `stride`, `padding`, `channels`, `before` and `after` (height and
        width), `formula`, `receptive_field`, `multiply_adds`, `parameters`.
    """
    with _refusals():
        return [row.as_dict() for row in trace_sizes(network, height, width)]


def add_endpoints() -> None:
    """Publish the endpoints; their components are never shown."""
    publish(transposed_conv, "size", api_name="transposed_conv", queue=False)
    publish(size_trace, "steps", api_name="size_trace", queue=False)
    publish(adaptive_pooling, "bins", api_name="adaptive_pooling", queue=False)
    with gr.Column(visible=False):
        _add(
            "batch",
            batch,
            [gr.File(file_count="multiple", label="photos"), gr.Textbox("fcn8s_vgg16", label="network")],
            [gr.File(label="zip"), gr.JSON(label="table")],
        )
        overlays, apart = gr.Gallery(label="overlays", format="png"), gr.Image(label="disagreement", format="png")
        _add(
            "compare",
            compare_networks,
            [PhotoInput(label="image"), gr.Textbox("fcn8s_vgg16, fcn32s_vgg16", label="networks")],
            [overlays, apart, gr.JSON(label="facts")],
        )
        _add("fc_as_conv", fc_as_conv, [PhotoInput(label="image")], [gr.JSON(label="comparison")])
        inputs = [
            PhotoInput(label="image"),
            gr.Textbox("fcn8s_vgg16", label="network"),
            gr.Textbox(AUTO, label="class"),
            gr.Number(None, label="analysis_size", precision=0),
        ]
        pictures = [gr.Image(label=name, format="png") for name in ("overlay", "heatmap", "mask")]
        _add("segment", segment, inputs, [*pictures, gr.JSON(label="facts")])


def _add(
    name: str, function: Callable[..., object], inputs: Sequence[gr.Component], outputs: Sequence[gr.Component]
) -> None:
    gr.Button(name).click(function, inputs, outputs, api_name=name, **in_line())
