"""The bins of adaptive pooling as a drawing."""

from collections.abc import Sequence

from markupsafe import Markup

from segdemo.lessons.adaptive_pooling import bins, levels, repeats, times_taken
from segdemo.ui.i18n import both, svg_address
from segdemo.ui.templates import render

OVERLAP, REPEAT = "#e69f00", "#56b4e9"  # Okabe and Ito's orange and sky blue
_CELL, _HEIGHT, _LINE = 36, 34, 16  # a cell's least width, a row's height, from one line of brackets to the next
_LEAST = 16  # pixels on the page that a cell keeps, be the screen ever so narrow


def draw_bins(inputs: Sequence[float], outputs: Sequence[float]) -> Markup:
    """Draw n input cells in a row, a bracket below them for each bin, and the m output cells that they lead to.

    Cells in several bins are orange and bear their number; output cells that repeat the one before are blue.

    Returns:
        HTML: the drawing, as SVG with a text alternative, what its colours mean, and a link that saves it.
    """
    n, m = len(inputs), len(outputs)
    pairs, lines, width = bins(n, m), levels(n, m), max(n, m) * _CELL
    below = 2 * _HEIGHT + (1 + max(lines)) * _LINE
    taken = [(value, times, times > 1) for value, times in zip(inputs, times_taken(n, m), strict=True)]
    given = [(value, 1, again) for value, again in zip(outputs, repeats(n, m), strict=True)]
    svg = render(
        "bins_svg",
        width=width,
        high=below + _HEIGHT,
        row=_HEIGHT,
        line=_LINE,
        least=max(n, m) * _LEAST,
        below=below,
        rows=[(0, width / n, OVERLAP, taken), (below, width / m, REPEAT, given)],
        brackets=list(zip(pairs, lines, strict=True)),
        alternative=both("bins.alternative", inputs=n, outputs=m, bins=", ".join(f"[{a}, {b})" for a, b in pairs)),
    )
    return render("bins", svg=svg, source=svg_address(svg), name=f"bins_{n}_to_{m}", overlap=OVERLAP, repeat=REPEAT)
