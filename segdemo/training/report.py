"""The results table and the cards of the READMEs, written from what was measured so that no figure is typed by hand."""

import re
from collections.abc import Mapping
from pathlib import Path

from segdemo.checksums import digest
from segdemo.metadata import Metadata

START, END = "<!-- results: written by `python -m segdemo evaluate` -->", "<!-- end of results -->"
_MEASURES = {
    "foreground_iou": "foreground IoU",
    "boundary_iou": "boundary IoU",
    "pixel_accuracy": "pixel accuracy",
    "image_accuracy": "image accuracy",
}


def results_table(results: dict[str, dict], dataset: str, split: str) -> str:
    """Lay figures of one data set, by network name what `evaluate` gives, out as a Markdown table with three decimals.

    A line behind it says what was measured, on which split.
    """
    classes = list(next(iter(results.values()))["class_iou"])
    measures = {key: title for key, title in _MEASURES.items() if any(key in figures for figures in results.values())}
    columns = ["mIoU", *(f"{name} IoU" for name in classes), *measures.values()]
    lines = [f"| {dataset} | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for name, figures in results.items():
        cells = [figures["miou"], *figures["class_iou"].values(), *(figures.get(key) for key in measures)]
        lines.append(f"| `{name}` | {' | '.join('–' if c is None else f'{c:.3f}' for c in cells)} |")
    images = " or ".join(f"{count:,}" for count in sorted({figures["images"] for figures in results.values()}))
    return "\n".join(
        [*lines, "", f"Measured on {images} photos of the {split} split; pixels without a label are left out."]
    )


def write_table(path: Path, table: str) -> None:
    """Put a table in the place that a file keeps for it.

    Raises:
        ValueError: The file has no such place.
    """
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{path.name} has no place between {START} and {END}")
    path.write_text(pattern.sub(lambda _: f"{START}\n{table}\n{END}", text), encoding="utf-8")


def card(metadata: Metadata, path: Path) -> str:
    """Describe a checkpoint, in Markdown, from what it says of itself, with the YAML that Hugging Face reads."""
    recipe = metadata.recipe
    front = ["---", "license: other", "pipeline_tag: image-segmentation", "library_name: segdemo"]
    front += ["tags:", "  - image-segmentation", f"  - {metadata.architecture.replace('_', '-')}", "---"]
    phases = {f"phase {i + 1}": _settings(phase) for i, phase in enumerate(recipe.get("phases", ()))}
    apart = ("name", "architecture", "arguments", "phases", "start", "classes", "colours", "sources", "terms")
    rows = {
        "architecture": f"`{metadata.architecture}` ({_settings(metadata.arguments)})",
        "file": f"{path.stat().st_size / 1e6:.1f} MB, matrices as float16",
        "sha256": f"`{digest(path)}`",
        "classes": ", ".join(metadata.classes),
        "trained on": metadata.dataset,
        "started from": recipe.get("start", "random weights"),
        "training": f"{metadata.epochs:,} steps in {metadata.minutes:.0f} minutes, seed {metadata.seed}",
        "recipe": _settings({key: value for key, value in recipe.items() if key not in apart}),
        **phases,
        "analysis size": f"{metadata.analysis_size} px",
        **{f"held-out {name}": _settings(_numbers(found)) for name, found in metadata.metrics.items()},
        "made with": _settings(metadata.versions),
        "terms": metadata.terms,
    }
    table = ["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in rows.items() if value)]
    return "\n".join([*front, "", f"# {path.stem}", "", *table, ""])


def _numbers(figures: dict[str, object]) -> dict[str, str]:
    return {key: f"{value:.3f}" for key, value in figures.items() if isinstance(value, float) and "second" not in key}


def _settings(settings: Mapping[str, object]) -> str:
    """Write settings in a line, without those that are zero or empty."""
    return ", ".join(f"{key} {_plain(value)}" for key, value in settings.items() if value)


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, int | float) else str(value)
