"""The results table of the two READMEs, written from measured figures so that none is typed by hand."""

import re
from pathlib import Path

START, END = "<!-- results: written by `python -m segdemo evaluate` -->", "<!-- end of results -->"
_COLUMNS = ("mIoU", "background IoU", "cat IoU", "dog IoU", "foreground IoU", "pixel accuracy", "cat or dog")


def results_table(results: dict[str, dict], split: str) -> str:
    """Lay figures out as a Markdown table.

    Args:
        results: By network name, what `evaluate` gives.
        split: That they were measured on.

    Returns:
        The table's lines and one that says what was measured; figures with three decimals.
    """
    lines = [f"| network | {' | '.join(_COLUMNS)} |", f"| --- |{' ---: |' * len(_COLUMNS)}"]
    for name, figures in results.items():
        cells = [
            figures["miou"],
            *figures["class_iou"].values(),
            figures["foreground_iou"],
            figures["pixel_accuracy"],
            figures.get("image_accuracy"),
        ]
        lines.append(f"| `{name}` | {' | '.join('–' if c is None else f'{c:.3f}' for c in cells)} |")
    counts = sorted({figures["images"] for figures in results.values()})
    images = " or ".join(f"{count:,}" for count in counts)
    return "\n".join([*lines, "", f"Measured on {images} photos of the {split} split, border pixels left out."])


def write_table(path: Path, table: str) -> None:
    """Put a table in the place that a file keeps for it.

    Raises:
        ValueError: The file has no such place.
    """
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{path.name} has no place for the results, between {START} and {END}")
    path.write_text(pattern.sub(lambda _: f"{START}\n{table}\n{END}", text), encoding="utf-8")
