"""The upload field, without Gradio's own decoding."""

import gradio as gr
from gradio.data_classes import ImageData


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
