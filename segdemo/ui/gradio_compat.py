"""Everything that leans on Gradio's internals: what is here may break when Gradio moves, and nothing else.

Each part has a test in `tests/test_gradio_compat.py` that fails first. Elsewhere only names that `gradio` itself
exports are used.
"""

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import gradio as gr
from gradio import helpers
from gradio.block_function import BlockFunction
from gradio.blocks import BlocksConfig
from gradio.components.api_component import Api
from gradio.context import Context, LocalContext, get_render_context, set_render_context
from gradio.data_classes import ImageData
from gradio.exceptions import InvalidPathError
from gradio.processing_utils import save_base64_to_cache, save_file_to_cache
from gradio.state_holder import SessionState
from gradio.utils import get_upload_folder

Examples = helpers.Examples
"""What `gr.Examples` gives."""
PATIENT_START = {"_frontend": False}
"""For `launch`, which would else ask for the page itself, and end the program where a busy machine takes 3 seconds."""

_FILE_FIELDS = (gr.Image, gr.File, gr.Gallery, gr.ImageSlider, gr.DownloadButton)


class _VisitorConfig(BlocksConfig):
    """One visitor's copy of the page's wiring."""

    def config_for_block(self, *_: object, **__: object) -> dict[str, object]:  # type: ignore[override]
        """Describe no component: of a visitor's page only Gradio's deep links ask that, and this page has none."""
        # Gradio would do so for each visitor and each request of a program: 60 ms of the loop that serves everyone, and
        # half a megabyte that is kept.
        return {}


class _PageConfig(BlocksConfig):
    """The page's wiring, of which each visitor gets a copy."""

    def __copy__(self) -> _VisitorConfig:
        copied = _VisitorConfig(self.root_block)
        vars(copied).update(vars(super().__copy__()))
        return copied


@dataclass(frozen=True)
class Field:
    """One of the values that an event takes.

    Attributes:
        name: As whoever writes a request knows it.
        takes_files: Whether its value names files.
        kind: `integer`, `number` or `string` where a function's signature says so, else "".
    """

    name: str
    takes_files: bool
    kind: str


class CheckedBlocks(gr.Blocks):
    """Blocks that keep little for each visitor, and ask how to check a request and what to say where one fails."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - Gradio's own
        super().__init__(**settings)
        config = _PageConfig(self)
        vars(config).update(vars(self.default_config))
        self.default_config = config

    def check_request(self, fields: Sequence[Field], values: list[object]) -> None:
        """Raise a `gr.Error` where a request must not be answered; its values are as untrue as they may be."""

    def say_not_uploaded(self) -> str:
        """Give the sentence for a file that was not uploaded."""
        return "That file was not uploaded."

    def say_wrong_kind(self, fields: Sequence[Field]) -> str:
        """Give the sentence for a value that a component cannot take."""
        return f"A value is of the wrong kind: {', '.join(field.name for field in fields)}."

    def say_failure(self, error: Exception) -> str:
        """Give the sentence for an error that is no `gr.Error`."""
        return f"Something went wrong: {type(error).__name__}."

    def forget_files(self, paths: set[str]) -> None:
        """Drop deleted files from the lists of what was uploaded and made, which only grow."""
        for known in self.temp_file_sets:
            known.difference_update(paths)

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **settings: Any) -> list[Any]:  # noqa: ANN401 - Gradio's own
        """Turn a request's values into what functions take; a `gr.Error` says which it does not take."""
        fields = _fields(block_fn)
        self.check_request(fields, inputs)
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **settings)
        except InvalidPathError as error:
            raise gr.Error(self.say_not_uploaded(), print_exception=False) from error
        except (gr.Error, OSError):
            raise
        except Exception as error:  # components answer a value that they do not expect with any exception
            raise gr.Error(self.say_wrong_kind(fields), print_exception=False) from error

    async def process_api(self, *arguments: Any, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - Gradio's own
        """Answer a request; a `gr.Error` says why it cannot be answered."""
        try:
            return await super().process_api(*arguments, **settings)
        except gr.Error:
            raise
        except Exception as error:
            raise gr.Error(self.say_failure(error), print_exception=False) from error


def _fields(event: BlockFunction) -> list[Field]:
    found = []
    for block in event.inputs:
        name = str(getattr(block, "label", None) or block.get_block_name())
        kind = block.api_info().get("type", "") if isinstance(block, Api) else ""
        found.append(Field(name, isinstance(block, _FILE_FIELDS), kind))
    return found


def publish(function: Callable[..., Any], output: str, **settings: Any) -> None:  # noqa: ANN401 - Gradio's own
    """Publish a function with type hints as an endpoint; Gradio alone would call its values "1st", "2nd" and so on."""
    gr.api(function, **settings)
    event = list(_page().fns.values())[-1]
    for block, name in zip(
        [*event.inputs, *event.outputs], [*inspect.signature(function).parameters, output], strict=True
    ):
        cast(gr.Component, block).label = name


def _page() -> gr.Blocks:
    assert Context.root_block is not None, "no page is being laid out"
    return Context.root_block


def on_load(function: Callable[..., Any], *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - Gradio's own
    """Call a function whenever the page that is being laid out opens; the rest is as a listener takes it."""
    _page().load(function, *arguments, **settings)


def at_top(component: gr.Component) -> None:
    """Place a component outside of all tabs, whose contents a browser makes no sooner than they open."""
    here = get_render_context()
    set_render_context(_page())
    component.render()
    set_render_context(here)


class PhotoInput(gr.Image):
    """An image field that hands on the uploaded file as it is.

    Gradio opens every upload with Pillow before it calls the app, and a damaged file or an unknown format ends there in
    a bare "Error". Here the file's path comes through untouched, and `segdemo.images` says what is wrong with it.
    """

    is_template = True  # tells Gradio to draw it as its parent class

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Give the path of the uploaded file, or of what a data URL holds."""
        if payload is not None and payload.url and payload.url.startswith("data:"):
            return save_base64_to_cache(payload.url, self.GRADIO_CACHE)
        return payload.path if payload is not None else None


def cache_folder() -> Path:
    """Give the folder of uploads and results, from which alone Gradio serves files."""
    return Path(get_upload_folder())


def keep_copy(path: str, component: gr.Component) -> str:
    """Copy a file into the cache, as Gradio does with what a component shows, and give the copy's path."""
    return save_file_to_cache(path, component.GRADIO_CACHE)


def shown_file(component: gr.Image) -> str:
    """Give the path of the file that an image component shows at first."""
    return component.value["path"]


def example_files(examples: Examples) -> list[str]:
    """Give the paths of examples that are one file each."""
    return [path for (path,) in examples.examples]


def on_example(examples: Examples, js: str, **settings: Any) -> None:  # noqa: ANN401 - Gradio's own
    """Run a line of JavaScript, a function of the example's place among its kind, when an example is clicked."""
    examples.dataset.click(None, examples.dataset, js=js, **settings)


def tabs_in(row: gr.Tabs) -> list[gr.Tab]:
    """Give the tabs of a row."""
    return [tab for tab in row.children if isinstance(tab, gr.Tab)]


def current_request() -> gr.Request | None:
    """Give the request that is being answered, in whatever function that happens; None where there is none."""
    return LocalContext.request.get(None)


def keep_no_events() -> None:
    """Let the next queue keep next to nothing of past events.

    Gradio makes a table of up to 10,000 of them after each, for its monitoring page. Only its queue reads these
    settings.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(2**31))
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")


@dataclass(frozen=True)
class Event:
    """What a page reacts to: the function, the components that set it off, and those whose values it takes."""

    function: Callable[..., Any]
    triggers: tuple[Any, ...]
    inputs: tuple[Any, ...]
    _block: BlockFunction


def events_of(demo: gr.Blocks) -> Iterator[Event]:
    """Give the events of a page that call a function on the server."""
    for block in demo.fns.values():
        if block.fn:
            triggers = tuple(demo.blocks[target] for target, _ in block.targets if target in demo.blocks)
            yield Event(block.fn, triggers, tuple(block.inputs), block)


class Visitor:
    """Sends events to a page without a server and a browser."""

    def __init__(self, demo: gr.Blocks) -> None:
        self._demo, self._session = demo, SessionState(demo)

    async def send(self, event: Event, values: Sequence[object]) -> dict[str, Any]:
        """Do all that the server does for an event, and give what it answers."""
        return await self._demo.process_api(event._block, list(values), self._session)


def sent_untouched(component: gr.Component) -> object:
    """Give what a browser sends for a component that nobody has touched."""
    return None if isinstance(component, gr.State) else component.get_config()["value"]
