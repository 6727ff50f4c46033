"""The list of networks to choose one from."""

from collections.abc import Iterable

import gradio as gr

from segdemo import catalog
from segdemo.entries import Entry
from segdemo.ui.i18n import Both, static
from segdemo.ui.views import network_label


def network_choices(offered: Iterable[Entry] = catalog.ENTRIES.values()) -> list[tuple[Both, str]]:
    """Give networks as a list has them: what it shows, and the name."""
    return [(network_label(entry), entry.name) for entry in offered]


def network_list(
    chosen: str,
    name: str,
    offered: Iterable[Entry] = catalog.ENTRIES.values(),
    label: str = "page.network",
) -> gr.Dropdown:
    """Place the list; `name` is the element's id, `label` the key of its label."""
    return gr.Dropdown(
        network_choices(offered), value=chosen, label=static(label), filterable=False, min_width=240, elem_id=name
    )
