"""Gradio's page, with a sentence of ours where a request names a file that was not uploaded."""

from typing import Any

import gradio as gr
from gradio.exceptions import InvalidPathError
from gradio_client import utils as client_utils

_ADDRESS = "That is a web address: this page fetches nothing, so please send the file itself."
_NOT_UPLOADED = "That file was not uploaded: please send the file itself."


class Page(gr.Blocks):
    """Blocks that read what was uploaded and nothing else.

    Gradio would fetch an address that a request gives in a file's place, and would refuse a path outside the uploads
    without saying so.
    """

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **settings: Any) -> list[Any]:  # noqa: ANN401 - Gradio's own
        """Turn a request's values into what functions take.

        Raises:
            gr.Error: A file is named by an address or by a path outside the uploads.
        """
        client_utils.traverse(inputs, _refuse_address, client_utils.is_file_obj)
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **settings)
        except InvalidPathError as error:
            raise gr.Error(_NOT_UPLOADED, print_exception=False) from error


def _refuse_address(file: dict[str, Any]) -> dict[str, Any]:
    if client_utils.is_http_url_like(str(file["path"])):
        raise gr.Error(_ADDRESS, print_exception=False)
    return file
