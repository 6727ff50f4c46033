"""What is remembered of a visitor who teaches."""

from dataclasses import dataclass

import gradio as gr

from segdemo.lessons.teaching import Teaching


@dataclass(frozen=True)
class Memory:
    """What is remembered of a visitor: on the server for an hour or so, and in their own browser.

    Attributes:
        state: The `Teaching`.
        kept: All of it but the photos, in the browser.
        photos: These, in the browser.
        has_begun: Whether the page shows more than its first state; of a visitor whom it has forgotten, Gradio hands
            out that one.
    """

    state: gr.State
    kept: gr.BrowserState
    photos: gr.BrowserState
    has_begun: gr.Checkbox

    @classmethod
    def of(cls, first: Teaching) -> "Memory":
        """Place it; the browser's share is found again whichever server asks, so its key is no secret."""
        kept, photos = (
            gr.BrowserState(None, storage_key=f"segdemo-{name}", secret=name) for name in ("taught", "photos")
        )
        return cls(gr.State(first), kept, photos, gr.Checkbox(False, visible=False))

    def every(self) -> list[gr.Component]:
        """Give the parts in the order of the attributes."""
        return list(vars(self).values())
