"""HTML for what is found on a photo: legend, colour bars, table of classes, facts, one pixel's probabilities."""

import base64
import io
from collections.abc import Iterable
from html import escape

from PIL import Image

from segdemo import catalog, render
from segdemo.segmentation import Segmentation

_LONGEST_LIST = 5  # classes
_LONGEST_KNOWN = 12  # classes; streets have eleven
_NEARLY_ALL = 0.95  # of a photo
_NEAR_SIZE = 1.5  # times the size at which a network was measured, or a part as small


def legend(*segmentations: Segmentation) -> str:
    """List the classes that occur with their colours; the background is left uncoloured."""
    items: dict[str, None] = {}  # what two networks both name and colour stands there once
    for each in segmentations:
        names = _largest(each)
        if len(each.classes) <= _LONGEST_LIST:
            names.sort(key=each.classes.index)
        items |= dict.fromkeys(
            [*(f"<li>{_swatch(each, name)}{escape(name)}</li>" for name in names), _rest(each, "li")]
        )
    little = "".join(f"<p class='knows'>{text}</p>" for each in segmentations[:1] if (text := _little(each)))
    return f"<div class='legend'><b>Class map</b><ul aria-label='Legend'>{''.join(items)}</ul>{little}</div>"


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


def problem(error: object, stale: bool = False) -> str:
    """Say beside its field what went wrong.

    Args:
        error: What to say.
        stale: Whether the results are no longer those of what is chosen; the page greys them.
    """
    text = str(getattr(error, "message", error))  # a gr.Error puts quotes round its own
    return f"<p class='problem{' stale' if stale else ''}' role='alert'>{escape(text)}</p>"


def knows(name: str) -> str:
    """Say which classes a network knows, and what it does with all else."""
    metadata = catalog.find(name).metadata
    classes = metadata.classes[int(metadata.has_background) :]
    listed = ", ".join(classes[:_LONGEST_KNOWN])
    more = f" and {len(classes) - _LONGEST_KNOWN:,} more" if len(classes) > _LONGEST_KNOWN else ""
    rest = "anything else is background" if metadata.has_background else "every pixel gets one of them, fitting or not"
    return f"<p class='knows'>It knows <b>{escape(listed)}</b>{more}; {rest}.</p>"


def size_note(segmentation: Segmentation) -> str:
    """Warn of an analysis size far from the one at which the network was measured; empty where it is near."""
    own = catalog.find(segmentation.network).metadata.analysis_size
    seen = max(segmentation.analysis_size)
    if own / _NEAR_SIZE <= seen <= own * _NEAR_SIZE:
        return ""
    return (
        f"<p class='size-note' role='status'>This network learned and was measured at {own} px. At {seen} px things "
        f"have another size than it is used to, and it may find less.</p>"
    )


def slide(left: tuple[Image.Image, str], right: tuple[Image.Image, str]) -> str:
    """Lay two pictures of one size over each other, with a line to drag between them.

    Args:
        left: What is seen left of the line, and its name.
        right: The same on the right.
    """
    (below, right_name), (above, left_name) = right, left
    names = "".join(
        f"<b class='{side}'>{escape(name)}</b>" for side, name in (("left", left_name), ("right", right_name))
    )
    pictures = "".join(
        f"<img src='{data_url(picture)}' alt='Class map of {escape(name, quote=True)}' class='{side}'>"
        for picture, name, side in ((below, right_name, "right"), (above, left_name, "left"))
    )
    label = escape(f"Line between {left_name} on the left and {right_name} on the right", quote=True)
    return (
        f"<div class='slide' style='--wide:{below.width};--high:{below.height}'>{pictures}{names}"
        f"<input type='range' min='0' max='100' step='0.5' value='50' aria-label='{label}'></div>"
    )


def data_url(picture: Image.Image) -> str:
    """Write a picture, as JPEG, into an address of its own."""
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=92)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


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


def _little(segmentation: Segmentation) -> str:
    """Say what the network knows where it found little of it; empty elsewhere."""
    background, *known = segmentation.classes
    if not segmentation.has_background or segmentation.areas[background] < _NEARLY_ALL:
        return ""
    found = 1 - segmentation.areas[background]
    return f"{found:.1%} of the photo is something that this network knows ({escape(', '.join(known))})."


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
