"""The upload field, without Gradio's own decoding."""

import gradio as gr
from gradio.data_classes import ImageData
from gradio.helpers import Examples

EXAMPLES = ("lion.jpg", "cheetah1.jpg", "tower.jpg")  # photos that gradio ships


class PhotoInput(gr.Image):
    """An image field that hands on the uploaded file as it is.

    Gradio opens every upload with Pillow before it calls the app, and a damaged file or an unknown format ends there in
    a bare "Error". Here the file's path comes through untouched, and `segdemo.images` says what is wrong with it.
    """

    is_template = True  # tells Gradio to draw it as its parent class

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Give the path of the uploaded file, or of what a data URL holds."""
        if payload is not None and payload.path and not (payload.url or "").startswith("data:"):
            return payload.path
        return super().preprocess(payload)


def photo_field(prefix: str, alternative: str) -> tuple[PhotoInput, Examples]:
    """Place a field for a photo to upload or paste, the first example in it, and the examples below it.

    Args:
        prefix: Of the elements' ids, `-photo` and `-examples`.
        alternative: The text alternative of the photo.

    Returns:
        The field and its examples, as `Place` takes them.
    """
    photo = PhotoInput(
        gr.get_image(EXAMPLES[0]),
        label="Photo",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        height=170,
        elem_id=f"{prefix}-photo",
        alt_text=alternative,
    )
    paths = [gr.get_image(name) for name in EXAMPLES]
    return photo, gr.Examples(paths, photo, elem_id=f"{prefix}-examples", api_visibility="private")
