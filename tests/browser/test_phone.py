"""What a phone shows while it opens, and what a finger hits."""

import pytest
from measure import SHIFT, SIZES, SMALL, SMALLEST

PHONE = {"width": SIZES["phone"][0], "height": SIZES["phone"][1], "is_mobile": True, "has_touch": True}
STILL = 0.1  # of layout shift, below which a page counts as steady


@pytest.mark.parametrize("place", ["", "?tab=compare", "?lesson=transfer"])
def test_a_finger_hits_every_control_and_nothing_jumps_while_it_opens(open_page, place):
    page = open_page(**PHONE, query=place, script=f"({SHIFT})()")
    page.wait_for_function("!document.documentElement.classList.contains('opening')")
    page.wait_for_timeout(2000)  # whatever moves late has moved
    assert page.evaluate(SMALL, SMALLEST) == []
    assert page.evaluate("window.shift") < STILL
