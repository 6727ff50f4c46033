"""Many callers, one batch at a time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from segdemo.microbatch import MicroBatcher

CALLERS = 24


class Work:
    """Squares numbers, slowly enough for others to queue up, and remembers what came together."""

    def __init__(self):
        self.batches, self.at_once, self.running = [], 0, 0

    def __call__(self, key, items):
        self.running += 1
        self.at_once = max(self.at_once, self.running)
        self.batches.append((key, list(items)))
        time.sleep(0.02)
        self.running -= 1
        if "bad" in items:
            raise ValueError("bad item")
        return [(key, item * item) for item in items]


def call_all(batcher, calls):
    barrier = threading.Barrier(len(calls))

    def one(key, item):
        barrier.wait()
        try:
            return batcher(key, item)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: one(*call), calls))


def test_each_caller_gets_its_own_result_and_those_who_wait_go_together():
    work = Work()
    calls = [("a" if i % 3 else "b", i) for i in range(CALLERS)]
    assert call_all(MicroBatcher(work, 8), calls) == [(key, i * i) for key, i in calls]
    assert work.at_once == 1
    assert sorted(item for _, items in work.batches for item in items) == list(range(CALLERS))
    assert max(len(items) for _, items in work.batches) > 1
    assert len(work.batches) < CALLERS / 2


def test_a_batch_is_no_larger_than_allowed():
    work = Work()
    call_all(MicroBatcher(work, 3), [("a", i) for i in range(CALLERS)])
    assert max(len(items) for _, items in work.batches) == 3


def test_one_bad_item_spoils_no_other():
    results = call_all(MicroBatcher(Work(), 8), [("a", i) for i in range(1, 9)] + [("a", "bad")])
    assert results == [("a", i * i) for i in range(1, 9)] + ["bad item"]


def test_a_failure_does_not_keep_the_turn():
    batcher = MicroBatcher(Work(), 4)
    with pytest.raises(ValueError, match="bad item"):
        batcher("a", "bad")
    assert batcher("a", 3) == ("a", 9)
