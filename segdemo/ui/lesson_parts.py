"""What the lessons' pages have in common."""

import gradio as gr
from PIL import Image

AT_ONCE = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last", "api_visibility": "private"}
"""Settings of an event that only draws."""


def picture(value: Image.Image | None, caption: str, name: str, height: int) -> gr.Image:
    """Place a picture that can be saved, with its caption above it.

    Args:
        value: What it shows at first.
        caption: One line; it is the text alternative too.
        name: The element's id.
        height: Pixels.
    """
    with gr.Column(min_width=150):
        gr.HTML(f"<p class='caption'>{caption}</p>")
        return gr.Image(
            value,
            show_label=False,
            type="pil",
            format="png",
            interactive=False,
            buttons=["download", "fullscreen"],
            height=height,
            elem_id=name,
            elem_classes="lesson-picture",
            alt_text=caption,
        )


def slider(low: int, high: int, value: int, label: str, name: str) -> gr.Slider:
    """Place a slider over whole numbers."""
    return gr.Slider(low, high, value, step=1, label=label, buttons=[], min_width=130, elem_id=name)
