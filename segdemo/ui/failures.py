"""What a client is told where the server fails: a sentence; who runs it reads the rest in the log."""

import errno
import logging

FULL_DISK = "The server's disk is full: please tell who runs it, and try again later."
UNEXPECTED = "Something went wrong on the server. Who runs it finds the reason in its log."

_log = logging.getLogger(__name__)


def in_words(error: Exception) -> str:
    """Log an error that nobody expected, and give the sentence for it."""
    if is_full_disk(error):
        _log.error("the disk is full: %s", error)
        return FULL_DISK
    _log.error("a request failed", exc_info=error)
    return UNEXPECTED


def is_full_disk(error: BaseException) -> bool:
    """Say whether an error comes from a disk, or a user's share of it, that has no room left."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
