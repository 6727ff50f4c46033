"""Settings of Gradio's events."""

from typing import Any

import gradio as gr

SILENT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
"""Of an event that happens in the browser alone, or takes next to no time."""
AT_ONCE: dict[str, Any] = {**SILENT, "trigger_mode": "always_last"}
"""Of an event that only draws."""
IN_TURN: dict[str, Any] = {
    "concurrency_id": "lesson",
    "concurrency_limit": 1,
    "show_progress": "hidden",
    "trigger_mode": "always_last",
    "api_visibility": "private",
}
"""Of an event that runs a lesson's own copy of a network: one at a time, since some put hooks on it."""


def in_turn(shown_on: gr.Component) -> dict[str, Any]:
    """Give the settings of an event that stands in line, and shows on a picture the visitor's place in it."""
    return {**IN_TURN, "show_progress": "minimal", "show_progress_on": [shown_on]}
