"""How fast the lessons' pages answer a moved control: server time, everything but the network between."""

import itertools
from collections.abc import Iterator
from functools import partial

import gradio as gr
from anyio.from_thread import start_blocking_portal
from gradio.block_function import BlockFunction
from gradio.components import Component
from gradio.state_holder import SessionState

from segdemo.bench.timing import Timing, timed

_LESSONS = "segdemo.ui.lesson"


def lesson_ms(demo: gr.Blocks, runs: int) -> dict[str, float]:
    """Move each control of each lesson to and fro.

    What is timed is what the server does for it: reading the inputs, computing, drawing, and writing pictures where the
    page fetches them.

    Args:
        demo: From `build_demo`.
        runs: Times that each control is moved.

    Returns:
        By control (lesson and element's id): the median in milliseconds; and `slowest`, the largest of them.
    """
    found = {}
    with start_blocking_portal() as portal:  # an event loop in a thread of its own, as a server has it
        for name, event, place, values in _controls(demo):
            session = SessionState(demo)
            inputs = [_sent(component) for component in event.inputs]
            seconds = []
            for value in itertools.islice(itertools.cycle(reversed(values)), runs + 1):
                inputs[place] = value
                answer = partial(portal.call, demo.process_api, event, list(inputs), session)
                seconds.append(timed(answer)[0])
            found[name] = Timing.of(seconds[1:]).median * 1000
    return {**found, "slowest": max(found.values())}


def _controls(demo: gr.Blocks) -> Iterator[tuple[str, BlockFunction, int, list[object]]]:
    """Give each control once, with its event, its place among that event's inputs, and two values for it."""
    seen = set()
    for event in demo.fns.values():
        module = getattr(event.fn, "__module__", "")
        for target, _ in event.targets if module.startswith(_LESSONS) else ():
            component = demo.blocks[target]
            values = _values(component)
            name = f"{module.removeprefix(_LESSONS).strip('_')} {component.elem_id} {event.fn.__name__.strip('_')}"
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
        return [component.value, others[0]]
    return []


def _sent(component: Component) -> object:
    """Give what a browser would send for a component that nobody has touched."""
    return None if isinstance(component, gr.State) else component.get_config()["value"]
