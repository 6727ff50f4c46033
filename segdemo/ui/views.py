"""HTML for what is found on a photo: legend, colour bars, table of classes, facts, one pixel's probabilities."""

from collections.abc import Iterable

from markupsafe import Markup
from PIL import Image

from segdemo import catalog, entries, render
from segdemo.segmentation import Segmentation
from segdemo.ui import files
from segdemo.ui.i18n import Both, alike, both, joined, say, say_made
from segdemo.ui.inference import were_without_gpu
from segdemo.ui.templates import render as render_template

# What each group of networks knows, in words.
GROUPS = {
    catalog.PETS: "group.pets",
    catalog.STREETS: "group.streets",
    catalog.IMAGENET: "group.imagenet",
    catalog.VOC: "group.voc",
    catalog.YOURS: "group.yours",
}
_LONGEST_LIST = 5  # classes
_LONGEST_KNOWN = 12  # classes; streets have eleven
_NEARLY_ALL = 0.95  # of a photo
_NEAR_SIZE = 1.5  # times the size at which a network was measured, or a part as small


def network_label(entry: entries.Entry) -> Both:
    """Name a network with what it knows behind it; no two are named the same."""
    return joined(" · ", (alike(entry.title), both(GROUPS[entry.group])))


def legend(*segmentations: Segmentation) -> Markup:
    """List the classes that occur with their colours; the background is left uncoloured."""
    items: dict[tuple[str, str, bool], None] = {}  # what two networks both name and colour stands there once
    for each in segmentations:
        names = _largest(each)
        if len(each.classes) <= _LONGEST_LIST:
            names.sort(key=each.classes.index)
        items |= dict.fromkeys(_swatch(each, name) for name in names)
    left_out = sum(_left_out(each) for each in segmentations)
    return render_template("legend", items=items, left_out=left_out, little=_little(segmentations[0]))


def heat_bar(class_name: str, colormap: str) -> Markup:
    """Draw the fixed scale of the heatmap, 0 to 1."""
    text = say("view.probability_of", class_name=class_name)
    return _bar("segment.heatmap", text, colormap, ("0", "0.5", "1"))


def score_bar(class_name: str, limit: float, cells: tuple[int, int]) -> Markup:
    """Draw the scale of the score grid, symmetric about zero."""
    text = say("view.scores_of", class_name=class_name, cells=_pixels(cells))
    return _bar("segment.scores", text, render.SCORE_COLORMAP, (f"−{limit:.1f}", "0", f"{limit:.1f}"))


def class_table(segmentation: Segmentation) -> Markup:
    """Tabulate the classes that occur: area in percent and mean confidence, largest first."""
    areas, confidences = segmentation.areas, segmentation.confidences
    rows = [(*_swatch(segmentation, name), areas[name], confidences[name]) for name in _largest(segmentation)]
    return render_template("classes", rows=rows, left_out=_left_out(segmentation))


def facts(segmentation: Segmentation, milliseconds: dict[str, float]) -> Markup:
    """Say in one line what ran, on what, at which sizes and how long each step took."""
    sentence = say(
        "view.facts",
        network=catalog.find(segmentation.network).title,
        device=segmentation.device,
        precision=segmentation.precision,
        photo=_pixels(segmentation.image_size),
        size=_pixels(segmentation.analysis_size),
        score_map=_pixels(segmentation.score_size),
        stride=segmentation.stride,
        times=joined(" + ", (both(f"view.step_{step}", milliseconds=value) for step, value in milliseconds.items())),
    )
    return render_template("facts", text=sentence, without_gpu=were_without_gpu([segmentation]))


def pixel(segmentation: Segmentation, x: int, y: int) -> Markup:
    """Show the probability of each class at one pixel of the photo as bars."""
    probabilities = segmentation.probabilities_at(x, y)
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])[:_LONGEST_LIST]
    return render_template("pixel", x=x, y=y, ranked=ranked)


def story(name: str) -> Markup:
    """Tell a network's one-line story."""
    return render_template("story", text=say_made(catalog.find(name).story))


def problem(error: object, stale: bool = False) -> Markup:
    """Say beside its field what went wrong; results that are stale, no longer those of what is chosen, are greyed."""
    text = getattr(error, "message", error)  # a gr.Error puts quotes round its own
    return render_template("problem", text=text, stale=stale)


def knows(name: str) -> Markup:
    """Say which classes a network knows, and what it does with all else."""
    metadata = catalog.find(name).metadata
    classes = metadata.classes[int(metadata.has_background) :]
    return render_template(
        "knows",
        listed=", ".join(classes[:_LONGEST_KNOWN]),
        more=max(len(classes) - _LONGEST_KNOWN, 0),
        has_background=metadata.has_background,
    )


def size_note(segmentation: Segmentation) -> str:
    """Warn of an analysis size far from the one at which the network was measured; empty where it is near."""
    own = catalog.find(segmentation.network).metadata.analysis_size
    seen = max(segmentation.analysis_size)
    if own / _NEAR_SIZE <= seen <= own * _NEAR_SIZE:
        return ""
    return render_template("size_note", own=own, seen=seen)


def slide(left: tuple[Image.Image, str], right: tuple[Image.Image, str]) -> Markup:
    """Lay two pictures of one size over each other, each with its name, and a line to drag between them."""
    pictures = (("right", right), ("left", left))  # the lower one first
    names = {"left": left[1], "right": right[1]}
    layers = [(side, files.data_url(picture, "jpeg", quality=92)) for side, (picture, _) in pictures]
    width, height = right[0].size
    return render_template("slide", names=names, layers=layers, width=width, height=height)


def _bar(title: str, text: Markup, colormap: str, ticks: Iterable[str]) -> Markup:
    return render_template("bar", title=title, text=text, gradient=render.css_gradient(colormap), ticks=ticks)


def _largest(segmentation: Segmentation) -> list[str]:
    """Name the classes that cover most, largest first, as many as a page has room for."""
    ranked = sorted(segmentation.areas.items(), key=lambda item: -item[1])
    return [name for name, share in ranked if share > 0][:_LONGEST_LIST]


def _left_out(segmentation: Segmentation) -> int:
    """Count the classes that a list has no room for."""
    return max(sum(share > 0 for share in segmentation.areas.values()) - _LONGEST_LIST, 0)


def _little(segmentation: Segmentation) -> str:
    """Say what the network knows where it found little of it; empty elsewhere."""
    background, *known = segmentation.classes
    if not segmentation.has_background or segmentation.areas[background] < _NEARLY_ALL:
        return ""
    return say("view.little", share=1 - segmentation.areas[background], names=", ".join(known))


def _swatch(segmentation: Segmentation, name: str) -> tuple[str, str, bool]:
    """Give a class's name and colour, and whether it is left uncoloured."""
    index = segmentation.classes.index(name)
    return name, segmentation.colours[index], segmentation.has_background and index == 0


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
