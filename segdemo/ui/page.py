"""Gradio's page, with less kept for each visitor, and a sentence where a request names a file that was not uploaded."""

from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig
from gradio.exceptions import InvalidPathError
from gradio_client import utils as client_utils

_ADDRESS = "That is a web address: this page fetches nothing, so please send the file itself."
_NOT_UPLOADED = "That file was not uploaded: please send the file itself."


class _VisitorConfig(BlocksConfig):
    """One visitor's copy of the page's wiring."""

    def config_for_block(self, *_: object, **__: object) -> dict[str, object]:  # type: ignore[override]
        """Describe no component: of a visitor's page only Gradio's deep links, which this page has none of, ask that.

        For each visitor, and for each request of a program, Gradio would describe all of the page's components and keep
        that: some 60 ms of the loop that serves everyone, and half a megabyte.
        """
        return {}


class _PageConfig(BlocksConfig):
    """The page's wiring, of which each visitor gets a copy."""

    def __copy__(self) -> _VisitorConfig:
        copied = _VisitorConfig(self.root_block)
        vars(copied).update(vars(super().__copy__()))
        return copied


class Page(gr.Blocks):
    """Blocks that read what was uploaded and nothing else, and that keep little for each visitor.

    Gradio would fetch an address that a request gives in a file's place, and would refuse a path outside the uploads
    without saying so.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - Gradio's own
        super().__init__(**settings)
        config = _PageConfig(self)
        vars(config).update(vars(self.default_config))
        self.default_config = config

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
