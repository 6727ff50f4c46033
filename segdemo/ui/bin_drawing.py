"""The bins of adaptive pooling as a drawing."""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from segdemo.lessons.adaptive_pooling import bins, levels, repeats, times_taken

OVERLAP, REPEAT = "#e69f00", "#56b4e9"  # Okabe and Ito's orange and sky blue
_CELL, _HEIGHT, _LINE = 36, 34, 16  # a cell's least width, a row's height, from one line of brackets to the next
_LEAST = 16  # pixels on the page that a cell keeps, be the screen ever so narrow


def draw_bins(inputs: Sequence[float], outputs: Sequence[float]) -> str:
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
    parts = [*_inputs(inputs, m, width), *_brackets(n, m, width, below), *_outputs(outputs, n, width, below)]
    pairs = ", ".join(f"[{start}, {end})" for start, end in bins(n, m))
    label = escape(f"{n} input cells in a row; brackets mark the {m} bins {pairs}; below them the {m} output cells")
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='-1 -1 {width + 2} {below + _HEIGHT + 2}' role='img' "
        f"aria-label='{label}' font-family='system-ui, sans-serif' font-size='12' text-anchor='middle' "
        f"fill='currentColor' stroke='none' style='min-width:{max(n, m) * _LEAST}px;max-width:{width}px'>"
        f"{''.join(parts)}</svg>"
    )
    return (
        f"<div class='wide' tabindex='0' role='group' aria-label='Drawing of the bins'>{svg}</div>"
        f"<ul class='legend'><li><span class='swatch' style='--c:{OVERLAP}'></span>in several bins</li>"
        f"<li><span class='swatch' style='--c:{REPEAT}'></span>pools the same cells as the one before: a repeated "
        f"value</li><li><a href='data:image/svg+xml,{quote(svg)}' download='bins_{n}_to_{m}.svg'>Save the drawing</a>"
        f"</li></ul>"
    )


def _inputs(values: Sequence[float], m: int, width: float) -> list[str]:
    side = width / len(values)
    parts = []
    for index, (value, times) in enumerate(zip(values, times_taken(len(values), m), strict=True)):
        if times > 1:
            parts.append(_mark(index * side, 0, side, OVERLAP))
            parts.append(_text((index + 0.5) * side, _HEIGHT - 3, f"×{times}", 10))
        parts.append(_cell(index * side, 0, side, _number(value)))
    return parts


def _brackets(n: int, m: int, width: float, below: float) -> list[str]:
    """Draw each bin's bracket, on a line of its own where it overlaps the one before, and a line to its output cell."""
    side, out = width / n, width / m
    parts = []
    for index, ((start, end), level) in enumerate(zip(bins(n, m), levels(n, m), strict=True)):
        left, right, bottom = start * side + 2, end * side - 2, _HEIGHT + 14 + level * _LINE
        parts.append(
            f"<path class='bin' d='M{left:.1f} {bottom - 8}V{bottom}H{right:.1f}V{bottom - 8}' fill='none' "
            f"stroke='currentColor' stroke-width='1.6'/><path d='M{(left + right) / 2:.1f} {bottom}"
            f"L{(index + 0.5) * out:.1f} {below}' stroke='currentColor' stroke-opacity='.4'/>"
        )
    return parts


def _outputs(values: Sequence[float], n: int, width: float, top: float) -> list[str]:
    side = width / len(values)
    parts = []
    for index, (value, again) in enumerate(zip(values, repeats(n, len(values)), strict=True)):
        if again:
            parts.append(_mark(index * side, top, side, REPEAT))
        parts.append(_cell(index * side, top, side, _number(value)))
    return parts


def _cell(left: float, top: float, width: float, text: str) -> str:
    return (
        f"<rect x='{left:.1f}' y='{top}' width='{width:.1f}' height='{_HEIGHT}' fill='none' stroke='currentColor'/>"
        f"{_text(left + width / 2, top + _HEIGHT / 2 + 1, text, 12)}"
    )


def _mark(left: float, top: float, width: float, colour: str) -> str:
    return f"<rect x='{left:.1f}' y='{top}' width='{width:.1f}' height='{_HEIGHT}' fill='{colour}' fill-opacity='.45'/>"


def _text(centre: float, baseline: float, text: str, size: int) -> str:
    return f"<text x='{centre:.1f}' y='{baseline}' font-size='{size}'>{text}</text>"


def _number(value: float) -> str:
    return f"{value:.3g}"
