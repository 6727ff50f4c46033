"""What a visitor waits for, so that work for which nobody waits any more can stop."""

from dataclasses import dataclass
from math import inf


class Overtaken(Exception):  # noqa: N818 - nothing went wrong
    """The visitor waits for something else by now, or for nothing."""


@dataclass
class Wish:
    """The newest choice of one visitor; the request that runs and those that come after it share it.

    Attributes:
        wanted: What was chosen last; None where nothing is known of it.
        at: When, by the visitor's clock, milliseconds.
        is_stopped: Whether the visitor asked to stop since then.
    """

    wanted: object = None
    at: float = 0.0
    is_stopped: bool = False

    def choose(self, wanted: object, at: float = inf) -> None:
        """Note a choice of the visitor's, unless a newer one is known: of two requests the later may come first."""
        if at >= self.at:
            self.wanted, self.at, self.is_stopped = wanted, at, False

    def stop(self) -> None:
        """Note that the visitor waits for nothing."""
        self.is_stopped = True

    def check(self, work: object) -> None:
        """Let work go on that is still wanted.

        Raises:
            Overtaken: It is not.
        """
        if self.is_stopped or self.wanted not in (None, work):
            raise Overtaken
