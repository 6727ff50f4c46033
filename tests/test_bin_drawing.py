"""The drawing of the bins, read back."""

import re
import xml.etree.ElementTree as ET

import pytest

from segdemo.lessons import adaptive_pooling as lesson
from segdemo.ui.bin_drawing import OVERLAP, REPEAT, draw_bins

SVG = "{http://www.w3.org/2000/svg}"


def drawn(n, m):
    html = draw_bins(list(range(n)), [0.5] * m)
    return html, ET.fromstring(re.search(r"<svg.*</svg>", html, re.DOTALL).group())


@pytest.mark.parametrize("n", (1, 2, 5, 7, 31, 32))
@pytest.mark.parametrize("m", (1, 2, 4, 7, 32))
def test_every_bin_has_a_bracket_and_marks_are_where_they_belong(n, m):
    html, svg = drawn(n, m)
    width = max(n, m) * 36
    brackets = [path.get("d") for path in svg.iter(f"{SVG}path") if path.get("class") == "bin"]
    edges = [tuple(map(float, re.match(r"M([\d.]+) .*H([\d.]+)V", path).groups())) for path in brackets]
    for (left, right), (start, end) in zip(edges, lesson.bins(n, m), strict=True):
        assert left == pytest.approx(start * width / n + 2, abs=0.1)
        assert right == pytest.approx(end * width / n - 2, abs=0.1)
    fills = [rect.get("fill") for rect in svg.iter(f"{SVG}rect")]
    assert fills.count("none") == n + m
    assert fills.count(OVERLAP) == lesson.overlap_count(n, m)
    assert fills.count(REPEAT) == sum(lesson.repeats(n, m))
    assert f"{n} input cells" in svg.get("aria-label")
    assert f"download='bins_{n}_to_{m}.svg'" in html


def test_the_drawing_bears_its_numbers():
    _, svg = drawn(7, 4)
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert [text for text in texts if text.startswith("×")] == ["×2"] * 3
    assert texts.count("0.5") == 4
