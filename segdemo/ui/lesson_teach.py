"""The lesson in which a visitor teaches a 1×1 conv a class of their own."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image
from torch import Tensor

from segdemo import catalog, render
from segdemo.analysis import Style
from segdemo.devices import device_lock
from segdemo.images import read_image
from segdemo.lessons import teach
from segdemo.lessons.kept import keep, keep_photos, restore
from segdemo.lessons.teaching import Photo, Teaching
from segdemo.models.fcn import FCN
from segdemo.models.taught import TaughtVGG
from segdemo.seeing import normalised
from segdemo.segmentation import Segmentation
from segdemo.ui import files, views
from segdemo.ui.events import AT_ONCE, in_turn
from segdemo.ui.gradio_compat import on_load, shown_file
from segdemo.ui.i18n import both, say, say_made, static
from segdemo.ui.lesson_parts import guide, lesson_network, note, picture, read_photo, table
from segdemo.ui.link import Place
from segdemo.ui.photo_input import photo_field
from segdemo.ui.teach_memory import Memory, is_new

_TRUNK = "fcn8s_vgg16"
_SHOWN = 512  # pixels, the longer side of a picture
_UNMARKED = "not marked"
_FORGOTTEN = "The server has forgotten this page. Reload it: your browser has kept what you taught."


def build() -> Place:
    """Lay the lesson out and wire it; gives what a link can set."""
    gr.Markdown(static("teach.text"))
    guide("teach")
    parts = _Parts()
    _wire(Memory.of(parts.first, shown_file(parts.photo)), parts)
    return Place(photo=parts.photo, examples=parts.examples)


class _Parts:
    """What the page holds of the lesson, placed when it is made."""

    def __init__(self) -> None:
        with gr.Row():
            with gr.Column(scale=3, min_width=260, elem_classes="controls"):
                self._place_controls()
            with gr.Column(scale=8, min_width=300):
                self._place_results()

    def _place_controls(self) -> None:
        self.photo, self.examples = photo_field("teach-photo", camera=True)
        self.first = Teaching().with_photo(_read(shown_file(self.photo)))
        self.names = gr.Textbox(
            ", ".join(self.first.classes[1:]),
            label=static("teach.names", most=teach.MAX_CLASSES),
            max_lines=1,
            elem_id="teach-names",
        )
        ways = [(both("teach.points"), False), (both("teach.whole_photos"), True)]
        self.way = gr.Radio(ways, value=False, label=static("teach.way"), elem_id="teach-way")
        self.tap_means = gr.Radio(_labels(self.first), value=1, label=static("teach.tap_means"), elem_id="teach-label")
        self.mark = gr.Radio([], label=static("teach.mark"), visible=False, elem_id="teach-mark")
        with gr.Row():
            self.undo, self.clear, self.restart = (
                gr.Button(static(f"teach.{name}"), size="sm", min_width=60, elem_id=f"teach-{name}")
                for name in ("undo", "clear", "restart")
            )

    def _place_results(self) -> None:
        first = self.first
        photos, classes = _photo_choices(first), _labels(first)[:-1]
        self.photos = gr.Radio(photos, value=first.shown, label=static("teach.photos"), elem_id="teach-photos")
        self.said = gr.HTML(elem_id="teach-said")
        with gr.Row(elem_classes="teach-pictures"):
            self.tapped = _picture(first.photo.image, "teach.tap_here", "teach-photo-taps", "jpeg")
            self.class_map = _picture(None, "view.class_map", "teach-map", "jpeg")
            self.heatmap = _picture(None, "segment.heatmap", "teach-heatmap", "png")
        self.heatmap_of = gr.Radio(classes, value=1, label=static("segment.heat_class"), elem_id="teach-heatmap-of")
        self.facts = gr.HTML(elem_id="teach-facts")
        self.saved = gr.DownloadButton(static("teach.save"), None, size="sm", interactive=False, elem_id="teach-save")
        self.opened = gr.UploadButton(
            static("teach.open"), file_types=[".safetensors"], size="sm", min_width=90, elem_id="teach-open"
        )

    def every(self) -> list[gr.Component]:
        """Give what changes with every step, in the order in which `_show` gives it."""
        choices = [self.photos, self.tap_means, self.mark, self.heatmap_of]
        return [*choices, self.tapped, self.class_map, self.heatmap, self.said, self.facts, self.saved]


def _picture(value: Image.Image | None, caption: str, name: str, form: str) -> gr.Image:
    return picture(value, caption, name, form=form, smooth=True, alternative=f"alt.{name}")


def _step(change: Callable[..., Teaching], fits: bool = True) -> Callable[..., list[object]]:
    """Make an event's function of a change to what was taught."""

    def run(teaching: Teaching, has_begun: bool, shown_class: int, *values: object) -> list[object]:
        start = time.perf_counter()
        try:
            if has_begun and not teaching.has_begun:
                raise ValueError(_FORGOTTEN)
            changed = replace(change(teaching, *values), has_begun=True)
            changed = changed.fitted(_features) if fits or changed.layer is None else changed
        except ValueError as error:  # what stands on the page stays, and why is said
            return [*[gr.skip()] * 11, note(say_made(str(error)), role="alert"), gr.skip(), gr.skip()]
        is_kept = teaching.has_begun and changed.photos == teaching.photos  # no step brought the page's first photo
        photos = gr.skip() if is_kept else keep_photos(changed)
        return [changed, keep(changed), photos, True, *_show(changed, shown_class, start)]

    return run


def _wire(memory: Memory, parts: _Parts) -> None:
    photo, names, opened = parts.photo, parts.names, parts.opened
    outputs = [*memory.every(), *parts.every()]
    asked = [memory.state, memory.has_begun, parts.heatmap_of]

    def listen(
        event: Callable[..., object], change: Callable[..., Teaching], *inputs: object, fits: bool = True
    ) -> None:
        event(_step(change, fits), [*asked, *inputs], outputs, **in_turn(parts.tapped))

    def answer_tap(
        teaching: Teaching, has_begun: bool, shown_class: int, label: int, event: gr.SelectData
    ) -> list[object]:
        width, height = teaching.photo.image.size
        x, y = ((place + 0.5) / side for place, side in zip(event.index, (width, height), strict=True))
        return _step(lambda old: old.tapped(x, y, label))(teaching, has_begun, shown_class)

    def answer_photo(
        teaching: Teaching, has_begun: bool, shown_class: int, path: str | None, held: str
    ) -> list[object]:
        if path is None or not is_new(path, held):
            return [gr.skip()] * (len(outputs) + 1)
        shown = _step(lambda old: old.with_photo(_read(path)), fits=False)(teaching, has_begun, shown_class)
        return [*shown, path]

    def bring_back(first: Teaching, kept: object, photos: object) -> list[object]:
        """Show what the visitor's browser kept, where it kept anything."""
        if not kept or not photos:
            return [gr.skip()] * (len(outputs) + 2)
        try:
            decoded = restore(kept, photos, lambda file: read_image(file, _SHOWN**2))
        except (ValueError, gr.Error):
            return [first, None, None, *[gr.skip()] * (len(outputs) - 1)]
        back = replace(decoded, has_begun=True)
        shown = [back, gr.skip(), gr.skip(), True, *_show(back, 1, time.perf_counter())]
        return [*shown, ", ".join(back.classes[1:]), back.whole_photos]

    photo.change(answer_photo, [*asked, photo, memory.field], [*outputs, memory.field], **in_turn(parts.tapped))
    listen(parts.photos.input, lambda old, index: replace(old, shown=index), parts.photos, fits=False)
    for event in (names.submit, names.blur):
        listen(event, Teaching.named, names, fits=False)
    listen(parts.way.input, lambda old, whole: replace(old, whole_photos=whole), parts.way)
    listen(parts.mark.input, lambda old, label: old.marked(None if label == _UNMARKED else label), parts.mark)
    # Quick ones wait for each other, and none is lost.
    every_tap: dict[str, Any] = {**in_turn(parts.tapped), "trigger_mode": "multiple"}
    parts.tapped.select(answer_tap, [*asked, parts.tap_means], outputs, **every_tap)
    listen(parts.undo.click, Teaching.undone)
    listen(parts.clear.click, Teaching.cleared)
    listen(parts.restart.click, lambda old: Teaching(classes=old.classes).with_photo(old.photo))
    listen(opened.upload, lambda old, path: old.opened(Path(path)), opened, fits=False)
    parts.heatmap_of.input(_heatmap, [memory.state, parts.heatmap_of], parts.heatmap, **AT_ONCE)
    opened.upload(lambda teaching: ", ".join(teaching.classes[1:]), memory.state, names, **AT_ONCE)
    on_load(bring_back, [memory.state, memory.kept, memory.photos], [*outputs, names, parts.way], **AT_ONCE)


def _read(path: str) -> Photo:
    image = read_photo(path)
    return Photo.of(image.resize(render.display_size(image.size, _SHOWN), reducing_gap=2.0))


@lru_cache(maxsize=16)  # of all visitors together: 9 MB each
def _features(photo: Photo) -> Tensor:
    """Run the frozen stages on a photo, once."""
    image = normalised(photo.image, photo.analysis_size, catalog.find(_TRUNK).metadata)
    with device_lock("cpu"):
        return teach.photo_features(_network(2), image)


@lru_cache(maxsize=teach.MAX_CLASSES)
def _network(classes: int) -> TaughtVGG:
    """Give a network on the FCN's stages, which all visitors share; whoever writes a file from it fills its conv."""
    return TaughtVGG(list(lesson_network(_TRUNK, FCN).stages), classes).eval()


def _labels(teaching: Teaching) -> list[tuple[str, int]]:
    """Give the classes as choices, the background last."""
    return [*((name, index) for index, name in enumerate(teaching.classes) if index), (both("teach.beside"), 0)]


def _photo_choices(teaching: Teaching) -> list[tuple[str, int]]:
    return [(str(index + 1), index) for index in range(len(teaching.photos))]


def _show(teaching: Teaching, shown_class: int, start: float) -> list[object]:
    """Draw everything, in the order of `_Parts.every`."""
    labels = _labels(teaching)
    shown_class = min(shown_class or 1, len(teaching.classes) - 1)
    marks = [
        *((both("teach.has", class_name=name), index) for name, index in labels[:-1]),
        (both("teach.has_none"), 0),
        (both("teach.unmarked"), _UNMARKED),
    ]
    mark = teaching.marks[teaching.shown]
    points = [(t.x, t.y, teaching.colours[t.label]) for t in teaching.taps if t.photo == teaching.shown]
    choices = [
        gr.Radio(_photo_choices(teaching), value=teaching.shown),
        gr.Radio(labels, visible=not teaching.whole_photos),
        gr.Radio(marks, value=_UNMARKED if mark is None else mark, visible=teaching.whole_photos),
        gr.Radio(labels[:-1], value=shown_class),
        render.points(teaching.photo.image, points),
    ]
    if teaching.layer is None:
        hint = note(say("teach.hint_photos" if teaching.whole_photos else "teach.hint_points"))
        return [*choices, None, None, "", hint, gr.DownloadButton(interactive=False)]
    found = teaching.segmentation(_features)
    size = teaching.photo.image.size
    class_map = render.overlay(teaching.photo.image, found.class_map(size), found.colours, Style.opacity)
    heatmap = render.heatmap(found.heatmap(shown_class, size))
    path = files.new_folder() / f"{files.plain(' '.join(teaching.classes[1:])) or 'taught'}.safetensors"
    teaching.save(path, _network(len(teaching.classes)), catalog.find(_TRUNK))
    facts = _facts(teaching, found, (time.perf_counter() - start) * 1000)
    return [*choices, class_map, heatmap, "", facts, gr.DownloadButton(value=str(path), interactive=True)]


def _heatmap(teaching: Teaching, index: int) -> object:
    if teaching.layer is None:
        return gr.skip()
    return render.heatmap(teaching.segmentation(_features).heatmap(index, teaching.photo.image.size))


def _facts(teaching: Teaching, found: Segmentation, milliseconds: float) -> str:
    """Say what was fitted, and compare the 1×1 conv with the Linear layer of the same weight."""
    features, layer = _features(teaching.photo), teaching.layer
    assert layer is not None
    _, height, width = features.shape
    row, column = height // 2, width // 2
    equal = teach.compare_layers(layer.as_conv(), features, row, column)
    shape = str(list(equal.linear_shape))
    rows = [
        [say("teach.linear_cell"), shape, say("teach.cell", row=row, column=column), f"{equal.cell_difference:.1e}"],
        [say("teach.linear_pooled"), shape, say("teach.all_cells"), f"{equal.pooled_difference:.1e}"],
    ]
    how = "teach.by_photos" if teaching.whole_photos else "teach.by_taps"
    fitted = say(how if layer.steps else "teach.opened", count=teaching.examples, steps=layer.steps)
    sentence = say(
        "teach.facts",
        shape=list(equal.conv_shape),
        fitted=fitted,
        milliseconds=milliseconds,
        shares=", ".join(f"{name} {found.areas[name]:.1%}" for name in found.classes[1:]),
    )
    heads = [say(f"teach.head_{head}") for head in ("layer", "shape", "on", "difference")]
    return views.legend(found) + note(sentence) + table(heads, rows)
