"""The results table and the cards of the READMEs, written from what was measured so that no figure is typed by hand."""

import re
from pathlib import Path

from segdemo.checkpoints import Metadata, digest

START, END = "<!-- results: written by `python -m segdemo evaluate` -->", "<!-- end of results -->"
_COLUMNS = (
    "mIoU",
    "background IoU",
    "cat IoU",
    "dog IoU",
    "foreground IoU",
    "boundary IoU",
    "pixel accuracy",
    "cat or dog",
)


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
            figures["boundary_iou"],
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
    _replace(path, START, END, table)


def card(metadata: Metadata, path: Path) -> str:
    """Describe a checkpoint from what it says of itself.

    Args:
        metadata: The checkpoint's.
        path: Its file.

    Returns:
        Markdown, without a heading.
    """
    arguments = ", ".join(f"{key} {value}" for key, value in metadata.arguments.items())
    held_out = "; ".join(
        f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in figures.items() if isinstance(value, float))
        for name, figures in metadata.metrics.items()
    )
    apart = ("name", "architecture", "arguments", "phases", "start")
    settings = ", ".join(f"{k} {v}" for k, v in metadata.recipe.items() if k not in apart)
    phases = {f"phase {i + 1}": _phase(phase) for i, phase in enumerate(metadata.recipe.get("phases", ()))}
    versions = ", ".join(f"{name} {version}" for name, version in metadata.versions.items())
    rows = {
        "architecture": f"`{metadata.architecture}` ({arguments})",
        "file": f"{path.stat().st_size / 1e6:.1f} MB, matrices as float16",
        "sha256": f"`{digest(path)}`",
        "classes": ", ".join(metadata.classes),
        "trained on": metadata.dataset,
        "training": f"{metadata.epochs} epochs in {metadata.minutes:.0f} minutes, seed {metadata.seed}",
        "started from": metadata.recipe["start"],
        "recipe": f"{metadata.recipe['name']}: {settings}",
        **phases,
        "analysis size": f"{metadata.analysis_size} px",
        "held-out photos": held_out,
        "made with": versions,
    }
    return "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in rows.items())])


def _phase(settings: dict[str, object]) -> str:
    """Write a phase's settings in a line, without those that are zero or empty."""
    return ", ".join(f"{key} {_plain(value)}" for key, value in settings.items() if value)


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_plain, value))
    return value if isinstance(value, str) else f"{value:g}"


def write_card(path: Path, name: str, content: str) -> None:
    """Put a checkpoint's card in the place that a file keeps for it.

    Raises:
        ValueError: The file has no such place.
    """
    _replace(path, f"<!-- card: {name} -->", "<!-- end of card -->", content)


def _replace(path: Path, start: str, end: str, content: str) -> None:
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{path.name} has no place between {start} and {end}")
    path.write_text(pattern.sub(lambda _: f"{start}\n{content}\n{end}", text), encoding="utf-8")
