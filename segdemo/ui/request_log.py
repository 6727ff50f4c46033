"""The log: one line for each request, with networks, what of it may be said of photos, milliseconds and outcome."""

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import gradio as gr

from segdemo import catalog
from segdemo.ui.i18n import plain_made
from segdemo.ui.wish import Overtaken

_log = logging.getLogger(__name__)
_current: ContextVar[list[str] | None] = ContextVar("facts of the request", default=None)


@contextmanager
def logged(networks: Sequence[str]) -> Generator[list[str]]:
    """Log a request in one line, without anything of its photos but the size, and put errors into words for a person.

    Within a request that is being logged already, no line of its own is written.

    Yields:
        A list to which more facts may be added.

    Raises:
        gr.Error: In place of a ValueError.
    """
    outer = _current.get()
    facts = [] if outer is None else outer
    start, outcome, token = time.perf_counter(), "failed", _current.set(facts)
    try:
        yield facts
        outcome = "done"
    except Overtaken:
        outcome = "overtaken"
        raise
    except gr.Error:
        outcome = "refused"
        raise
    except ValueError as error:  # as ImageError and CheckpointError are
        outcome = "refused"
        raise gr.Error(plain_made(str(error)), print_exception=False) from error
    finally:
        _current.reset(token)
        if outer is None:
            milliseconds = (time.perf_counter() - start) * 1000
            # A name that a program sent may hold anything, line breaks too.
            names = "+".join(dict.fromkeys(name if name in catalog.ENTRIES else "unknown" for name in networks))
            _log.info("%s", ", ".join((names, *facts, f"{milliseconds:.0f} ms", outcome)))
