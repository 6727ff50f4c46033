"""HTML for what is found on a photo: legend, colour bars, table of classes, facts, one pixel's probabilities."""

from collections.abc import Iterable
from html import escape

from segdemo import catalog, render
from segdemo.segmentation import Segmentation

_LONGEST_LIST = 5  # classes


def legend(segmentation: Segmentation) -> str:
    """List the classes that occur with their colours; the background is left uncoloured."""
    names = _largest(segmentation)
    if len(segmentation.classes) <= _LONGEST_LIST:
        names.sort(key=segmentation.classes.index)
    items = "".join(f"<li>{_swatch(segmentation, name)}{escape(name)}</li>" for name in names)
    return f"<div class='legend'><b>Class map</b><ul aria-label='Legend'>{items}{_rest(segmentation, 'li')}</ul></div>"


def heat_bar(class_name: str, colormap: str) -> str:
    """Draw the fixed scale of the heatmap, 0 to 1."""
    return _bar("Heatmap", f"probability of {class_name}", colormap, ("0", "0.5", "1"))


def score_bar(class_name: str, limit: float, cells: tuple[int, int]) -> str:
    """Draw the scale of the score grid, symmetric about zero."""
    text = f"{class_name}, {_pixels(cells)} cells"
    return _bar("Scores", text, render.SCORE_COLORMAP, (f"−{limit:.1f}", "0", f"{limit:.1f}"))


def class_table(segmentation: Segmentation) -> str:
    """Tabulate the classes that occur: area in percent and mean confidence, largest first."""
    areas, confidences = segmentation.areas, segmentation.confidences
    rows = "".join(
        f"<tr><th scope='row'>{_swatch(segmentation, name)}{escape(name)}</th>"
        f"<td>{areas[name]:.1%}</td><td>{confidences[name]:.2f}</td></tr>"
        for name in _largest(segmentation)
    )
    head = "<tr><th scope='col'>class</th><th scope='col'>area</th><th scope='col'>mean confidence</th></tr>"
    return f"<table class='classes'><thead>{head}</thead><tbody>{rows}{_rest(segmentation, 'tr')}</tbody></table>"


def facts(segmentation: Segmentation, milliseconds: dict[str, float]) -> str:
    """Say in one line what ran, on what, at which sizes and how long each step took."""
    parts = [
        catalog.find(segmentation.network).title,
        f"{segmentation.device}, {segmentation.precision}",
        f"photo {_pixels(segmentation.image_size)}",
        f"analysed at {_pixels(segmentation.analysis_size)}",
        f"score map {_pixels(segmentation.score_size)}, stride {segmentation.stride}",
        " + ".join(f"{step} {value:.0f} ms" for step, value in milliseconds.items()),
    ]
    return f"<p class='facts'>{' · '.join(escape(part) for part in parts)}</p>"


def pixel(segmentation: Segmentation, x: int, y: int) -> str:
    """Show the probability of each class at one pixel of the photo as bars."""
    probabilities = segmentation.probabilities_at(x, y)
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])[:_LONGEST_LIST]
    bars = "".join(
        f"<li><span>{escape(name)}</span>"
        f"<meter min='0' max='1' value='{value:.4f}' aria-label='{escape(name)}'></meter><b>{value:.1%}</b></li>"
        for name, value in ranked
    )
    return f"<div class='pixel' role='status'>pixel ({x}, {y})<ul>{bars}</ul></div>"


def pixel_hint() -> str:
    """Say what a click does."""
    return "<div class='pixel'>Click on the photo or the class map: the probabilities at that pixel appear here.</div>"


def story(name: str) -> str:
    """Tell a network's one-line story."""
    return f"<p class='story'>{escape(catalog.find(name).story)}</p>"


def _bar(title: str, text: str, colormap: str, ticks: Iterable[str]) -> str:
    labels = "".join(f"<span>{tick}</span>" for tick in ticks)
    return (
        f"<div class='bar'><div class='ramp' style='background:{render.css_gradient(colormap)}'></div>"
        f"<div class='ticks'>{labels}</div><div class='what'><b>{title}</b> {escape(text)}</div></div>"
    )


def _largest(segmentation: Segmentation) -> list[str]:
    """Name the classes that cover most, largest first, as many as a page has room for."""
    ranked = sorted(segmentation.areas.items(), key=lambda item: -item[1])
    return [name for name, share in ranked if share > 0][:_LONGEST_LIST]


def _rest(segmentation: Segmentation, tag: str) -> str:
    """Say how many classes a list leaves out."""
    left_out = sum(share > 0 for share in segmentation.areas.values()) - _LONGEST_LIST
    if left_out <= 0:
        return ""
    text = f"and {left_out} more"
    return f"<tr><td colspan='3'>{text}</td></tr>" if tag == "tr" else f"<li>{text}</li>"


def _swatch(segmentation: Segmentation, name: str) -> str:
    index = segmentation.classes.index(name)
    clear = " clear" if segmentation.has_background and index == 0 else ""
    return f"<i class='swatch{clear}' style='--c:{escape(segmentation.colours[index])}'></i>"


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
