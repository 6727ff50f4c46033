"""Gradio's page, with a sentence for whatever a request holds that it should not, and for whatever fails."""

from collections.abc import Sequence

from segdemo.ui import failures, request_checks
from segdemo.ui.gradio_compat import CheckedBlocks, Field
from segdemo.ui.i18n import plain_made


class Page(CheckedBlocks):
    """Blocks that read what was uploaded and nothing else.

    Gradio would fetch an address that a request gives in a file's place, and would refuse a path outside the uploads
    without saying so.
    """

    def check_request(self, fields: Sequence[Field], values: list[object]) -> None:
        """Refuse a request that lacks a value, or names a file that was not uploaded; `request_checks` says how."""
        request_checks.check(fields, values)

    def say_not_uploaded(self) -> str:
        """Say that a file is none of those that were uploaded."""
        return plain_made(request_checks.NOT_UPLOADED)

    def say_wrong_kind(self, fields: Sequence[Field]) -> str:
        """Say which values an event takes."""
        return f"A value of the request is of the wrong kind. {request_checks.wanted(fields)}"

    def say_failure(self, error: Exception) -> str:
        """Log an error, and put it into words for a person."""
        return plain_made(failures.in_words(error))
