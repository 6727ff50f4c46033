"""The bins of adaptive pooling as a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup

from segdemo.lessons.adaptive_pooling import bins, levels, repeats, times_taken
from segdemo.ui.i18n import LANGUAGES, Both, both, in_language
from segdemo.ui.templates import render

OVERLAP, REPEAT = "#e69f00", "#56b4e9"  # Okabe and Ito's orange and sky blue
_CELL, _HEIGHT, _LINE = 36, 34, 16  # a cell's least width, a row's height, from one line of brackets to the next
_LEAST = 16  # pixels on the page that a cell keeps, be the screen ever so narrow


@dataclass(frozen=True)
class _Cell:
    """A cell of a row: its place, its value, its colour ("" for none), and how many bins it is in."""

    left: float
    top: float
    width: float
    text: str
    colour: str
    times: int = 1

    @property
    def centre(self) -> float:
        return self.left + self.width / 2


@dataclass(frozen=True)
class _Bracket:
    """The bracket of a bin: where it begins, ends and lies, and the middle of its output cell."""

    left: float
    right: float
    bottom: float
    target: float


def draw_bins(inputs: Sequence[float], outputs: Sequence[float]) -> Markup:
    """Draw n input cells in a row, a bracket below them for each bin, and the m output cells that they lead to.

    Cells in several bins are orange and bear their number; output cells that repeat the one before are blue.

    Args:
        inputs: The n values.
        outputs: The m values.

    Returns:
        HTML: the drawing, as SVG with a text alternative, what its colours mean, and a link that saves it.
    """
    n, m = len(inputs), len(outputs)
    width, lines = max(n, m) * _CELL, 1 + max(levels(n, m))
    below = 2 * _HEIGHT + lines * _LINE
    pairs = ", ".join(f"[{start}, {end})" for start, end in bins(n, m))
    svg = render(
        "bins_svg",
        width=width,
        high=below + _HEIGHT,
        row=_HEIGHT,
        least=max(n, m) * _LEAST,
        below=below,
        cells=[*_inputs(inputs, m, width), *_outputs(outputs, n, width, below)],
        brackets=_brackets(n, m, width),
        alternative=both("bins.alternative", inputs=n, outputs=m, bins=pairs),
    )
    source = Both.of({each: f"data:image/svg+xml,{quote(in_language(svg, each))}" for each in LANGUAGES})
    return render("bins", svg=svg, source=source, name=f"bins_{n}_to_{m}", overlap=OVERLAP, repeat=REPEAT)


def _inputs(values: Sequence[float], m: int, width: float) -> list[_Cell]:
    side = width / len(values)
    taken = zip(values, times_taken(len(values), m), strict=True)
    return [
        _Cell(index * side, 0, side, f"{value:.3g}", OVERLAP if times > 1 else "", times)
        for index, (value, times) in enumerate(taken)
    ]


def _outputs(values: Sequence[float], n: int, width: float, top: float) -> list[_Cell]:
    side = width / len(values)
    repeated = zip(values, repeats(n, len(values)), strict=True)
    return [
        _Cell(index * side, top, side, f"{value:.3g}", REPEAT if again else "")
        for index, (value, again) in enumerate(repeated)
    ]


def _brackets(n: int, m: int, width: float) -> list[_Bracket]:
    """Place each bin's bracket, on a line of its own where it overlaps the one before."""
    side, out = width / n, width / m
    return [
        _Bracket(start * side + 2, end * side - 2, _HEIGHT + 14 + level * _LINE, (index + 0.5) * out)
        for index, ((start, end), level) in enumerate(zip(bins(n, m), levels(n, m), strict=True))
    ]
