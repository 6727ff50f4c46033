"""Links that open the page on a tab or lesson, a network and an example, and the address bar that follows a visitor."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from segdemo import catalog
from segdemo.ui.events import SILENT
from segdemo.ui.gradio_compat import Examples, example_files, keep_copy, on_example, tabs_in
from segdemo.ui.templates import render

LESSONS = "lessons"
_LONGEST_TEXT = 500  # letters
_MOST_NAMES = 9  # unknown ones that are said


@dataclass(frozen=True)
class Place:
    """What a link can set on a tab or lesson.

    Texts are fields to type in, by their name in the link; page.js lists these names. The Segment tab has the button
    that asks why, and the lesson that answers the question.
    """

    network: gr.Dropdown | gr.CheckboxGroup | None = None
    photo: gr.Image | None = None
    examples: Examples | None = None
    texts: Mapping[str, gr.Textbox] = field(default_factory=dict)
    why: gr.Button | None = None
    question: gr.State | None = None

    @property
    def example_paths(self) -> dict[str, str]:
        """Paths of the examples, by the file's name without its ending."""
        return {Path(path).stem: path for path in example_files(self.examples)} if self.examples else {}

    @property
    def takes_several(self) -> bool:
        """Whether several networks can be chosen."""
        return isinstance(self.network, gr.CheckboxGroup)


@dataclass(frozen=True)
class View:
    """What a link asks for; None leaves as it is.

    Attributes:
        tab: Its id.
        lesson: Its id, where the tab is that of the lessons.
        network: A name of the catalog; several, separated by commas, where the place takes them.
        example: The name of an example, without its ending.
        texts: What fields to type in hold, by their name in the link.
        problems: What was asked for and is not known: `network` or the like, and the name.
    """

    tab: str
    lesson: str | None = None
    network: str | None = None
    example: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[tuple[str, str], ...] = ()


def read_view(query: Mapping[str, str], tabs: Mapping[str, Place], lessons: Mapping[str, Place]) -> View:
    """Read what the parameters of a link ask for, with each name that is not known.

    Tabs and lessons stand by id, the one that opens by itself first.
    """
    problems: list[tuple[str, str]] = []

    def known(key: str, names: Mapping[str, object], several: bool = False) -> str | None:
        asked = query.get(key)
        if asked is None:
            return None
        wanted = list(dict.fromkeys(asked.split(","))) if several else [asked]
        problems.extend((key, name[:40]) for name in wanted[:_MOST_NAMES] if name not in names)
        return ",".join(name for name in wanted if name in names) or None

    lesson = known("lesson", lessons)
    tab = known("tab", tabs) or (LESSONS if lesson else next(iter(tabs)))
    lesson = (lesson or next(iter(lessons))) if tab == LESSONS else None
    place = lessons[lesson] if lesson else tabs[tab]
    network = known("network", catalog.ENTRIES if place.network else {}, several=place.takes_several)
    example = known("example", place.example_paths)
    texts = {key: query[key][:_LONGEST_TEXT] for key in place.texts if key in query}
    return View(tab, lesson, network, example, texts, tuple(problems))


def wire(
    demo: gr.Blocks,
    tabs: tuple[gr.Tabs, Mapping[str, Place]],
    lessons: tuple[gr.Tabs, Mapping[str, Place]],
    said: gr.HTML,
) -> None:
    """Open the page as its address says, keep the address in step, and say names that are not known.

    Tabs and lessons are each a row, and what a link can set there by id.
    """
    places = {**tabs[1], **lessons[1]}
    settable = [
        part for place in places.values() for part in (place.network, place.photo, *place.texts.values()) if part
    ]

    def open_view(request: gr.Request) -> dict[Any, object]:
        view = read_view(request.query_params, tabs[1], lessons[1])
        place = places[view.lesson or view.tab]
        shown: dict[Any, object] = {said: _say(view, next(iter(tabs[1])))}
        if "tab" in request.query_params or "lesson" in request.query_params:
            shown[tabs[0]] = gr.Tabs(selected=view.tab)
            shown |= {lessons[0]: gr.Tabs(selected=view.lesson)} if view.lesson else {}
        if view.network:
            shown[place.network] = view.network.split(",") if place.takes_several else view.network
        if view.example and place.photo:
            # Into the cache, as Gradio puts the examples themselves there: it serves no file from elsewhere.
            shown[place.photo] = keep_copy(place.example_paths[view.example], place.photo)
        shown |= {place.texts[key]: text for key, text in view.texts.items()}
        return shown

    opened = demo.load(open_view, None, [tabs[0], lessons[0], said, *settable], **SILENT)
    opened.success(None, js="() => segdemo.start()", **SILENT)
    for key, row in (("tab", tabs[0]), ("lesson", lessons[0])):
        for tab in tabs_in(row):
            tab.select(None, js=f"() => segdemo.show('{key}', '{tab.id}')", **SILENT)
    for name, place in places.items():
        _follow(name, place)


def _follow(name: str, place: Place) -> None:
    if place.network:
        place.network.change(
            None, place.network, js=f"(network) => segdemo.set('{name}', 'network', segdemo.shared(network))", **SILENT
        )
    for key, text in place.texts.items():
        text.change(None, text, js=f"(text) => segdemo.set('{name}', '{key}', text)", **SILENT)
    if place.photo and place.examples:
        names = json.dumps(list(place.example_paths))
        on_example(place.examples, f"(index) => segdemo.set('{name}', 'example', {names}[index])", **SILENT)
        place.photo.input(None, js=f"() => segdemo.set('{name}', 'example', null)", **SILENT)


def _say(view: View, first: str) -> str:
    """Write what was not known, and for page.js what the page shows now."""
    state = {key: value for key, value in asdict(view).items() if key != "problems"}
    state |= {"place": view.lesson or view.tab, "first": first}
    return render("view", state=json.dumps(state), problems=view.problems)
