"""Line charts and histograms as SVG, in the colour of the text around them: they read on dark and on light."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

from matplotlib.ticker import MaxNLocator

BETWEEN_LANGUAGES = "\u2063"
"""Stands between the languages of a text, one behind the other; the page shows one of them."""
Point = tuple[float, float]
# Okabe and Ito's, those that stand out from black and from white; dashes tell them apart without colour.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_DASHES = ("none", "7 4", "2 4", "9 3 2 3")
_WIDTH, _HEIGHT = 360, 216
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 350, 26, 178
_ACROSS, _UP = (_LEFT + 8, _RIGHT - 8), (_BOTTOM, _TOP + 6)  # where axes start and end
_MOST_TICKS = 6
_LAST_LATIN = 0x24F
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Line:
    """One line of a chart, from left to right; points that are not finite are left out, `marked` ones bear a dot."""

    name: str
    points: tuple[Point, ...]
    marked: bool = True


@dataclass(frozen=True)
class _Axis:
    """Values to places in the picture."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[tuple[float, str], ...]
    scaled: Callable[[float], float]

    def place(self, value: float) -> float:
        share = (self.scaled(value) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def line_chart(lines: Sequence[Line], x_label: str, y_label: str, alternative: str, logarithmic: bool = False) -> str:
    """Draw up to four lines, which differ in colour and in dashes, as an `<svg>` element.

    Args:
        lines: Named as in the legend.
        x_label: Under the horizontal axis.
        y_label: Over the vertical axis.
        alternative: What the picture shows, in words.
        logarithmic: Whether the vertical axis is; values that are not above zero are then left out.

    Raises:
        ValueError: There are more lines than can be told apart, or there is no point to draw.
    """
    if len(lines) > len(_COLOURS):
        raise ValueError(f"{len(lines)} lines cannot be told apart: {len(_COLOURS)} at most.")
    drawn = [[p for p in line.points if all(map(isfinite, p)) and (p[1] > 0 or not logarithmic)] for line in lines]
    every = [point for points in drawn for point in points]
    if not every:
        raise ValueError("There is no point to draw.")
    x = _linear([x for x, _ in every])
    y = (_powers if logarithmic else _rounded)([y for _, y in every])
    parts = [_axes(x, y, x_label, y_label)]
    entry = _RIGHT - sum(_entry_width(line.name) for line in lines)
    for index, (line, points) in enumerate(zip(lines, drawn, strict=True)):
        parts.append(_line([(x.place(a), y.place(b)) for a, b in points], index, line.marked))
        parts.append(_entry(line.name, index, entry))
        entry += _entry_width(line.name)
    return _svg(parts, alternative)


def histogram(counts: Sequence[float], low: float, high: float, labels: tuple[str, str], alternative: str) -> str:
    """Draw counts by bins of equal width, from `low` up to `high`, as an `<svg>` element.

    Labels stand under the horizontal axis and over the vertical one; the alternative says in words what is shown.

    Raises:
        ValueError: There is nothing to draw.
    """
    if not low < high or max(counts, default=0) <= 0:
        raise ValueError("There is nothing to draw.")
    x = _linear([low, high])
    y = _rounded([0, max(counts)])
    step = (high - low) / len(counts)
    path = f"M{x.place(low)} {_BOTTOM}"
    for index, count in enumerate(counts):
        path += f"V{y.place(count)}H{x.place(low + (index + 1) * step)}"
    bars = f'<path d="{path}V{_BOTTOM}Z" fill="{_COLOURS[0]}"/>'
    return _svg([bars, _axes(x, y, *labels)], alternative)


def standalone(svg: str) -> str:
    """Make a file of its own of a chart: dark on white, whatever the page around it was."""
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" color="#222" style="background:#fff" ', 1)


def _linear(values: Sequence[float]) -> _Axis:
    """Reach from the least to the greatest value, from left to right."""
    low, high = _range(values)
    slack = (high - low) * 1e-6
    ticks = [tick for tick in _ticks(values) if low - slack <= tick <= high + slack]
    return _Axis(low, high, *_ACROSS, tuple((tick, _number(tick)) for tick in ticks), float)


def _rounded(values: Sequence[float]) -> _Axis:
    """Reach from tick to tick, upwards."""
    ticks = _ticks(values)
    return _Axis(ticks[0], ticks[-1], *_UP, tuple((tick, _number(tick)) for tick in ticks), float)


def _range(values: Sequence[float]) -> Point:
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # one value, up to rounding
        return low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    return low, high


def _ticks(values: Sequence[float]) -> list[float]:
    whole = all(float(value).is_integer() for value in values)
    locator = MaxNLocator(_MOST_TICKS - 1, steps=[1, 2, 5, 10], integer=whole)
    return [float(tick) for tick in locator.tick_values(*_range(values))]


def _powers(values: Sequence[float]) -> _Axis:
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    high = max(high, low + 1)
    step = ceil((high - low) / (_MOST_TICKS - 1))
    ticks = tuple((10.0**power, _power(power)) for power in range(low, high + 1, step))
    return _Axis(low, high, *_UP, ticks, log10)


def _power(exponent: int) -> str:
    return {0: "1", 1: "10"}.get(exponent, "10" + str(exponent).translate(_RAISED))


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def _axes(x: _Axis, y: _Axis, x_label: str, y_label: str) -> str:
    parts = [f'<path d="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}" fill="none" stroke="currentColor" opacity="0.6"/>']
    for value, text in y.ticks:
        at = y.place(value)
        parts.append(f'<path d="M{_LEFT} {at}H{_RIGHT}" stroke="currentColor" opacity="0.15"/>')
        parts.append(f'<text x="{_LEFT - 5}" y="{at + 4}" text-anchor="end">{text}</text>')
    for value, text in x.ticks:
        parts.append(f'<text x="{x.place(value)}" y="{_BOTTOM + 15}" text-anchor="middle">{text}</text>')
    middle = (_LEFT + _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(f'<text x="4" y="{_TOP - 12}">{escape(y_label)}</text>')
    return "".join(parts)


def _line(places: Sequence[Point], index: int, marked: bool) -> str:
    colour = _COLOURS[index]
    path = "M" + "L".join(f"{x} {y}" for x, y in places) if places else ""
    stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{_DASHES[index]}"'
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places) if marked else ""
    return f'<path d="{path}" fill="none" {stroke}/>{dots}'


def _entry(name: str, index: int, left: float) -> str:
    at = _TOP - 16
    stroke = f'stroke="{_COLOURS[index]}" stroke-width="3" stroke-dasharray="{_DASHES[index]}"'
    return f'<path d="M{left} {at}h20" {stroke}/><text x="{left + 24}" y="{at + 4}">{escape(name)}</text>'


def _entry_width(name: str) -> float:
    """Leave room for a name in whichever language is the longest; Hangul is nearly twice as wide as Latin letters."""
    return 36 + max(sum(11 if ord(c) > _LAST_LATIN else 6 for c in text) for text in name.split(BETWEEN_LANGUAGES))


def _svg(parts: Sequence[str], alternative: str) -> str:
    text = escape(alternative)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{text}" font-size="11" '
        f'font-family="system-ui, sans-serif"><g fill="currentColor">{"".join(parts)}</g></svg>'
    )
