"""What a browser sends twice is done once."""

import pytest

from segdemo.ui.repeats import Repeats


def test_the_second_of_two_at_once_is_told():
    repeats = Repeats()
    with repeats.first("ann", "a.jpg") as first, repeats.first("ann", "a.jpg") as second:
        assert (first, second) == (True, False)
    with repeats.first("ann", "a.jpg") as again:
        assert again, "whoever comes back later is no repeat"


def test_other_photos_other_visitors_and_programs_are_no_repeats():
    repeats = Repeats()
    with repeats.first("ann", "a.jpg"):
        for visitor, photo in (("ann", "b.jpg"), ("bob", "a.jpg"), (None, "a.jpg"), (None, "a.jpg")):
            with repeats.first(visitor, photo) as first:
                assert first


def test_one_that_fails_may_be_tried_again():
    repeats = Repeats()
    with pytest.raises(ValueError, match="damaged"), repeats.first("ann", "a.jpg"):
        raise ValueError("damaged")
    with repeats.first("ann", "a.jpg") as first:
        assert first
