"""What stands on the Segment tab, and where."""

from typing import Any

import gradio as gr
from matplotlib.cbook import get_sample_data

from segdemo import render
from segdemo.analysis import Style
from segdemo.seeing import MIN_ANALYSIS_SIZE
from segdemo.segmentation import AUTO, Segmentation
from segdemo.ui import views
from segdemo.ui.bounded_slider import BoundedSlider
from segdemo.ui.i18n import both, static
from segdemo.ui.network_list import network_list
from segdemo.ui.photo_input import photo_field
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


class Controls:
    """What a visitor sets, placed when it is made: a photo, a network, and what this made of it stand there first."""

    def __init__(self, first: str, network: str, segmentation: Segmentation) -> None:
        # page.js writes the examples' names below them.
        self.photo, self.examples = photo_field(
            "photo", examples=EXAMPLES, first=first, camera=True, height=160, buttons=["fullscreen"]
        )
        self.problem = gr.HTML(elem_id="problem")
        self.network = network_list(network, "network")
        self.story = gr.HTML(views.story(network), elem_id="story")
        self.knows = gr.HTML(views.knows(network), elem_id="knows")
        with gr.Row(elem_classes="teach-row"):
            gr.HTML(render_template("to_teach"), elem_id="to-teach")
            self.taught = gr.UploadButton(file_types=[".safetensors"], size="sm", **_settings("open_taught"))
        with gr.Row(elem_classes="pair"):
            self.heat_class = gr.Dropdown(class_choices(segmentation), value=AUTO, **_settings("heat_class"))
            self.colormap = gr.Dropdown(list(render.HEAT_COLORMAPS), value=Style.colormap, **_settings("colormap"))
        with gr.Row(elem_classes="pair"):
            sizes = (MIN_ANALYSIS_SIZE, _MAX_SLIDER_SIZE, max(segmentation.analysis_size))
            # In steps among which every network's own size is.
            self.size = BoundedSlider(*sizes, step=8, buttons=[], **_settings("size"))
            self.opacity = BoundedSlider(0, 1, Style.opacity, step=0.05, buttons=[], **_settings("opacity"))
        with gr.Row(elem_classes="pair"):
            self.refine = gr.Checkbox(False, **_settings("refine"))
            self.best_quality = gr.Checkbox(False, **_settings("best_quality"))
        self.note = gr.HTML(views.size_note(segmentation), elem_id="size-note")

    @property
    def switches(self) -> list[gr.Checkbox]:
        """In the order of `Analysis`'s last fields."""
        return [self.best_quality, self.refine]

    @property
    def style(self) -> tuple[gr.Dropdown, gr.Slider, gr.Dropdown]:
        """In the order of `Style`'s fields."""
        return self.heat_class, self.opacity, self.colormap


class Outputs:
    """What the tab shows of a result, placed when it is made; `Drawing` has the same names for what a style decides."""

    def __init__(self, result: Result, drawing: Drawing) -> None:
        with gr.Row(elem_classes="big"):
            with gr.Column(min_width=280):
                self.overlay = _picture(drawing.overlay, "overlay")
                self.stop = gr.Button(static("page.stop"), size="sm", min_width=0, elem_id="stop")
                self.legend = gr.HTML(drawing.legend)
            with gr.Column(min_width=280):
                self.heatmap = _picture(drawing.heatmap, "heatmap")
                self.heat_bar = gr.HTML(drawing.heat_bar)
        with gr.Row(elem_classes="below"):
            with gr.Column(scale=4, min_width=220):
                self.grid = _picture(drawing.grid, "grid")
                self.grid_bar = gr.HTML(drawing.grid_bar)
            with gr.Column(scale=6, min_width=280, elem_classes="figures"):
                self.table = gr.HTML(views.class_table(result.segmentation), elem_id="classes")
                self.pixel = gr.HTML(render_template("pixel_hint"), elem_id="pixel")
                with gr.Row(elem_classes="downloads"):
                    self.files = {
                        "mask": _download("mask", result.mask),
                        "overlay": _download("overlay", drawing.overlay),
                        "heatmap": _download("heatmap", drawing.heatmap),
                        "scores": _download("scores", result.scores),
                        "rle": _download("rle", result.rle),
                    }
                    self.why = gr.Button(static("lessons.why"), size="sm", min_width=70, elem_id="why-here")
        self.facts = gr.HTML(drawing.facts, elem_id="facts")
        self.key = gr.Textbox(result.key, visible=False)  # the browser keeps it, whatever becomes of the state


def _settings(name: str) -> dict[str, Any]:
    return {"label": static(f"segment.{name}"), "min_width": 110, "elem_id": name.replace("_", "-")}


def _picture(path: str, name: str) -> gr.Image:
    return gr.Image(
        path,
        show_label=False,
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_id=name,
        elem_classes="picture",
        alt_text=both(f"alt.{name}"),
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
