"""The main tab: a photo in, the class map, a heatmap and the coarse scores out."""

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr
from gradio.helpers import Examples

from segdemo import catalog, render
from segdemo.segmentation import AUTO, Segmentation
from segdemo.segmenter import MIN_ANALYSIS_SIZE
from segdemo.ui import views
from segdemo.ui.inference import Request, in_line, run_at_start
from segdemo.ui.link import Place
from segdemo.ui.photo_input import PhotoInput
from segdemo.ui.result import Drawing, Look, Result

EXAMPLES = ("cheetah1.jpg", "lion.jpg", "cheetah.jpg", "tower.jpg")  # photos that gradio ships
_MAX_SLIDER_SIZE = 512
_FORGOTTEN = (
    "<p class='facts' role='alert'>This result is no longer kept. Move the analysis size, or choose the photo again, "
    "to have it anew.</p>"
)
_SHORT_LIST = 10  # classes that need no search
_OFFERED_FIRST = 5  # of a longer list, those that are likeliest on the photo


# Shows the progress of a download, which torch.hub reports to tqdm.
_DOWNLOAD_PROGRESS = gr.Progress(track_tqdm=True)


@dataclass(frozen=True)
class _Controls:
    photo: PhotoInput
    examples: Examples
    network: gr.Dropdown
    story: gr.HTML
    heat_class: gr.Dropdown
    colormap: gr.Dropdown
    size: gr.Slider
    opacity: gr.Slider
    best_quality: gr.Checkbox
    refine: gr.Checkbox

    @property
    def switches(self) -> list[gr.components.Component]:
        """In the order of `Request`'s last fields."""
        return [self.best_quality, self.refine]

    @property
    def look(self) -> list[gr.components.Component]:
        """In the order of `Look`'s fields."""
        return [self.heat_class, self.opacity, self.colormap]


@dataclass(frozen=True)
class _Outputs:
    overlay: gr.Image
    heatmap: gr.Image
    grid: gr.Image
    legend: gr.HTML
    heat_bar: gr.HTML
    grid_bar: gr.HTML
    table: gr.HTML
    pixel: gr.HTML
    facts: gr.HTML
    key: gr.Textbox
    files: dict[str, gr.DownloadButton]


def build(network: str = next(iter(catalog.ENTRIES))) -> Place:
    """Lay out the tab and wire it; the first example stands on it, segmented.

    Args:
        network: The one that is chosen at first.

    Returns:
        What a link can set.
    """
    first = gr.get_image(EXAMPLES[0])
    result = Result.make(first, Request(network), run_at_start)
    # Gradio copies a state's first value for each visitor, and drops it some time after the visitor has left.
    state = gr.State(result)
    with gr.Row(elem_classes="segment"):
        with gr.Column(scale=3, min_width=280, elem_classes="controls"):
            controls = _lay_out_controls(first, network, result.segmentation)
        with gr.Column(scale=8, min_width=320, elem_classes="results"):
            outputs = _lay_out_results(result, result.draw(Look()))
    _wire(state, controls, outputs, result.key)
    return Place(controls.network, controls.photo, controls.examples)


def _lay_out_controls(first: str, network: str, segmentation: Segmentation) -> _Controls:
    photo = PhotoInput(
        first,
        label="Photo",
        type="filepath",
        image_mode=None,
        sources=["upload", "webcam", "clipboard"],
        buttons=["fullscreen"],
        height=190,
        elem_id="photo",
        alt_text="The photo that is segmented",
    )
    paths = [gr.get_image(name) for name in EXAMPLES]
    examples = gr.Examples(paths, photo, elem_id="examples", cache_examples=False, api_visibility="private")
    choices = [(entry.title, name) for name, entry in catalog.ENTRIES.items()]
    choice = gr.Dropdown(choices, value=network, label="Network", filterable=False, elem_id="network")
    story = gr.HTML(views.story(network), elem_id="story")
    with gr.Row(elem_classes="pair"):
        heat_class = gr.Dropdown(
            _class_choices(segmentation), value=AUTO, label="Heatmap of", min_width=110, elem_id="heat-class"
        )
        colormap = gr.Dropdown(
            list(render.HEAT_COLORMAPS), value=Look.colormap, label="Colours", min_width=110, elem_id="colormap"
        )
    with gr.Row(elem_classes="pair"):
        size = gr.Slider(
            MIN_ANALYSIS_SIZE,
            _MAX_SLIDER_SIZE,
            max(segmentation.analysis_size),
            step=32,
            label="Analysis size, px",
            min_width=110,
            buttons=[],
            elem_id="size",
        )
        opacity = gr.Slider(
            0, 1, Look.opacity, step=0.05, label="Overlay opacity", min_width=110, buttons=[], elem_id="opacity"
        )
    with gr.Row(elem_classes="pair"):
        refine = gr.Checkbox(False, label="Refine edges", min_width=110, elem_id="refine")
        best_quality = gr.Checkbox(False, label="Best quality", min_width=110, elem_id="best-quality")
    return _Controls(photo, examples, choice, story, heat_class, colormap, size, opacity, best_quality, refine)


def _lay_out_results(result: Result, drawing: Drawing) -> _Outputs:
    with gr.Row(elem_classes="big"):
        with gr.Column(min_width=280):
            overlay = _picture(drawing.overlay, "overlay", "The photo with the class map laid over it")
            legend = gr.HTML(drawing.legend)
        with gr.Column(min_width=280):
            heatmap = _picture(drawing.heatmap, "heatmap", "The probability of one class at each pixel")
            heat_bar = gr.HTML(drawing.heat_bar)
    with gr.Row(elem_classes="small"):
        with gr.Column(scale=4, min_width=220):
            grid = _picture(drawing.grid, "grid", "The coarse grid of scores that the network makes")
            grid_bar = gr.HTML(drawing.grid_bar)
        with gr.Column(scale=6, min_width=280, elem_classes="figures"):
            table = gr.HTML(views.class_table(result.segmentation), elem_id="classes")
            pixel = gr.HTML(views.pixel_hint(), elem_id="pixel")
            paths = {
                "Mask": result.mask,
                "Overlay": drawing.overlay,
                "Heatmap": drawing.heatmap,
                "Scores": result.scores,
                "COCO RLE": result.rle,
            }
            with gr.Row(elem_classes="downloads"):
                files = {label: _download(label, path) for label, path in paths.items()}
    facts = gr.HTML(drawing.facts, elem_id="facts")
    key = gr.Textbox(result.key, visible=False)  # the browser keeps it, whatever becomes of the state
    return _Outputs(overlay, heatmap, grid, legend, heat_bar, grid_bar, table, pixel, facts, key, files)


def _wire(state: gr.State, controls: _Controls, outputs: _Outputs, first: str) -> None:
    photo, network, size, look = controls.photo, controls.network, controls.size, controls.look

    def show(drawing: Drawing) -> dict[object, object]:
        """Say what each component shows of a drawing; they bear the same names."""
        shown = {getattr(outputs, name): value for name, value in vars(drawing).items()}
        return {**shown, outputs.files["Overlay"]: drawing.overlay, outputs.files["Heatmap"]: drawing.heatmap}

    def segment_photo(
        values: dict[gr.components.Component, Any],
        progress: gr.Progress = _DOWNLOAD_PROGRESS,
    ) -> dict[object, object]:
        held, path = values[state], values[photo]
        if path is None:
            return {state: gr.skip()}
        pixels = values.get(size)  # not there where the network's own size is wanted
        switches = (values[switch] for switch in controls.switches)
        request = Request(values[network], int(pixels) if pixels else None, *switches)
        result = Result.make(held.source if path == held.shown else path, request)
        source = result.source
        segmentation = result.segmentation
        # Of many classes the image's likeliest stand first, so the list is new with every photo.
        same_list = segmentation.classes == held.segmentation.classes and len(segmentation.classes) <= _SHORT_LIST
        return {
            state: result,
            outputs.table: views.class_table(segmentation),
            outputs.pixel: views.pixel_hint(),
            outputs.key: result.key,
            outputs.files["Mask"]: result.mask,
            outputs.files["Scores"]: result.scores,
            outputs.files["COCO RLE"]: result.rle,
            controls.heat_class: gr.skip() if same_list else gr.Dropdown(_class_choices(segmentation), value=AUTO),
            size: max(segmentation.analysis_size),
            photo: gr.skip() if result.shown == source else result.shown,
        }

    def segment_new_photo(
        values: dict[gr.components.Component, Any], progress: gr.Progress = _DOWNLOAD_PROGRESS
    ) -> dict[object, object]:
        # The photo field also changes when a copy that the browser can show takes the place of the upload.
        return {state: gr.skip()} if values[photo] == values[state].shown else segment_photo(values, progress)

    def is_held(result: Result, key: str) -> bool:
        # Of a visitor whom it has forgotten, Gradio hands out the first example's result.
        return result.key != first or key == first

    def draw(result: Result, key: str, *look_values: object) -> dict[object, object]:
        return show(result.draw(Look(*look_values))) if is_held(result, key) else {outputs.facts: _FORGOTTEN}

    def probe_photo(result: Result, path: str, event: gr.SelectData) -> str:
        return result.probe(path, *event.index) if result.shows(path) else views.pixel_hint()

    def probe_overlay(result: Result, key: str, path: str, event: gr.SelectData) -> str:
        return result.probe(path, *event.index) if is_held(result, key) else _FORGOTTEN

    pictures = [getattr(outputs, field.name) for field in fields(Drawing)]
    pictures += [outputs.files["Overlay"], outputs.files["Heatmap"]]
    fixed_files = [outputs.files[name] for name in ("Mask", "Scores", "COCO RLE")]
    pass_outputs = [state, outputs.key, outputs.table, outputs.pixel, *fixed_files, controls.heat_class, size, photo]
    network_pass = {
        **in_line(),
        "trigger_mode": "always_last",
        "show_progress": "minimal",
        "show_progress_on": [outputs.overlay],
        "api_visibility": "private",
    }
    at_once = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last", "api_visibility": "private"}
    at_own_size = {state, photo, network, *controls.switches}
    everything = {*at_own_size, size}
    passes = (
        photo.change(segment_new_photo, everything, pass_outputs, **network_pass),
        size.release(segment_photo, everything, pass_outputs, **network_pass),
        network.change(segment_photo, at_own_size, pass_outputs, **network_pass),
        *(switch.input(segment_photo, everything, pass_outputs, **network_pass) for switch in controls.switches),
    )
    for done in passes:
        # Drawn as a step of its own, with the look that the visitor has chosen by then.
        done.success(draw, [state, outputs.key, *look], pictures, **at_once)
    for control in look:
        control.input(draw, [state, outputs.key, *look], pictures, **at_once)
    network.change(views.story, network, controls.story, **at_once)
    photo.select(probe_photo, [state, photo], outputs.pixel, **at_once)
    outputs.overlay.select(probe_overlay, [state, outputs.key, outputs.overlay], outputs.pixel, **at_once)


def _picture(path: str, name: str, alternative: str) -> gr.Image:
    return gr.Image(
        path,
        type="filepath",
        show_label=False,
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_id=name,
        elem_classes="picture",
        alt_text=alternative,
    )


def _download(label: str, path: str) -> gr.DownloadButton:
    name = label.lower().replace(" ", "-")
    return gr.DownloadButton(label, path, size="sm", min_width=70, elem_id=f"download-{name}")


def _class_choices(segmentation: Segmentation) -> list[tuple[str, str]]:
    names = list(segmentation.classes)
    if len(names) > _SHORT_LIST:
        likeliest = segmentation.likeliest_classes(_OFFERED_FIRST)
        names = likeliest + sorted(set(names) - set(likeliest), key=str.casefold)
    return [("main class", AUTO), *((name, name) for name in names)]
