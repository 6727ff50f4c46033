"""The lesson on transfer learning."""

from collections.abc import Callable
from functools import cache
from html import escape

import gradio as gr
from torch import Tensor, nn

from segdemo import catalog, charts
from segdemo.checkpoints import Metadata
from segdemo.images import read_image
from segdemo.lessons import freezing, initialisation, recorded_runs
from segdemo.lessons import transfer as lesson
from segdemo.lessons.size_trace import shell
from segdemo.segmenter import fit, normalised
from segdemo.ui.i18n import static
from segdemo.ui.lesson_parts import AT_ONCE, chart, slider, table

LOGS = catalog.CHECKPOINTS
"""The folder of the recorded runs."""
_DONOR = "unet_vgg16_bn"  # its encoder has BatchNorm
_EXAMPLES = ("lion.jpg", "cheetah1.jpg", "cheetah.jpg", "tower.jpg")
_PHOTO, _CROP, _BATCH = 72, 24, 4  # pixels, pixels, crops
_FULL_BRIGHTNESS = 100
_STEP, _MINUTES = "step", "minutes"
_NORM_HEADS = ["mode and layer", "largest change of a mean", "the mean that changed so", "largest change of a variance"]
_CURVES_TEXT = static("transfer.curves_text")
_PARTS_TEXT = static("transfer.parts_text")
_NORM_TEXT = static("transfer.norm_text")
_TRAP_TEXT = static("transfer.trap_text")
_START_TEXT = static("transfer.start_text")


def build() -> None:
    """Lay the lesson out and wire it."""
    _section(_CURVES_TEXT, _curve_controls, _draw_curves, "tl-curves")
    _section(_PARTS_TEXT, _part_controls, _draw_parts, "tl-parts")
    _section(_NORM_TEXT, _norm_controls, _draw_norm, "tl-norm")
    _section(_TRAP_TEXT, _trap_controls, _draw_trap, "tl-trap")
    _section(_START_TEXT, _start_controls, _draw_start, "tl-start")


def _section(text: str, make_controls: Callable[[], list[gr.Component]], draw: Callable[..., str], name: str) -> None:
    """Put controls beside what they change."""
    gr.Markdown(text)
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            controls = make_controls()
        with gr.Column(scale=8, min_width=300):
            result = gr.HTML(draw(*(control.value for control in controls)), elem_id=name)
    for control in controls:
        control.change(draw, controls, result, **AT_ONCE)


def _curve_controls() -> list[gr.Component]:
    figures = [(title, figure) for figure, title in recorded_runs.FIGURES.items()]
    comparisons = list(recorded_runs.COMPARISONS)
    return [
        gr.Radio(comparisons, value=comparisons[0], label="Compare the trainings on", elem_id="tl-comparison"),
        gr.Radio(figures, value="miou", label=static("transfer.figure"), elem_id="tl-figure"),
        gr.Radio([_STEP, _MINUTES], value=_STEP, label="Along", elem_id="tl-over"),
    ]


def _draw_curves(comparison: str, figure: str, over: str) -> str:
    try:
        curves = recorded_runs.compared(recorded_runs.read_runs(LOGS / recorded_runs.RUNS), comparison)
        title = recorded_runs.FIGURES[figure]
        ends = [f"{n}: {recorded_runs.figure_text(c.points[-1].figures[figure])}" for n, c in curves.items()]
        lines = [
            charts.Line(name, tuple((getattr(point, over), point.figures[figure]) for point in curve.points))
            for name, curve in curves.items()
        ]
        picture = charts.line_chart(lines, over, title, f"{title} by {over}. Last points: {'; '.join(ends)}.")
    except ValueError as error:
        return f"<p class='formula' role='status'>{escape(str(error))}</p>"
    return (
        f"<p class='formula' role='status'>{title} after the last step: {escape('; '.join(ends))}.</p>"
        f"<div class='charts'>{chart(picture, f'{title} by {over}', f'transfer-{figure}')}</div>"
        f"<details><summary>All numbers</summary>{_curve_table(curves)}</details>"
    )


def _curve_table(curves: dict[str, recorded_runs.Curve]) -> str:
    rows = [
        [
            name,
            str(point.step),
            f"{point.minutes:.1f}",
            *(recorded_runs.figure_text(point.figures[key]) for key in recorded_runs.FIGURES),
        ]
        for name, curve in curves.items()
        for point in curve.points
    ]
    return table(["training", "step", "minutes", *recorded_runs.FIGURES.values()], rows)


def _part_controls() -> list[gr.Component]:
    return [
        gr.Radio(list(lesson.TRAININGS), value=lesson.FROZEN, label=static("transfer.training"), elem_id="tl-training")
    ]


@cache
def _parts() -> dict[str, list[lesson.Part]]:
    network = shell(lesson.ARCHITECTURE, lesson.ARGUMENTS)
    return {training: lesson.parts(network, training) for training in lesson.TRAININGS}


def _draw_parts(training: str) -> str:
    found = _parts()[training]
    total, trainable = sum(part.parameters for part in found), sum(part.trainable for part in found)
    rows = [
        [
            part.name,
            f"{part.parameters:,}",
            f"{part.trainable:,}",
            f"{part.statistics:,}",
            ("move" if part.statistics_move else "stay") if part.statistics else "none",
            lesson.start_of(part.name, training),
        ]
        for part in found
    ]
    heads = ["part", "parameters", "trainable", "BatchNorm statistics", "the statistics", "starts from"]
    return (
        f"<p class='formula' role='status'>{training}: <b>{trainable:,}</b> of {total:,} parameters are trainable, "
        f"{trainable / total:.1%}.</p>{table(heads, rows)}"
    )


def _norm_controls() -> list[gr.Component]:
    return [
        slider(0, 6, 3, "transfer.batches", "tl-batches"),
        slider(10, _FULL_BRIGHTNESS, _FULL_BRIGHTNESS, "transfer.brightness", "tl-brightness"),
    ]


@cache
def _stage() -> nn.Sequential:
    return catalog.find(_DONOR).load().stages[0]


@cache
def _photos() -> list[Tensor]:
    metadata = _metadata()
    images = [read_image(gr.get_image(name)) for name in _EXAMPLES]
    return [normalised(image, fit(image.size, _PHOTO), metadata) for image in images]


def _metadata() -> Metadata:
    return catalog.find(_DONOR).metadata


def _draw_norm(count: float, brightness: float) -> str:
    count, metadata = int(count), _metadata()
    crops = freezing.random_crops(_photos(), (count + 1) * _BATCH, _CROP)
    probe, *batches = freezing.darken(crops, brightness / _FULL_BRIGHTNESS, metadata.mean, metadata.std).split(_BATCH)
    exposures = {
        mode: freezing.show_batches(_stage(), probe, batches, train_mode=mode == "train") for mode in ("train", "eval")
    }
    rows = [
        [
            f"{mode}, BatchNorm {index}",
            f"{layer.mean_change:.4f}",
            f"{layer.mean_before[layer.most_moved]:.4f} → {layer.mean_after[layer.most_moved]:.4f}",
            f"{layer.var_change:.4f}",
        ]
        for mode, exposure in exposures.items()
        for index, layer in enumerate(exposure.layers, 1)
    ]
    pictures = "".join(_norm_chart(exposures, index) for index in range(len(exposures["train"].layers)))
    said = "; ".join(
        f"{mode} mode: weights {exposure.weight_change:.0f}, the stage's answer <b>{exposure.output_change:.3f}</b>"
        for mode, exposure in exposures.items()
    )
    return (
        f"<p class='formula' role='status'>The largest changes that {count} batches of {_BATCH} crops make, in "
        f"{said}.</p>"
        f"{table(_NORM_HEADS, rows)}"
        f"<div class='charts'>{pictures}</div>"
    )


def _norm_chart(exposures: dict[str, freezing.Exposure], index: int) -> str:
    lines, said = [], []
    for mode, exposure in exposures.items():
        layer = exposure.layers[index]
        changes = (layer.mean_after - layer.mean_before).tolist()
        lines.append(charts.Line(f"{mode} mode", tuple(enumerate(changes, 1)), marked=False))
        said.append(f"in {mode} mode the largest is {layer.mean_change:.4f}")
    title = f"BatchNorm {index + 1}: change of each channel's running mean"
    picture = charts.line_chart(lines, "channel", "change", f"{title}; {', '.join(said)}")
    return chart(picture, title, f"batchnorm-{index + 1}")


def _trap_controls() -> list[gr.Component]:
    lines = list(freezing.WAYS_TO_FREEZE)
    return [gr.Radio(lines, label=static("transfer.line"), elem_id="tl-line")]


def _draw_trap(line: str | None) -> str:
    if line is None:
        return "<p class='formula' role='status'>Guess which lines freeze, and then choose one.</p>"
    found = freezing.try_to_freeze(_stage(), line)
    works = "it freezes" if found.after == 0 else "it freezes nothing"
    after = (
        f"The method is gone: to call it now says <code>{escape(found.error)}</code>."
        if found.error
        else "The method can still be called."
    )
    items = (
        f"Trainable parameters before {found.before:,}, after <b>{found.after:,}</b>.",
        f"One step of SGD then changes a parameter by up to {found.step_change:.2g}.",
        after,
    )
    return (
        f"<p class='formula' role='status'><code>{escape(line)}</code>: <b>{works}</b>.</p>"
        f"<ul class='checks'>{''.join(f'<li>{item}</li>' for item in items)}</ul>"
    )


def _start_controls() -> list[gr.Component]:
    kinds = list(initialisation.KINDS)
    return [
        gr.Radio(kinds, value=kinds[0], label=static("transfer.kind"), elem_id="tl-kind"),
        slider(2, 20, 12, "transfer.depth", "tl-depth"),
        slider(16, 64, 64, "transfer.width", "tl-width"),
        slider(1, 20, 1, "transfer.draw", "tl-draw"),
        gr.Checkbox(True, label=static("transfer.relu"), elem_id="tl-relu"),
    ]


def _draw_start(kind: str, depth: float, width: float, draw: float, relu: bool) -> str:
    stack = initialisation.run_stack(kind, int(depth), int(width), relu, int(draw))
    first, last = stack.stds[0], stack.stds[-1]
    said = (
        f"Each layer multiplies the activations' std by {stack.factor:.2f} on average (the formula: "
        f"{stack.predicted_factor:.2f}): from {first:.2g} in layer 1 to {last:.2g} in layer {int(depth)}. "
        f"The signal <b>{stack.verdict}</b>."
    )
    pictures = [_std_chart(stack), _histogram(stack.weights, "Weights of the middle layer", "weights")]
    pictures += [
        _histogram(found, f"Activations of layer {layer}", f"activations-{layer}")
        for layer, found in stack.activations.items()
    ]
    return f"<p class='formula' role='status'>{said}</p><div class='charts'>{''.join(pictures)}</div>"


def _std_chart(stack: initialisation.Stack) -> str:
    lines = [
        charts.Line(name, tuple(enumerate(stds, 1)), marked)
        for name, stds, marked in (("measured", stack.stds, True), ("by the formula", stack.predicted, False))
    ]
    title = "Std of the activations, layer by layer"
    words = f"{title}: from {stack.stds[0]:.2g} to {stack.stds[-1]:.2g}; it {stack.verdict}"
    return chart(charts.line_chart(lines, "layer", "std", words, logarithmic=True), title, "activations-std")


def _histogram(found: initialisation.Histogram, title: str, name: str) -> str:
    zeros = f", {found.zero_share:.0%} zeros left out" if found.zero_share else ""
    caption = f"{title}: std {found.std:.2g}{zeros}"
    words = f"Histogram. {caption}. Values from {found.low:.2g} to {found.high:.2g}"
    return chart(charts.histogram(found.counts, found.low, found.high, "value", words), caption, name)
