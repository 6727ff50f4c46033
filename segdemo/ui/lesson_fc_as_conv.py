"""The lesson on how a Linear layer becomes a 1×1 conv."""

from typing import Any

import gradio as gr
import torch
from markupsafe import Markup
from torch import Tensor

from segdemo import catalog, render
from segdemo.devices import device_lock
from segdemo.lessons import fc_as_conv as lesson
from segdemo.models.classifier import Conv1x1Segmenter
from segdemo.models.network import pad_to_multiple
from segdemo.ui.events import AT_ONCE, IN_TURN
from segdemo.ui.gradio_compat import shown_file
from segdemo.ui.i18n import plain, say, static
from segdemo.ui.lesson_parts import checks, guide, lesson_network, note, picture, slider
from segdemo.ui.link import Place
from segdemo.ui.photo_input import photo_field
from segdemo.ui.service import DENSE_CLASSIFIER, linear_and_conv

_CROP = 64  # pixels
_SHOWS = {"lion.jpg": "cat", "cheetah1.jpg": "cat", "tower.jpg": "background"}  # the examples, and what is on them
_SLIDING = ("fc.dense", "fc.crops", "fc.difference")


def build() -> Place:
    """Lay the lesson out and wire it; gives what a link can set."""
    gr.Markdown(static("fc.text"))
    guide("fc")
    size = catalog.find(DENSE_CLASSIFIER).metadata.analysis_size
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photo, examples = photo_field("fc-photo", first=gr.get_image(first_example()))
            pixels = slider(64, 320, size, "lessons.seen_at", "fc-size")
            forget = gr.Checkbox(False, label=static("fc.forget"), elem_id="fc-forget")
            button = gr.Button(static("fc.slide"), size="sm", elem_id="fc-slide")
        with gr.Column(scale=8, min_width=300):
            outputs = _lay_out_results(_draw(shown_file(photo), size, False))
            slid = gr.HTML(elem_id="fc-slid")
            with gr.Row(visible=False) as row:
                maps = [picture(None, text, f"fc-map-{i}", 180) for i, text in enumerate(_SLIDING)]
    gr.on([photo.change, pixels.release, forget.input], _draw, [photo, pixels, forget], outputs, **IN_TURN)
    # The maps that were slid are those of one photo at one size.
    gr.on([photo.change, pixels.change], lambda: ["", gr.Row(visible=False)], None, [slid, row], **AT_ONCE)
    with_progress: dict[str, Any] = {**IN_TURN, "show_progress": "full"}
    button.click(_slide, [photo, pixels], [slid, row, *maps], **with_progress)
    return Place(photo=photo, examples=examples)


def first_example() -> str:
    """Name an example on which the classifier is right; the first of all where it is right on none."""
    for name, shown in _SHOWS.items():
        *_, found = linear_and_conv(gr.get_image(name))
        if _classes()[int(found.logits.argmax())] == shown:
            return name
    return next(iter(_SHOWS))


def _network() -> Conv1x1Segmenter:
    return lesson_network(DENSE_CLASSIFIER, Conv1x1Segmenter)


def _classes() -> tuple[str, ...]:
    return catalog.find(DENSE_CLASSIFIER).metadata.classes


def _lay_out_results(first: list[Any]) -> list[gr.Component]:
    """Place what `_draw` gives, in its order."""
    steps = gr.HTML(first[0], elem_id="fc-steps")
    with gr.Row():
        scores = [
            picture(value, "fc.scores", f"fc-{name}", 200, class_name=name)
            for name, value in zip(_classes(), first[1:-1], strict=True)
        ]
    return [steps, *scores, gr.HTML(first[-1], elem_id="fc-note")]


def _draw(path: str | None, size: float, forget: bool) -> list[Any]:
    if path is None:
        return [gr.skip()] * (len(_classes()) + 2)
    seen, features, found = linear_and_conv(path, int(size))
    shown = lesson.compare(lesson.without_bias(_network()), features) if forget else found
    limit = float(found.score_map.abs().max())
    grids = [render.score_grid(scores.numpy(), limit, 480, 9) for scores in shown.score_map]
    return [_steps(found, seen, shown), *grids, _note(found, shown, forget)]


def _steps(found: lesson.Comparison, seen: Tensor, shown: lesson.Comparison) -> Markup:
    network, classes = _network(), _classes()
    weight = tuple(network.score.weight.shape)
    logits = ", ".join(f"{name} {value:.3f}" for name, value in zip(classes, found.logits.tolist(), strict=True))
    means, (channels, height, width) = shown.score_map.mean((1, 2)), found.features
    averages = ", ".join(f"{name} {value:.3f}" for name, value in zip(classes, means.tolist(), strict=True))
    other = torch.nn.functional.pad(seen, (0, network.stride, 0, 0))
    error = lesson.flattening_classifier_error(network, found.features, other)
    answer = int(found.logits.argmax())
    sentences = (
        say("fc.step_map", size=f"{seen.shape[2]}×{seen.shape[1]}", channels=channels, cells=f"{height}×{width}"),
        say(
            "fc.step_linear",
            channels=channels,
            rows=weight[0],
            columns=weight[1],
            logits=logits,
            class_name=classes[answer],
            share=float(found.logits.softmax(0)[answer]),
        ),
        say("fc.step_pooled", shape=list(weight), difference=found.pooled_difference),
        say("fc.step_mean", averages=averages, difference=float((means - found.logits).abs().max())),
        say("fc.step_flat", stride=network.stride, error=error, cells=f"{height}×{width + 1}"),
    )
    return checks(sentences, numbered=True)


def _note(found: lesson.Comparison, shown: lesson.Comparison, forget: bool) -> Markup:
    if not forget:
        return note(say("fc.with_bias"), role=None)
    shifts = (shown.score_map - found.score_map).mean((1, 2)).tolist()
    text = ", ".join(f"{name} {shift:+.3f}" for name, shift in zip(_classes(), shifts, strict=True))
    return note(say("fc.without_bias", shifts=text))


def _slide(path: str | None, size: float) -> list[object]:
    if path is None:
        raise gr.Error(plain("fc.no_photo"), print_exception=False)
    seen, _, found = linear_and_conv(path, int(size))
    network = _network()
    # As the network itself pads: a photo narrower than a cell has one all the same.
    with device_lock("cpu"):
        slid = lesson.slide(network, pad_to_multiple(seen[None], network.size_multiple)[0], _CROP)
    index = 1 + int(found.logits[1:].argmax())
    limit = float(torch.stack((slid.dense, slid.crops)).abs().max())
    maps = (slid.dense[index], slid.crops[index], slid.dense[index] - slid.crops[index])
    sentence = say(
        "fc.slid",
        class_name=_classes()[index],
        dense=slid.dense_seconds * 1000,
        count=slid.dense[0].numel(),
        size=f"{_CROP}×{_CROP}",
        crops=slid.crop_seconds * 1000,
        times=slid.crop_seconds / slid.dense_seconds,
    )
    return [note(sentence), gr.Row(visible=True), *(render.score_grid(m.numpy(), limit, 480, 9) for m in maps)]
