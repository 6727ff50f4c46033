"""What is remembered of a visitor who teaches."""

import filecmp
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from segdemo.lessons.teaching import Teaching
from segdemo.ui.gradio_compat import at_top


@dataclass(frozen=True)
class Memory:
    """What is remembered of a visitor: on the server for an hour or so, and in their own browser.

    Attributes:
        state: The `Teaching`.
        kept: All of it but the photos, in the browser.
        photos: These, in the browser.
        has_begun: Whether the page shows more than its first state; of a visitor whom it has forgotten, Gradio hands
            out that one.
        field: Path of what the photo field held last.
    """

    state: gr.State
    kept: gr.BrowserState
    photos: gr.BrowserState
    has_begun: gr.Checkbox
    field: gr.State

    @classmethod
    def of(cls, first: Teaching, path: str) -> "Memory":
        """Place it; the browser's share is found again whichever server asks, so its key is no secret."""
        kept, photos = (
            gr.BrowserState(None, storage_key=f"segdemo-{name}", secret=name, render=False)
            for name in ("taught", "photos")
        )
        for component in (kept, photos):
            at_top(component)
        return cls(gr.State(first), kept, photos, gr.Checkbox(False, visible=False), gr.State(path))

    def every(self) -> list[gr.Component]:
        """Give the parts that each step changes, in the order of the attributes."""
        return [self.state, self.kept, self.photos, self.has_begun]


def is_new(path: str, held: str) -> bool:
    """Say whether a photo field holds another photo than before: a browser tells of the first one, too."""
    return not Path(held).is_file() or not filecmp.cmp(path, held, shallow=False)
