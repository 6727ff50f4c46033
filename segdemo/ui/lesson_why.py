"""The lesson that asks a network why: where it looks, what speaks for a class, and what is lost under a grey square."""

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import torch
from markupsafe import Markup
from PIL import Image, ImageDraw

from segdemo import catalog, render
from segdemo.devices import device_lock
from segdemo.lessons import why
from segdemo.models import SegmentationNetwork
from segdemo.ui.events import IN_TURN, SILENT, in_turn
from segdemo.ui.gradio_compat import keep_copy, shown_file
from segdemo.ui.i18n import both, plain, say, static
from segdemo.ui.lesson_parts import (
    as_seen,
    figure,
    figure_row,
    guide,
    lesson_network,
    note,
    picture,
    read_photo,
    slider,
    table,
)
from segdemo.ui.link import Place
from segdemo.ui.network_list import network_list
from segdemo.ui.photo_input import photo_field
from segdemo.ui.service import DENSE_CLASSIFIER

_AUTO = ""
_CHANNELS = 6
_SHOWN = 512  # pixels, the longer side of the photo
_SMALL = 320
_SHARE = 0.9
_ASK, _HIDE = "ask", "hide"


@dataclass(frozen=True)
class Question:
    """Which cell a visitor asks about, and the grey square's centre if there is one: shares of the photo's sides.

    The path is that of the photo where the question came with one.
    """

    x: float = 0.5
    y: float = 0.5
    square: tuple[float, float] | None = None
    photo: str | None = None


def build() -> Place:
    """Lay the lesson out and wire it; gives what a link can set."""
    gr.Markdown(static("why.text"))
    guide("why")
    question = gr.State(Question())
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photo, examples = photo_field("why-photo")
            network = network_list(DENSE_CLASSIFIER, "why-network", catalog.BUNDLED.values())
            of_class = gr.Dropdown(
                _classes(DENSE_CLASSIFIER), value=_AUTO, label=static("why.class"), elem_id="why-class"
            )
            clicks = [(both("why.ask"), _ASK), (both("why.hide"), _HIDE)]
            click = gr.Radio(clicks, value=_ASK, label=static("why.click"), elem_id="why-click")
            side = slider(8, 96, 32, "why.side", "why-side")
            effective = gr.Button(static("why.effective"), size="sm", elem_id="why-effective")
        with gr.Column(scale=8, min_width=300):
            first = _draw(shown_file(photo), DENSE_CLASSIFIER, _AUTO, 32, Question())
            with gr.Row():
                asked = picture(first[0], "alt.why-asked", "why-asked", form="jpeg", smooth=True)
                field = picture(None, "why.field", "why-field", 300)
            answer = gr.HTML(first[1], elem_id="why-answer")
    controls = [photo, network, of_class, side, question]
    outputs = [asked, answer]

    def clicked(event: gr.SelectData, *values: Any) -> list[object]:  # noqa: ANN401 - Gradio's own
        path, name, what, pixels, held, how = values
        width, height = render.display_size(read_photo(path).size, _SHOWN)
        x, y = (event.index[0] + 0.5) / width, (event.index[1] + 0.5) / height
        held = replace(held, square=(x, y)) if how == _HIDE else replace(held, x=x, y=y)
        return [held, *_draw(path, name, what, pixels, held)]

    def new_photo(path: str | None, name: str, what: str, pixels: float, held: Question) -> list[object]:
        held = held if path and held.photo == path else Question()
        return [held, *_draw(path, name, what, pixels, held), None]

    photo.change(new_photo, controls, [question, *outputs, field], **in_turn(asked))
    network.change(lambda name: gr.Dropdown(_classes(name), value=_AUTO), network, of_class, **IN_TURN).then(
        _draw, controls, outputs, **IN_TURN
    )
    gr.on([of_class.input, side.release], _draw, controls, outputs, **in_turn(asked))
    asked.select(clicked, [*controls, click], [question, *outputs], **in_turn(asked))
    effective.click(_draw_effective, controls, field, **in_turn(asked))
    return Place(network=network, photo=photo, examples=examples, question=question)


def answer_segment(asking: tuple[gr.Tabs, Place], here: tuple[gr.Tabs, Place]) -> None:
    """Let the Segment tab's button open this lesson with its photo, network and the pixel that was clicked."""
    (tabs, segment), (lessons, lesson) = asking, here
    assert segment.why and segment.network and segment.photo and lesson.network
    photo, question = lesson.photo, lesson.question
    assert photo and question

    def ask(network: str, path: str | None, point: dict[str, float] | None) -> list[object]:
        if network not in catalog.BUNDLED or path is None:
            raise gr.Error(plain("why.only_bundled"), print_exception=False)
        kept = keep_copy(path, photo)
        x, y = (min(max(float(point[side]), 0.0), 1.0) for side in "xy") if point else (0.5, 0.5)
        return [gr.Tabs(selected="lessons"), gr.Tabs(selected="why"), network, kept, Question(x, y, photo=kept)]

    segment.why.click(
        ask,
        [segment.network, segment.photo, gr.JSON(visible=False)],
        [tabs, lessons, lesson.network, photo, question],
        js="(network, photo) => [network, photo, segdemo.asked()]",
        **IN_TURN,
    ).success(None, js="() => { segdemo.show('lesson', 'why'); segdemo.show('tab', 'lessons'); }", **SILENT)


def _classes(name: str) -> list[tuple[str, str]]:
    return [(both("why.highest"), _AUTO), *((each, each) for each in catalog.find(name).metadata.classes)]


def _ask(path: str, name: str, what: str, question: Question) -> why.Asked:
    metadata = catalog.find(name).metadata
    image = as_seen(read_photo(path), name, metadata.analysis_size)
    network = lesson_network(name, SegmentationNetwork)
    height, width = image.shape[1:]
    row, column = (
        min(int(share * side / network.stride), -(-side // network.stride) - 1)
        for share, side in ((question.y, height), (question.x, width))
    )
    if what in metadata.classes:
        return why.Asked(network, image, metadata.classes.index(what), row, column)
    with torch.inference_mode():
        scores = network.padded_score_map(image[None])[0]
    return why.Asked(network, image, int(scores[:, row, column].argmax()), row, column)


def _draw(path: str | None, name: str, what: str, pixels: float, question: Question) -> list[Any]:
    if path is None:
        return [gr.skip(), gr.skip()]
    photo = read_photo(path)
    with device_lock("cpu"):
        asked = _ask(path, name, what, question)
        height, width = asked.image.shape[1:]
        field = why.theoretical_field(asked)
        square = _square(question, width, height, int(pixels))
        score = why.score(asked)
        hidden = why.score(replace(asked, image=why.occlude(asked.image, square))) if square else None
        parts = _parts(asked)
    drawn = photo.resize(render.display_size(photo.size, _SHOWN), reducing_gap=2.0)
    stride = asked.network.stride
    cell = why.Box(asked.column * stride, asked.row * stride, (asked.column + 1) * stride, (asked.row + 1) * stride)
    _frame(drawn, field.clipped(width, height), width, "white")
    _frame(drawn, cell, width, "orange")
    if square:
        _frame(drawn, square.clipped(width, height), width, "black", fill="#808080")
    size = f"{field.size[0]}×{field.size[1]}"
    sentences = [
        say(
            "why.cell",
            row=asked.row,
            column=asked.column,
            stride=stride,
            size=size,
            analysed=f"{width}×{height}",
            class_name=catalog.find(name).metadata.classes[asked.class_index],
            score=score,
        )
    ]
    if hidden is not None:
        sentences.append(say("why.hidden", score=hidden, change=hidden - score))
    return [drawn, note(Markup(" ").join(sentences)) + parts]


def _draw_effective(path: str | None, name: str, what: str, _: float, question: Question) -> object:
    if path is None:
        return gr.skip()
    with device_lock("cpu"):
        asked = _ask(path, name, what, question)
        field = why.effective_field(asked)
    # Gradients fall off like a bell; the root shows its sides.
    shown = render.heatmap((field / field.max().clamp_min(1e-12)).sqrt().numpy(), "magma")
    picture = render.enlarge(shown, _SHOWN)
    _frame(picture, why.share_box(field, _SHARE).clipped(shown.width, shown.height), shown.width, "white")
    return picture


def _parts(asked: why.Asked) -> str:
    """Take the score apart: by channels, or by an FCN's paths."""
    if asked.network.score_layer is None:
        shares = why.path_shares(asked)
        rows: list[tuple[object, str]] = [(source, f"{part:+.3f}") for source, part in shares.parts.items()]
        total = sum(shares.parts.values())
        rows += [(say("why.sum_of_paths"), f"{total:+.4f}"), (say("why.own_score"), f"{shares.score:+.4f}")]
        return table([say("why.head_path"), say("why.head_score")], rows)
    found = why.contributions(asked)
    channels = found.largest(_CHANNELS)
    rest = found.total - found.bias - float(found.terms[channels].sum())
    rows = [
        *((say("why.channel", channel=k), f"{float(found.terms[k]):+.3f}") for k in channels),
        (say("why.others", count=len(found.terms) - len(channels)), f"{rest:+.3f}"),
        (say("why.bias"), f"{found.bias:+.3f}"),
        (say("why.sum"), f"{found.total:+.4f}"),
        (say("why.own_score"), f"{found.score:+.4f}"),
    ]
    maps = [
        figure(render.feature_map(found.maps[k].clamp_min(0).numpy()), both("why.channel", channel=k), f"channel-{k}")
        for k in channels
    ]
    heads = [say("why.head_part"), "w_k · f_k"]
    return table(heads, rows) + figure_row(say("why.maps"), maps) + _cams(asked)


def _cams(asked: why.Asked) -> str:
    found = why.grad_cam(asked)
    limit, factor = float(found.cam.abs().max()), found.factor
    cam = render.score_grid(found.cam.numpy(), limit, _SMALL, 0)
    grad_cam = render.score_grid((found.grad_cam * factor).numpy(), limit, _SMALL, 0)
    pictures = [figure(cam, both("why.cam"), "cam"), figure(grad_cam, both("why.grad_cam", factor=factor), "grad-cam")]
    sentence = say("why.cam_note", factor=factor, difference=found.difference)
    return figure_row(say("why.cams"), pictures) + note(sentence, role=None)


def _square(question: Question, width: int, height: int, side: int) -> why.Box | None:
    if question.square is None:
        return None
    x, y = round(question.square[0] * width), round(question.square[1] * height)
    return why.Box(x - side // 2, y - side // 2, x + (side + 1) // 2, y + (side + 1) // 2)


def _frame(picture: Image.Image, box: why.Box, width: int, colour: str, fill: str | None = None) -> None:
    """Draw a box of analysed pixels, of an image so wide, on a larger or smaller picture of it."""
    scale = picture.width / width
    corners = [value * scale for value in (box.left, box.top, box.right, box.bottom)]
    ImageDraw.Draw(picture).rectangle([c - (i > 1) for i, c in enumerate(corners)], fill, colour, width=2)
