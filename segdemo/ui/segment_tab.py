"""The main tab: a photo in, the class map, a heatmap and the coarse scores out."""

from contextvars import copy_context
from dataclasses import fields
from functools import partial
from typing import Any

import gradio as gr

from segdemo import catalog
from segdemo.analysis import Analysis, Style
from segdemo.segmentation import AUTO
from segdemo.ui import views
from segdemo.ui.events import AT_ONCE
from segdemo.ui.gradio_compat import keep_copy
from segdemo.ui.i18n import plain, say
from segdemo.ui.inference import in_line, run_at_start, run_network
from segdemo.ui.link import Place
from segdemo.ui.network_list import network_choices
from segdemo.ui.repeats import Repeats
from segdemo.ui.result import Drawing, Result
from segdemo.ui.segment_layout import EXAMPLES, SHORT_LIST, Controls, Outputs, class_choices
from segdemo.ui.service import open_taught
from segdemo.ui.templates import render
from segdemo.ui.wish import Overtaken, Wish

# Shows the progress of a download, which torch.hub reports to tqdm.
_PROGRESS = gr.Progress(track_tqdm=True)

Values = dict[gr.Component, Any]


def build() -> Place:
    """Lay out the tab and wire it, the first example segmented on it; gives what a link can set."""
    first, network = next(iter(EXAMPLES)), next(iter(catalog.ENTRIES))
    result = Result.make(first, Analysis(network), run_at_start)
    with gr.Row(elem_classes="segment work"):
        with gr.Column(scale=3, min_width=280, elem_classes="controls"):
            controls = Controls(first, network, result.segmentation)
        with gr.Column(scale=8, min_width=320, elem_classes="results"):
            outputs = Outputs(result, result.draw(Style()))
    _Tab(result, controls, outputs).wire()
    return Place(controls.network, controls.photo, controls.examples, why=outputs.why)


class _Tab:
    """What the tab does."""

    def __init__(self, result: Result, controls: Controls, outputs: Outputs) -> None:
        # Gradio copies a state's first value for each visitor, and drops it some time after the visitor has left.
        self.state, self.wish = gr.State(result), gr.State(Wish())
        self.controls, self.outputs = controls, outputs
        self.first = result.key  # of what every visitor sees first
        self.repeats = Repeats()

    def wire(self) -> None:
        """Say which control does what."""
        controls, outputs = self.controls, self.outputs
        chosen = [controls.photo, controls.network, controls.size, *controls.switches]
        switched = [switch.input for switch in controls.switches]
        passes = [controls.photo.change, controls.network.change, controls.size.release, *switched]
        seen = {self.state, self.wish, outputs.key, controls.problem, *chosen}
        # Each choice is told at once, whatever is running, so that what nobody waits for any more can stop.
        at = gr.Number(visible=False)
        told = gr.on(
            passes,
            self.tell,
            [self.wish, self.state, *chosen, at],
            js="(...values) => [...values.slice(0, -1), performance.now()]",
            **{**AT_ONCE, "trigger_mode": "multiple"},
        )
        done = told.success(
            self.segment_photo,
            seen,
            self._pass_outputs(),
            **in_line(),
            trigger_mode="multiple",
            show_progress="full",
            show_progress_on=[outputs.overlay],
            api_visibility="private",
        )
        drawn = [self.state, outputs.key, *controls.style]
        # Drawn as a step of its own, with the style that the visitor has chosen by then.
        done.success(self.draw, drawn, self._drawn_outputs(), **AT_ONCE)
        gr.on([each.input for each in controls.style], self.draw, drawn, self._drawn_outputs(), **AT_ONCE)
        controls.network.change(_describe, controls.network, [controls.story, controls.knows], **AT_ONCE)
        outputs.stop.click(Wish.stop, self.wish, None, **AT_ONCE)
        controls.taught.upload(_open_taught, controls.taught, [controls.network, controls.problem], **AT_ONCE)
        self._wire_pixels()

    def _wire_pixels(self) -> None:
        # Gradio's own `select` counts the pixels of a picture no larger than its file; pixels.js knows the place.
        asked = gr.JSON(visible=False)
        gr.Button("Probe", visible="hidden", elem_id="probe").click(
            self.probe,
            [self.state, self.outputs.key, self.controls.photo, asked],
            self.outputs.pixel,
            js="(state, key, photo) => [state, key, photo, segdemo.asked()]",
            **AT_ONCE,
        )

    def _pass_outputs(self) -> list[gr.Component]:
        controls, outputs = self.controls, self.outputs
        files = [outputs.files[name] for name in ("mask", "scores", "rle")]
        shown = [self.state, outputs.key, outputs.table, outputs.pixel, *files, controls.problem, controls.note]
        return [*shown, controls.heat_class, controls.size, controls.photo, controls.network, *controls.switches]

    def _drawn_outputs(self) -> list[gr.Component]:
        outputs = self.outputs
        pictures = [getattr(outputs, each.name) for each in fields(Drawing)]
        return [*pictures, outputs.files["overlay"], outputs.files["heatmap"]]

    def _analysis(self, values: Values) -> Analysis:
        """Give what is chosen."""
        controls = self.controls
        chosen = (values[each] for each in (self.state, controls.network, controls.size, *controls.switches))
        return _analysis(*chosen)

    def tell(self, wish: Wish, held: Result, path: str | None, network: str, *numbers: float) -> None:
        """Note what the visitor has chosen, and when, since two requests may come in another order."""
        *chosen, at = numbers
        wish.choose((path, _analysis(held, network, *chosen)), at or 0)

    def segment_photo(
        self, values: Values, request: gr.Request, progress: gr.Progress = _PROGRESS
    ) -> dict[object, object]:
        """Segment what is chosen, unless that runs for the visitor already."""
        chosen = str((values[self.controls.photo], self._analysis(values)))
        with self.repeats.first(getattr(request, "session_hash", None), chosen) as is_first:
            return self._segment(values, progress) if is_first else {self.state: gr.skip()}

    def _segment(self, values: Values, progress: gr.Progress) -> dict[object, object]:
        """Segment what is chosen, unless it is what the page shows; on failure the controls go back to that."""
        held, path, wish = values[self.state], values[self.controls.photo], values[self.wish]
        analysis = self._analysis(values)
        if path is None:
            return {self.controls.problem: views.problem(say("segment.no_photo"), stale=True)}
        is_own = self._is_held(held, values[self.outputs.key])
        if is_own and held.shows(path) and held.answers(analysis):
            is_back = "stale" in (values[self.controls.problem] or "")
            return {self.controls.problem: "" if is_back else gr.skip()}

        context = copy_context()  # the pass may run in another visitor's thread

        def watch(done: int, total: int) -> None:
            wish.check((path, analysis))
            if total > 1:
                context.run(progress, (done, total), desc=plain("segment.pass", number=done + 1, total=total))

        try:
            wish.check((path, analysis))
            same_photo = is_own and path == held.shown
            result = Result.make(held.source if same_photo else path, analysis, partial(run_network, watch=watch))
            wish.check((path, analysis))
        except Overtaken:
            return self._go_back(held, say("segment.stopped")) if wish.is_stopped else {self.state: gr.skip()}
        except gr.Error as error:
            return self._go_back(held, error) if is_own else {self.controls.problem: views.problem(error, stale=True)}
        return self._show(held, result)

    def _go_back(self, held: Result, reason: object) -> dict[object, object]:
        """Set the controls to what the page shows, and say why."""
        controls, analysis = self.controls, held.analysis
        return {
            controls.problem: views.problem(reason),
            controls.photo: keep_copy(held.shown, controls.photo),  # the first example's file lies elsewhere
            controls.network: analysis.network,
            controls.size: max(held.segmentation.analysis_size),
            controls.best_quality: analysis.best_quality,
            controls.refine: analysis.refine,
        }

    def _show(self, held: Result, result: Result) -> dict[object, object]:
        controls, outputs, segmentation = self.controls, self.outputs, result.segmentation
        # Of many classes the image's likeliest stand first, so the list is new with every photo.
        same_list = segmentation.classes == held.segmentation.classes and len(segmentation.classes) <= SHORT_LIST
        return {
            self.state: result,
            outputs.table: views.class_table(segmentation),
            outputs.pixel: render("pixel_hint"),
            outputs.key: result.key,
            **{outputs.files[name]: getattr(result, name) for name in ("mask", "scores", "rle")},
            controls.problem: "",
            controls.note: views.size_note(segmentation),
            controls.heat_class: gr.skip() if same_list else gr.Dropdown(class_choices(segmentation), value=AUTO),
            controls.size: max(segmentation.analysis_size),
            controls.photo: gr.skip() if result.shown == result.source else result.shown,
        }

    def _is_held(self, result: Result, key: str) -> bool:
        # Of a visitor whom it has forgotten, Gradio hands out the first example's result.
        return result.key != self.first or key == self.first

    def draw(self, result: Result, key: str, heatmap_class: str, opacity: float, colormap: str) -> dict[object, object]:
        """Draw the result in the chosen style."""
        outputs = self.outputs
        if not self._is_held(result, key):
            return {outputs.facts: render("forgotten")}
        drawing = result.draw(Style(heatmap_class, opacity, colormap))
        shown = {getattr(outputs, name): value for name, value in vars(drawing).items()}  # they bear the same names
        return {**shown, outputs.files["overlay"]: drawing.overlay, outputs.files["heatmap"]: drawing.heatmap}

    def probe(self, result: Result, key: str, path: str | None, point: dict[str, Any]) -> str:
        """Describe the pixel that was clicked."""
        if not self._is_held(result, key):
            return render("forgotten")
        other_photo = point["picture"] == self.controls.photo.elem_id and not (path and result.shows(path))
        return render("pixel_hint") if other_photo else result.probe(float(point["x"]), float(point["y"]))


def _analysis(held: Result, network: str, size: float, best_quality: float, refine: float) -> Analysis:
    """Give what is chosen; another network than the result's starts at its own size."""
    return Analysis(network, int(size) if network == held.analysis.network else None, bool(best_quality), bool(refine))


def _describe(network: str) -> list[str]:
    return [views.story(network), views.knows(network)]


def _open_taught(path: str) -> list[object]:
    """Offer a file that the visitor taught, and choose it."""
    try:
        entry = open_taught(path)
    except ValueError as error:
        return [gr.skip(), views.problem(error)]
    return [gr.Dropdown(network_choices([*catalog.ENTRIES.values(), entry]), value=entry.name), ""]
