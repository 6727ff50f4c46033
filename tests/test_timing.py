"""Median and spread."""

import time

from hypothesis import given
from hypothesis import strategies as st

from segdemo.bench.timing import Timing, measure, measure_in_turn

seconds = st.lists(st.floats(0, 1e3), min_size=1, max_size=50)


@given(seconds)
def test_the_median_lies_between_the_quickest_and_the_slowest(values):
    timing = Timing.of(values)
    assert timing.low == min(values) <= timing.median <= timing.high == max(values)
    assert sum(v <= timing.median + 1e-9 for v in values) * 2 >= len(values)


def test_the_warm_up_does_not_count():
    calls = []

    def slow_at_first():
        calls.append(1)
        time.sleep(0.2 if len(calls) == 1 else 0)

    timing = measure(slow_at_first, runs=3)
    assert len(calls) == 4
    assert timing.high < 0.2


def test_two_are_timed_in_turn():
    order = []
    first, second = measure_in_turn(lambda: order.append("a"), lambda: (order.append("b"), time.sleep(0.01)), runs=2)
    assert "".join(order) == "ababab"
    assert second.median >= 0.01 > first.median
