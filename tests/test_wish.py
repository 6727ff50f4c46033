"""What a visitor waits for: work that nobody wants any more stops."""

import pytest

from segdemo.ui.inference import _tell_all
from segdemo.ui.wish import Overtaken, Wish


def test_the_newest_choice_overtakes_the_one_before():
    wish = Wish()
    wish.check("photo 1")  # nothing is known yet
    wish.choose("photo 1")
    wish.check("photo 1")
    wish.choose("photo 2")
    wish.check("photo 2")
    with pytest.raises(Overtaken):
        wish.check("photo 1")


def test_stop_stops_all_until_something_is_chosen_again():
    wish = Wish()
    wish.choose("photo")
    wish.stop()
    with pytest.raises(Overtaken):
        wish.check("photo")
    wish.choose("photo")
    wish.check("photo")


def test_a_shared_pass_goes_on_while_one_of_those_who_share_it_waits():
    one, other = Wish(), Wish()
    watches = [lambda _done, _total, wish=wish: wish.check("work") for wish in (one, other)]
    one.stop()
    _tell_all(watches, 1, 6)
    _tell_all([watches[0], None], 1, 6)  # None is a program, which always waits
    other.stop()
    with pytest.raises(Overtaken):
        _tell_all(watches, 2, 6)


def test_of_two_choices_that_come_in_the_wrong_order_the_newer_counts():
    wish = Wish()
    wish.choose("photo 2", at=20.0)
    wish.choose("photo 1", at=10.0)
    wish.check("photo 2")
    with pytest.raises(Overtaken):
        wish.check("photo 1")
