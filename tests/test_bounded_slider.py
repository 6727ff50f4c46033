"""A slider that takes any number."""

import pytest

from segdemo.ui.bounded_slider import BoundedSlider


@pytest.mark.parametrize(("sent", "taken"), [(0.3, 0.3), (-1, 0), (7, 1), (None, 0.6)])
def test_what_lies_outside_becomes_the_nearest_end(sent, taken):
    assert BoundedSlider(0, 1, 0.6, step=0.05).preprocess(sent) == taken
