"""Line charts and histograms as SVG."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdemo import charts
from segdemo.charts import Line

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


def places(svg, tag="circle"):
    """Give the places of the dots."""
    return [(float(e.get("cx")), float(e.get("cy"))) for e in ET.fromstring(svg).iter(tag)]


def draw(*lines, **options):
    return charts.line_chart(lines, "epoch", "loss", "what it shows", **options)


def texts(svg):
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter("text")]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8))
def test_points_lie_inside_in_the_order_of_their_values(points):
    found = places(draw(Line("a", tuple(points))))
    assert len(found) == len(points)
    assert all(0 <= x <= 360 and 0 <= y <= 216 for x, y in found)
    for axis, sign in ((0, 1), (1, -1)):  # a larger value stands higher, where y is smaller
        ordered = [place[axis] * sign for _, place in sorted(zip(points, found, strict=True), key=lambda p: p[0][axis])]
        assert ordered == sorted(ordered)


def test_a_logarithmic_axis_gives_each_power_of_ten_the_same_room():
    svg = draw(Line("a", ((1, 1e-8), (2, 1e-4), (3, 1.0))), logarithmic=True)
    low, middle, high = (y for _, y in places(svg))
    assert low - middle == pytest.approx(middle - high, abs=0.2)
    assert "10⁻⁸" in texts(svg)


def test_what_cannot_be_drawn_is_left_out():
    nan, inf = float("nan"), float("inf")
    assert len(places(draw(Line("a", ((1, 2.0), (2, nan), (inf, 3.0), (4, 5.0)))))) == 2
    assert len(places(draw(Line("a", ((1, 0.0), (2, 1.0), (3, 2.0))), logarithmic=True))) == 2
    with pytest.raises(ValueError, match="no point"):
        draw(Line("a", ((1, nan),)))


def test_more_lines_than_colours_are_refused():
    with pytest.raises(ValueError, match="cannot be told apart"):
        draw(*[Line(str(index), ((1, 1.0),)) for index in range(5)])


def test_whole_numbers_get_whole_ticks():
    ticks = [text for text in texts(draw(Line("a", ((1, 0.5), (2, 0.7))))) if re.fullmatch(r"\d(\.\d+)?", text)]
    assert "1.5" not in ticks
    assert {"1", "2"} <= set(ticks)


def test_words_are_there_for_who_does_not_see_and_cannot_break_the_markup():
    svg = charts.line_chart([Line("a<b", ((1, 1.0),))], "x & y", '"y"', "less < more & 'so' \"on\"")
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "less < more & 'so' \"on\""
    assert {"a<b", "x & y", '"y"'} <= set(texts(svg))


def test_the_bars_of_a_histogram_are_as_high_as_their_counts():
    path = next(ET.fromstring(charts.histogram([0, 2, 4], -1, 2, ("value", "count"), "words")).iter("path")).get("d")
    base, *heights = [float(y) for y in re.findall(r"[V ]([\d.]+)", path)][:4]
    zero, two, four = heights
    assert zero == base
    assert base - four == pytest.approx(2 * (base - two), abs=0.2)
    widths = [float(x) for x in re.findall(r"[MH]([\d.]+)", path)]
    assert widths[1] - widths[0] == pytest.approx(widths[3] - widths[2], abs=0.2)


@pytest.mark.parametrize("arguments", [([0, 0], 0, 1), ([1, 2], 1, 1), ([], 0, 1)])
def test_a_histogram_of_nothing_is_refused(arguments):
    with pytest.raises(ValueError, match="nothing to draw"):
        charts.histogram(*arguments, ("value", "count"), "words")


def test_a_saved_chart_is_a_file_with_colours_of_its_own():
    root = ET.fromstring(charts.standalone(draw(Line("a", ((1, 1.0), (2, 3.0))))))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("color") == "#222"
