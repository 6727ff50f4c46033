"""How fast the lessons' pages answer a moved control: server time, everything but the network between."""

import io
import itertools
from collections.abc import Iterator
from functools import partial

import gradio as gr
from anyio.from_thread import start_blocking_portal
from PIL import Image

from segdemo.bench.timing import Timing, timed
from segdemo.ui.gradio_compat import Event, Visitor, events_of, sent_untouched

_LESSONS = "segdemo.ui.lesson"


def lesson_ms(demo: gr.Blocks, runs: int) -> dict[str, float]:
    """Move each control of each lesson to and fro.

    What is timed is what the server does for it: reading the inputs, computing, drawing, and writing pictures where the
    page fetches them.

    Returns:
        By control (lesson and element's id): the median in milliseconds; and `slowest`, the largest of them.
    """
    found = {}
    with start_blocking_portal() as portal:  # an event loop in a thread of its own, as a server has it
        for name, event, place, values in _controls(demo):
            visitor = Visitor(demo)
            inputs = [sent_untouched(component) for component in event.inputs]
            seconds = []
            for value in itertools.islice(itertools.cycle(reversed(values)), runs + 1):
                inputs[place] = value
                answer = partial(portal.call, visitor.send, event, list(inputs))
                seconds.append(timed(answer)[0])
            found[name] = Timing.of(seconds[1:]).median * 1000
    return {**found, "slowest": max(found.values())}


def teach_ms(demo: gr.Blocks, runs: int) -> dict[str, float]:
    """Tap on the lesson's first photo again and again, on the class and beside it in turn.

    Returns:
        `first`, the first tap with the pass through the frozen stages, and `tap`, the median of the others, in
        milliseconds: fitting, drawing, the file to save, and writing the pictures.
    """
    event = next(event for event in events_of(demo) if _name(event) == "answer_tap")
    state, _, heatmap_of, _ = event.inputs
    taught, seconds = state.value, []
    for index in range(runs + 1):
        x, y = 0.2 + 0.6 * (index * 0.382 % 1), 0.2 + 0.6 * (index * 0.618 % 1)
        place = [int(share * side) for share, side in zip((x, y), taught.photo.image.size, strict=True)]
        tapped = gr.SelectData(None, {"index": place, "value": None})
        passed, (taught, *shown) = timed(
            partial(event.function, taught, taught.has_begun, heatmap_of.value, index % 2, tapped)
        )
        pictures = [value for value in shown if isinstance(value, Image.Image)]
        written = timed(partial(_write, pictures))[0]
        seconds.append(passed + written)
    return {"first": seconds[0] * 1000, "tap": Timing.of(seconds[1:]).median * 1000}


def _name(event: Event) -> str:
    return getattr(event.function, "__name__", "")


def _write(pictures: list[Image.Image]) -> None:
    for picture in pictures:
        picture.save(io.BytesIO(), "PNG")


def _controls(demo: gr.Blocks) -> Iterator[tuple[str, Event, int, list[object]]]:
    """Give each control once, with its event, its place among that event's inputs, and two values for it."""
    seen = set()
    for event in events_of(demo):
        module = getattr(event.function, "__module__", "")
        for component in event.triggers if module.startswith(_LESSONS) else ():
            values = _values(component)
            lesson, function = module.removeprefix(_LESSONS).strip("_"), _name(event).strip("_")
            name = f"{lesson} {component.elem_id} {function}"
            if values and component in event.inputs and name not in seen:
                seen.add(name)
                yield name, event, event.inputs.index(component), values


def _values(component: object) -> list[object]:
    """Give a control's first value and one to move it to; none for what is no control."""
    if isinstance(component, gr.Slider | gr.Number):
        step = getattr(component, "step", None) or 1
        low = getattr(component, "minimum", None)
        down = component.value - step
        return [component.value, down if low is None or down >= low else component.value + step]
    if isinstance(component, gr.Checkbox):
        return [component.value, not component.value]
    if isinstance(component, gr.Radio | gr.Dropdown):
        others = [value for _, value in component.choices if value != component.value]
        return [component.value, others[0]] if others else []
    return []
