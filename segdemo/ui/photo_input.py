"""The upload field and the examples below it."""

from typing import Any

import gradio as gr

from segdemo.ui.gradio_compat import Examples, PhotoInput
from segdemo.ui.i18n import both, static
from segdemo.ui.templates import render

CAMERA: dict[str, Any] = {
    "sources": ["upload", "webcam", "clipboard"],
    "webcam_options": gr.WebcamOptions(mirror=False, constraints={"video": {"facingMode": {"ideal": "environment"}}}),
}
"""Settings of a field that takes photos too: by the rear camera, not mirrored."""
EXAMPLES = ("lion.jpg", "cheetah1.jpg", "tower.jpg")  # photos that gradio ships


def note_camera() -> None:
    """Say, where the browser refuses a live camera, what the camera's button does instead."""
    gr.HTML(render("no_live_camera"), elem_classes="camera-note")


def photo_field(
    prefix: str, alternative: str, camera: bool = False, first: str = EXAMPLES[0]
) -> tuple[PhotoInput, Examples]:
    """Place a field for a photo to upload or paste, an example in it, and the examples below it.

    Args:
        prefix: Of the elements' ids, `-photo` and `-examples`.
        alternative: Key of the photo's text alternative.
        camera: Whether a photo can be taken too.
        first: Name of the example that stands in the field.

    Returns:
        The field and its examples, as `Place` takes them.
    """
    sources: dict[str, Any] = CAMERA if camera else {"sources": ["upload", "clipboard"]}
    photo = PhotoInput(
        gr.get_image(first),
        label=static("page.photo"),
        type="filepath",
        image_mode=None,
        **sources,
        height=170,
        elem_id=f"{prefix}-photo",
        alt_text=both(alternative),
    )
    if camera:
        note_camera()
    paths = [gr.get_image(name) for name in EXAMPLES]
    return photo, gr.Examples(paths, photo, elem_id=f"{prefix}-examples", api_visibility="private")
