"""The upload field and the examples below it."""

from collections.abc import Iterable
from typing import Any

import gradio as gr

from segdemo.ui.gradio_compat import Examples, PhotoInput
from segdemo.ui.i18n import both, static
from segdemo.ui.templates import render

# By the rear camera, not mirrored.
_CAMERA: dict[str, Any] = {
    "sources": ["upload", "webcam", "clipboard"],
    "webcam_options": gr.WebcamOptions(mirror=False, constraints={"video": {"facingMode": {"ideal": "environment"}}}),
}
EXAMPLES = tuple(map(gr.get_image, ("lion.jpg", "cheetah1.jpg", "tower.jpg")))  # photos that gradio ships


def photo_field(
    name: str,
    *,
    examples: Iterable[str] = EXAMPLES,
    first: str = EXAMPLES[0],
    camera: bool = False,
    height: int = 170,
    **settings: Any,  # noqa: ANN401 - Gradio's own
) -> tuple[PhotoInput, Examples]:
    """Place a field for a photo to upload, paste or take with the camera, an example in it, and the examples below it.

    The field's id ends in `photo`; its text alternative has the key `alt.` and that. Examples are paths; the height is
    in pixels.
    """
    sources: dict[str, Any] = _CAMERA if camera else {"sources": ["upload", "clipboard"]}
    photo = PhotoInput(
        first,
        label=static("page.photo"),
        **sources,
        **settings,
        height=height,
        elem_id=name,
        alt_text=both(f"alt.{name}"),
    )
    if camera:  # where the browser refuses a live one
        gr.HTML(render("no_live_camera"), elem_classes="camera-note")
    below = name.replace("photo", "examples")
    return photo, gr.Examples(list(examples), photo, elem_id=below, api_visibility="private")
