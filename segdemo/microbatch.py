"""Micro-batching: one caller works at a time, and does the work of those who wait for the same with its own."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(eq=False)
class _Call(Generic[Key, Item, Result]):
    key: Key
    item: Item
    answer: Future[Result] = field(default_factory=Future)


class MicroBatcher(Generic[Key, Item, Result]):
    """Calls from many threads, worked off one batch of at most `most` items at a time.

    Whoever gets the lock takes along the calls of the same key that came in meanwhile, so that a device sees a batch
    where it would have seen one item after the other. Nobody waits for a batch to fill. `work` gives a result for each
    item of one key, in order.
    """

    def __init__(self, work: Callable[[Key, list[Item]], list[Result]], most: int) -> None:
        self._work, self._most = work, most
        self._lock, self._guard = threading.Lock(), threading.Lock()
        self._waiting: list[_Call[Key, Item, Result]] = []

    def __call__(self, key: Key, item: Item) -> Result:
        """Have one item worked on, alone or in a batch.

        Raises:
            Exception: What `work` raises for this item.
        """
        call = _Call[Key, Item, Result](key, item)
        with self._guard:
            self._waiting.append(call)
        with self._lock:
            if not call.answer.done():
                self._run(self._take(call))
        return call.answer.result()

    def _take(self, call: _Call[Key, Item, Result]) -> list[_Call[Key, Item, Result]]:
        """Take a call and others of its key, those that came first, out of the list."""
        with self._guard:
            others = [each for each in self._waiting if each.key == call.key and each is not call]
            batch = [call, *others[: self._most - 1]]
            self._waiting = [each for each in self._waiting if each not in batch]
        return batch

    def _run(self, batch: list[_Call[Key, Item, Result]]) -> None:
        try:
            results = self._work(batch[0].key, [each.item for each in batch])
            answered = list(zip(batch, results, strict=True))
        except Exception as error:
            if len(batch) > 1:  # one item must not spoil the others' results
                for each in batch:
                    self._run([each])
            else:
                batch[0].answer.set_exception(error)
        else:
            for each, result in answered:
                each.answer.set_result(result)
