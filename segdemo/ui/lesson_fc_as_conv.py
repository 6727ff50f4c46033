"""The lesson on how a Linear layer becomes a 1×1 conv."""

from dataclasses import dataclass
from html import escape

import gradio as gr
import torch
from torch import Tensor

from segdemo import catalog, render
from segdemo.devices import device_lock
from segdemo.lessons import fc_as_conv as lesson
from segdemo.models.network import pad_to_multiple
from segdemo.ui.gradio_compat import shown_file
from segdemo.ui.i18n import static
from segdemo.ui.lesson_parts import AT_ONCE, IN_TURN, guide, lesson_network, picture, slider
from segdemo.ui.link import Place
from segdemo.ui.photo_input import photo_field
from segdemo.ui.service import DENSE_CLASSIFIER, linear_and_conv

_NETWORK = DENSE_CLASSIFIER
_CROP = 64  # pixels
_SLIDING = ("fc.dense", "fc.crops", "fc.difference")
_TEXT = static("fc.text")


@dataclass(frozen=True)
class _Outputs:
    steps: gr.HTML
    scores: list[gr.Image]
    note: gr.HTML

    def every(self) -> list[gr.Component]:
        return [self.steps, *self.scores, self.note]


def build() -> Place:
    """Lay the lesson out and wire it; gives what a link can set."""
    gr.Markdown(_TEXT)
    guide("fc")
    size = catalog.find(_NETWORK).metadata.analysis_size
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photo, examples = photo_field("fc", "alt.fc-photo")
            pixels = slider(64, 320, size, "lessons.seen_at", "fc-size")
            forget = gr.Checkbox(False, label=static("fc.forget"), elem_id="fc-forget")
            button = gr.Button(static("fc.slide"), size="sm", elem_id="fc-slide")
        with gr.Column(scale=8, min_width=300):
            outputs = _lay_out_results(_draw(shown_file(photo), size, False))
            slid = gr.HTML(elem_id="fc-slid")
            with gr.Row(visible=False) as row:
                maps = [picture(None, text, f"fc-map-{i}", 180) for i, text in enumerate(_SLIDING)]
    controls = [photo, pixels, forget]
    for changed in (photo.change, pixels.release, forget.input):
        changed(_draw, controls, outputs.every(), **IN_TURN)
    # The maps that were slid are those of one photo at one size.
    gr.on([photo.change, pixels.change], lambda: ["", gr.Row(visible=False)], None, [slid, row], **AT_ONCE)
    button.click(_slide, [photo, pixels], [slid, row, *maps], **{**IN_TURN, "show_progress": "full"})
    return Place(photo=photo, examples=examples)


def _lay_out_results(first: list[object]) -> _Outputs:
    classes = catalog.find(_NETWORK).metadata.classes
    steps = gr.HTML(first[0], elem_id="fc-steps")
    with gr.Row():
        scores = [
            picture(value, "fc.scores", f"fc-{name}", 200, class_name=name)
            for name, value in zip(classes, first[1:-1], strict=True)
        ]
    return _Outputs(steps, scores, gr.HTML(first[-1], elem_id="fc-note"))


def _draw(path: str | None, size: float, forget: bool) -> list[object]:
    classes = catalog.find(_NETWORK).metadata.classes
    if path is None:
        return [gr.skip()] * (len(classes) + 2)
    seen, features, found = linear_and_conv(path, int(size))
    shown = lesson.compare(lesson.without_bias(lesson_network(_NETWORK)), features) if forget else found
    limit = float(found.score_map.abs().max())
    grids = [render.score_grid(scores.numpy(), limit, 480, 9) for scores in shown.score_map]
    return [_steps(found, seen, shown), *grids, _note(found, shown, forget)]


def _steps(found: lesson.Comparison, seen: Tensor, shown: lesson.Comparison) -> str:
    network, classes = lesson_network(_NETWORK), catalog.find(_NETWORK).metadata.classes
    weight = tuple(network.score.weight.shape)
    logits = ", ".join(f"{name} {value:.3f}" for name, value in zip(classes, found.logits.tolist(), strict=True))
    means = shown.score_map.mean((1, 2)).tolist()
    averages = ", ".join(f"{name} {value:.3f}" for name, value in zip(classes, means, strict=True))
    other = torch.nn.functional.pad(seen, (0, network.stride, 0, 0))
    error = lesson.flattening_classifier_error(network, found.features, other)
    answer = int(found.logits.argmax())
    lines = (
        f"The photo, seen at {seen.shape[2]}×{seen.shape[1]}, becomes a feature map of "
        f"{found.features[0]} channels, {found.features[1]}×{found.features[2]} cells.",
        f"Mean of each channel: {found.features[0]} numbers. Linear layer, weight [{weight[0]}, {weight[1]}] and "
        f"bias [{weight[0]}]: {logits}. The classifier's answer is <b>{escape(classes[answer])}</b>, "
        f"{float(found.logits.softmax(0)[answer]):.0%}.",
        f"The same weight as a conv, {list(weight)}, on the same mean: largest difference "
        f"{found.pooled_difference:.1e}.",
        f"The conv on every cell, then the mean: {averages}; largest difference from the Linear layer "
        f"{float((shown.score_map.mean((1, 2)) - found.logits).abs().max()):.1e}.",
        f"A classifier that flattens its map, made for this size, on a photo {network.stride} pixels wider: "
        f"<code>{escape(error)}</code>. The conv gives {found.features[1]}×{found.features[2] + 1} cells.",
    )
    return f"<ol class='checks'>{''.join(f'<li>{line}</li>' for line in lines)}</ol>"


def _note(found: lesson.Comparison, shown: lesson.Comparison, forget: bool) -> str:
    if not forget:
        return "<p class='formula'>With its bias copied, the conv is the Linear layer.</p>"
    shifts = (shown.score_map - found.score_map).mean((1, 2)).tolist()
    classes = catalog.find(_NETWORK).metadata.classes
    text = ", ".join(f"{name} {shift:+.3f}" for name, shift in zip(classes, shifts, strict=True))
    return f"<p class='formula' role='status'>Without the bias every score is off by a constant per class: {text}.</p>"


def _slide(path: str | None, size: float) -> list[object]:
    if path is None:
        raise gr.Error("There is no photo to slide over.", print_exception=False)
    seen, _, found = linear_and_conv(path, int(size))
    network = lesson_network(_NETWORK)
    # As the network itself pads: a photo narrower than a cell has one all the same.
    with device_lock("cpu"):
        slid = lesson.slide(network, pad_to_multiple(seen[None], network.size_multiple)[0], _CROP)
    index = 1 + int(found.logits[1:].argmax())
    limit = float(torch.stack((slid.dense, slid.crops)).abs().max())
    maps = (slid.dense[index], slid.crops[index], slid.dense[index] - slid.crops[index])
    name = catalog.find(_NETWORK).metadata.classes[index]
    text = (
        f"<p class='formula' role='status'>Scores of {name}: one dense pass {slid.dense_seconds * 1000:.0f} ms, "
        f"{slid.dense[0].numel()} crops of {_CROP}×{_CROP} pixels {slid.crop_seconds * 1000:.0f} ms, "
        f"{slid.crop_seconds / slid.dense_seconds:.0f} times as long. The maps are alike, not equal: the classifier "
        f"averages over its crop and sees padding at its edge.</p>"
    )
    return [text, gr.Row(visible=True), *(render.score_grid(m.numpy(), limit, 480, 9) for m in maps)]
