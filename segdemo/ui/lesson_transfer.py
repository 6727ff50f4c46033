"""The lesson on transfer learning."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import isfinite

import gradio as gr
from markupsafe import Markup
from torch import Tensor, nn

from segdemo import catalog, charts, entries
from segdemo.images import read_image
from segdemo.lessons import freezing, initialisation, recorded_runs
from segdemo.lessons import transfer as lesson
from segdemo.lessons.size_trace import shell
from segdemo.models.unet import UNet
from segdemo.ui.events import AT_ONCE
from segdemo.ui.i18n import Both, alike, both, joined, say, say_made, static
from segdemo.ui.lesson_parts import as_seen, chart, checks, guide, note, slider, table
from segdemo.ui.templates import render

LOGS = entries.CHECKPOINTS
"""The folder of the recorded runs."""
_DONOR = "unet_vgg16_bn"  # its encoder has BatchNorm
_EXAMPLES = ("lion.jpg", "cheetah1.jpg", "cheetah.jpg", "tower.jpg")
_PHOTO, _CROP, _BATCH = 72, 24, 4  # pixels, pixels, crops
_FULL_BRIGHTNESS = 100
_STEP, _MINUTES = "step", "minutes"
_Controls = Sequence[gr.Radio | gr.Slider | gr.Checkbox]


def build() -> None:
    """Lay the lesson out and wire it."""
    _section("curves", _curve_controls, _draw_curves)
    _section("parts", _part_controls, _draw_parts)
    _section("norm", _norm_controls, _draw_norm)
    _section("trap", _trap_controls, _draw_trap)
    _section("start", _start_controls, _draw_start)


def _section(name: str, make_controls: Callable[[], _Controls], draw: Callable[..., str]) -> None:
    """Put controls beside what they change."""
    gr.Markdown(static(f"transfer.{name}_text"))
    if name == "curves":
        guide("transfer")
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            controls = make_controls()
        with gr.Column(scale=8, min_width=300):
            result = gr.HTML(draw(*(control.value for control in controls)), elem_id=f"tl-{name}")
    gr.on([control.change for control in controls], draw, controls, result, **AT_ONCE)


def _choices(names: Iterable[str]) -> list[tuple[str, str]]:
    """Give names as choices, each as the page has it."""
    return [(both(_key(name)), name) for name in names]


def _key(name: str) -> str:
    """Give the key of a lesson's name, such as "from nothing"."""
    return f"transfer.{re.sub('[^a-z0-9]+', '_', name.lower()).strip('_')}"


def _named(name: str) -> Both:
    """Give the name of a run, which may be the rate alone."""
    return both(_key(name)) if name in lesson.TRAININGS else alike(name)


def figure_text(value: float) -> Both:
    """Write a figure with three decimals, or say that there is none."""
    return alike(f"{value:.3f}") if isfinite(value) else both("transfer.not_recorded")


def _curve_controls() -> _Controls:
    comparisons = _choices(recorded_runs.COMPARISONS)
    over = _choices((_STEP, _MINUTES))
    return [
        gr.Radio(comparisons, value=comparisons[0][1], label=static("transfer.comparison"), elem_id="tl-comparison"),
        gr.Radio(_choices(recorded_runs.FIGURES), value="miou", label=static("transfer.figure"), elem_id="tl-figure"),
        gr.Radio(over, value=_STEP, label=static("transfer.over"), elem_id="tl-over"),
    ]


def _draw_curves(comparison: str, figure: str, over: str) -> Markup:
    try:
        curves = recorded_runs.compared(recorded_runs.read_runs(LOGS / recorded_runs.RUNS), comparison)
        title, axis = both(_key(figure)), both(_key(over))
        last = {name: figure_text(curve.points[-1].figures[figure]) for name, curve in curves.items()}
        ends = joined("; ", (joined(": ", (_named(name), text)) for name, text in last.items()))
        lines = [
            charts.Line(_named(name), tuple((getattr(point, over), point.figures[figure]) for point in curve.points))
            for name, curve in curves.items()
        ]
        caption = both("transfer.figure_by", figure=title, axis=axis)
        words = both("transfer.figure_by_ends", figure=title, axis=axis, ends=ends)
        picture = charts.line_chart(lines, axis, title, words)
    except ValueError as error:
        return note(say_made(error))
    sentence = say("transfer.ends", figure=say(_key(figure)), ends=ends)
    drawn = render("charts", charts=[chart(picture, caption, f"transfer-{figure}")])
    return note(sentence) + drawn + render("details", summary=say("transfer.all_numbers"), text=_curve_table(curves))


def _curve_table(curves: dict[str, recorded_runs.Curve]) -> Markup:
    keys = recorded_runs.FIGURES
    rows = [
        [_named(name), point.step, f"{point.minutes:.1f}", *(figure_text(point.figures[key]) for key in keys)]
        for name, curve in curves.items()
        for point in curve.points
    ]
    return table([say(_key(head)) for head in ("training", _STEP, _MINUTES, *keys)], rows)


def _part_controls() -> _Controls:
    trainings = _choices(lesson.TRAININGS)
    return [gr.Radio(trainings, value=lesson.FROZEN, label=static("transfer.training"), elem_id="tl-training")]


@cache
def _parts() -> dict[str, list[lesson.Part]]:
    network = shell(lesson.ARCHITECTURE, lesson.ARGUMENTS)
    assert isinstance(network, UNet)
    return {training: lesson.parts(network, training) for training in lesson.TRAININGS}


def _draw_parts(training: str) -> Markup:
    found = _parts()[training]
    total, trainable = sum(part.parameters for part in found), sum(part.trainable for part in found)
    rows = [
        [
            both(_key(part.name.rstrip("1234567890")), number=part.name.split()[-1]),
            f"{part.parameters:,}",
            f"{part.trainable:,}",
            f"{part.statistics:,}",
            say(_key(("move" if part.statistics_move else "stay") if part.statistics else "none")),
            say(_key(lesson.start_of(part.name, training))),
        ]
        for part in found
    ]
    heads = [say(f"transfer.head_{head}") for head in ("part", "parameters", "trainable", "count", "moves", "start")]
    sentence = say(
        "transfer.trainable",
        training=say(_key(training)),
        trainable=trainable,
        total=total,
        share=trainable / total,
    )
    return note(sentence) + table(heads, rows)


def _norm_controls() -> _Controls:
    return [
        slider(0, 6, 3, "transfer.batches", "tl-batches"),
        slider(10, _FULL_BRIGHTNESS, _FULL_BRIGHTNESS, "transfer.brightness", "tl-brightness"),
    ]


@cache
def _stage() -> nn.Module:
    return catalog.find(_DONOR).load().get_submodule("stages.0")


@cache
def _photos() -> list[Tensor]:
    return [as_seen(read_image(gr.get_image(name)), _DONOR, _PHOTO) for name in _EXAMPLES]


def _draw_norm(count: float, brightness: float) -> Markup:
    count, metadata = int(count), catalog.find(_DONOR).metadata
    crops = freezing.random_crops(_photos(), (count + 1) * _BATCH, _CROP)
    probe, *batches = freezing.darken(crops, brightness / _FULL_BRIGHTNESS, metadata.mean, metadata.std).split(_BATCH)
    exposures = {
        mode: freezing.show_batches(_stage(), probe, batches, train_mode=mode == "train") for mode in ("train", "eval")
    }
    rows = [
        [
            both("transfer.norm_row", mode=mode, number=index),
            f"{layer.mean_change:.4f}",
            f"{layer.mean_before[layer.most_moved]:.4f} → {layer.mean_after[layer.most_moved]:.4f}",
            f"{layer.var_change:.4f}",
        ]
        for mode, exposure in exposures.items()
        for index, layer in enumerate(exposure.layers, 1)
    ]
    pictures = [_norm_chart(exposures, index) for index in range(len(exposures["train"].layers))]
    said = Markup("; ").join(
        say("transfer.norm_mode", mode=mode, weights=exposure.weight_change, answer=exposure.output_change)
        for mode, exposure in exposures.items()
    )
    sentence = say("transfer.norm_found", batches=count, crops=_BATCH, modes=said)
    heads = [say(f"transfer.norm_head_{head}") for head in ("layer", "change", "mean", "variance")]
    return note(sentence) + table(heads, rows) + render("charts", charts=pictures)


def _norm_chart(exposures: dict[str, freezing.Exposure], index: int) -> Markup:
    lines, said = [], []
    for mode, exposure in exposures.items():
        layer = exposure.layers[index]
        changes = (layer.mean_after - layer.mean_before).tolist()
        lines.append(charts.Line(both("transfer.mode", mode=mode), tuple(enumerate(changes, 1)), marked=False))
        said.append(both("transfer.norm_largest", mode=mode, change=layer.mean_change))
    title = both("transfer.norm_title", number=index + 1)
    axes = both("transfer.channel"), both("transfer.change")
    picture = charts.line_chart(lines, *axes, joined("; ", (title, joined(", ", said))))
    return chart(picture, title, f"batchnorm-{index + 1}")


def _trap_controls() -> _Controls:
    return [gr.Radio(list(freezing.WAYS_TO_FREEZE), label=static("transfer.line"), elem_id="tl-line")]


def _draw_trap(line: str | None) -> Markup:
    if line is None:
        return note(say("transfer.guess"))
    found = freezing.try_to_freeze(_stage(), line)
    verdict = say("transfer.freezes" if found.after == 0 else "transfer.freezes_nothing", line=line)
    gone = say("transfer.method_gone", error=found.error) if found.error else say("transfer.method_stays")
    items = (
        say("transfer.before_after", before=found.before, after=found.after),
        say("transfer.step_change", change=found.step_change),
        gone,
    )
    return note(verdict) + checks(items)


def _start_controls() -> _Controls:
    kinds = _choices(initialisation.KINDS)
    return [
        gr.Radio(kinds, value=kinds[0][1], label=static("transfer.kind"), elem_id="tl-kind"),
        slider(2, 20, 12, "transfer.depth", "tl-depth"),
        slider(16, 64, 64, "transfer.width", "tl-width"),
        slider(1, 20, 1, "transfer.draw", "tl-draw"),
        gr.Checkbox(True, label=static("transfer.relu"), elem_id="tl-relu"),
    ]


def _draw_start(kind: str, depth: float, width: float, draw: float, relu: bool) -> Markup:
    stack = initialisation.run_stack(kind, int(depth), int(width), relu, int(draw))
    first, last = stack.stds[0], stack.stds[-1]
    sentence = say(
        "transfer.signal",
        factor=stack.factor,
        predicted=stack.predicted_factor,
        first=first,
        last=last,
        layers=int(depth),
        verdict=say(f"transfer.signal_{stack.verdict}"),
    )
    drawn = [_std_chart(stack), _histogram(stack.weights, both("transfer.middle_weights"), "weights")]
    drawn += [
        _histogram(found, both("transfer.activations", layer=layer), f"activations-{layer}")
        for layer, found in stack.activations.items()
    ]
    return note(sentence) + render("charts", charts=drawn)


def _std_chart(stack: initialisation.Stack) -> Markup:
    lines = [
        charts.Line(both("transfer.measured"), tuple(enumerate(stack.stds, 1))),
        charts.Line(both("transfer.by_formula"), tuple(enumerate(stack.predicted, 1)), marked=False),
    ]
    title = both("transfer.std_title")
    verdict = both(f"transfer.signal_{stack.verdict}")
    words = both("transfer.std_words", title=title, first=stack.stds[0], last=stack.stds[-1], verdict=verdict)
    axes = both("transfer.layer"), both("transfer.std")
    return chart(charts.line_chart(lines, *axes, words, logarithmic=True), title, "activations-std")


def _histogram(found: initialisation.Histogram, title: Both, name: str) -> Markup:
    key = "transfer.histogram_with_zeros" if found.zero_share else "transfer.histogram"
    caption = both(key, title=title, std=found.std, zeros=found.zero_share)
    words = both("transfer.histogram_words", caption=caption, low=found.low, high=found.high)
    axes = both("transfer.value"), both("transfer.count")
    drawn = charts.histogram(found.counts, found.low, found.high, axes, words)
    return chart(drawn, caption, name)
