"""What stands on the Segment tab, and where."""

from dataclasses import dataclass

import gradio as gr
from matplotlib.cbook import get_sample_data

from segdemo import render
from segdemo.analysis import Style
from segdemo.seeing import MIN_ANALYSIS_SIZE
from segdemo.segmentation import AUTO, Segmentation
from segdemo.ui import views
from segdemo.ui.bounded_slider import BoundedSlider
from segdemo.ui.gradio_compat import Examples
from segdemo.ui.i18n import both, static
from segdemo.ui.network_list import network_list
from segdemo.ui.photo_input import CAMERA, PhotoInput, note_camera
from segdemo.ui.result import Drawing, Result
from segdemo.ui.templates import render as render_template

# Photos that gradio and matplotlib ship, those that work first, and what stands below each.
EXAMPLES = {
    gr.get_image("cheetah1.jpg"): "examples.cheetah",
    gr.get_image("lion.jpg"): "examples.lion",
    str(get_sample_data("grace_hopper.jpg", asfileobj=False)): "examples.person",
    gr.get_image("cheetah.jpg"): "examples.far",
    gr.get_image("tower.jpg"): "examples.no_animal",
}
SHORT_LIST = 10
"""Classes that need no search."""
_MAX_SLIDER_SIZE = 512
_OFFERED_FIRST = 5  # of a longer list, those that are likeliest on the photo


@dataclass(frozen=True)
class Controls:
    """What a visitor sets.

    Attributes:
        photo: The upload field.
        examples: The photos offered for it.
        problem: Where it stands what went wrong.
        network: The list of networks.
        story: What the chosen one is.
        knows: The classes that it knows.
        taught: Opens a network that the visitor taught.
        heat_class: Of the heatmap.
        colormap: Of the heatmap.
        size: The analysis size.
        opacity: Of the overlay.
        best_quality: Whether six passes are averaged.
        refine: Whether edges move to those of the photo.
        note: What is to be known of the analysis size.
    """

    photo: PhotoInput
    examples: Examples
    problem: gr.HTML
    network: gr.Dropdown
    story: gr.HTML
    knows: gr.HTML
    taught: gr.UploadButton
    heat_class: gr.Dropdown
    colormap: gr.Dropdown
    size: gr.Slider
    opacity: gr.Slider
    best_quality: gr.Checkbox
    refine: gr.Checkbox
    note: gr.HTML

    @property
    def switches(self) -> list[gr.Checkbox]:
        """In the order of `Analysis`'s last fields."""
        return [self.best_quality, self.refine]

    @property
    def style(self) -> tuple[gr.Dropdown, gr.Slider, gr.Dropdown]:
        """In the order of `Style`'s fields."""
        return self.heat_class, self.opacity, self.colormap


@dataclass(frozen=True)
class Outputs:
    """What the tab shows of a result; `Drawing` has the same names for what a style decides."""

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
    stop: gr.Button
    why: gr.Button


def place_controls(first: str, network: str, segmentation: Segmentation) -> Controls:
    """Place what a visitor sets.

    Args:
        first: Path of the photo that stands there first.
        network: The one that is chosen at first.
        segmentation: What it made of the photo.
    """
    photo = PhotoInput(
        first,
        label=static("page.photo"),
        type="filepath",
        image_mode=None,
        **CAMERA,
        buttons=["fullscreen"],
        height=160,
        elem_id="photo",
        alt_text=both("alt.photo"),
    )
    note_camera()
    examples = gr.Examples(
        list(EXAMPLES), photo, elem_id="examples", cache_examples=False, api_visibility="private"
    )  # page.js writes their names below them
    problem = gr.HTML(elem_id="problem")
    choice = network_list(network, "network")
    story = gr.HTML(views.story(network), elem_id="story")
    knows = gr.HTML(views.knows(network), elem_id="knows")
    with gr.Row(elem_classes="teach-row"):
        gr.HTML(render_template("to_teach"), elem_id="to-teach")
        taught = gr.UploadButton(
            static("segment.open_taught"), file_types=[".safetensors"], size="sm", min_width=110, elem_id="open-taught"
        )
    with gr.Row(elem_classes="pair"):
        heat_class = gr.Dropdown(
            class_choices(segmentation),
            value=AUTO,
            label=static("segment.heat_class"),
            min_width=110,
            elem_id="heat-class",
        )
        colormap = gr.Dropdown(
            list(render.HEAT_COLORMAPS),
            value=Style.colormap,
            label=static("segment.colormap"),
            min_width=110,
            elem_id="colormap",
        )
    with gr.Row(elem_classes="pair"):
        size = BoundedSlider(
            MIN_ANALYSIS_SIZE,
            _MAX_SLIDER_SIZE,
            max(segmentation.analysis_size),
            step=8,  # every network's own size is among them
            label=static("segment.size"),
            min_width=110,
            buttons=[],
            elem_id="size",
        )
        opacity = BoundedSlider(
            0,
            1,
            Style.opacity,
            step=0.05,
            label=static("segment.opacity"),
            min_width=110,
            buttons=[],
            elem_id="opacity",
        )
    with gr.Row(elem_classes="pair"):
        refine = gr.Checkbox(False, label=static("segment.refine"), min_width=110, elem_id="refine")
        best_quality = gr.Checkbox(False, label=static("segment.best_quality"), min_width=110, elem_id="best-quality")
    note = gr.HTML(views.size_note(segmentation), elem_id="size-note")
    switches = (best_quality, refine)
    return Controls(
        photo, examples, problem, choice, story, knows, taught, heat_class, colormap, size, opacity, *switches, note
    )


def place_results(result: Result, drawing: Drawing) -> Outputs:
    """Place what a result shows at first."""
    with gr.Row(elem_classes="big"):
        with gr.Column(min_width=280):
            overlay = _picture(drawing.overlay, "overlay", "alt.overlay")
            stop = gr.Button(static("page.stop"), size="sm", min_width=0, elem_id="stop")
            legend = gr.HTML(drawing.legend)
        with gr.Column(min_width=280):
            heatmap = _picture(drawing.heatmap, "heatmap", "alt.heatmap")
            heat_bar = gr.HTML(drawing.heat_bar)
    with gr.Row(elem_classes="below"):
        with gr.Column(scale=4, min_width=220):
            grid = _picture(drawing.grid, "grid", "alt.grid")
            grid_bar = gr.HTML(drawing.grid_bar)
        with gr.Column(scale=6, min_width=280, elem_classes="figures"):
            table = gr.HTML(views.class_table(result.segmentation), elem_id="classes")
            pixel = gr.HTML(views.pixel_hint(), elem_id="pixel")
            paths = {
                "mask": result.mask,
                "overlay": drawing.overlay,
                "heatmap": drawing.heatmap,
                "scores": result.scores,
                "rle": result.rle,
            }
            with gr.Row(elem_classes="downloads"):
                files = {name: _download(name, path) for name, path in paths.items()}
                why = gr.Button(static("lessons.why"), size="sm", min_width=70, elem_id="why-here")
    facts = gr.HTML(drawing.facts, elem_id="facts")
    key = gr.Textbox(result.key, visible=False)  # the browser keeps it, whatever becomes of the state
    return Outputs(overlay, heatmap, grid, legend, heat_bar, grid_bar, table, pixel, facts, key, files, stop, why)


def _picture(path: str, name: str, alternative: str) -> gr.Image:
    return gr.Image(
        path,
        type="filepath",
        show_label=False,
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_id=name,
        elem_classes="picture",
        alt_text=both(alternative),
    )


def _download(name: str, path: str) -> gr.DownloadButton:
    return gr.DownloadButton(static(f"segment.{name}"), path, size="sm", min_width=70, elem_id=f"download-{name}")


def class_choices(segmentation: Segmentation) -> list[tuple[str, str]]:
    """Give what the heatmap can be of: the main class, and each by its name, in a long list the likeliest first."""
    names = list(segmentation.classes)
    if len(names) > SHORT_LIST:
        likeliest = segmentation.likeliest_classes(_OFFERED_FIRST)
        names = likeliest + sorted(set(names) - set(likeliest), key=str.casefold)
    return [(both("segment.main_class"), AUTO), *((name, name) for name in names)]
