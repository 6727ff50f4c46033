"""A run's curves as a picture."""

from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segdemo.training.log import read_log

# Okabe and Ito's, which colour-blind people tell apart; black is the loss.
_LINES = ("#e69f00", "#56b4e9", "#009e73", "#cc79a7")
_FIGURES = {"miou": "mIoU", "foreground_iou": "foreground IoU", "image_accuracy": "cat or dog"}


def draw_curves(log: Path, picture: Path) -> None:
    """Draw the loss and the held-out figures of a run's CSV over the steps; a dotted line is where a phase begins.

    The picture is of a file type that matplotlib writes, such as `.png`.
    """
    rows = read_log(log)
    steps = [int(row["step"]) for row in rows]
    wanted = [column for column in rows[0] if column.endswith(tuple(_FIGURES))] if rows else []
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(steps, [float(row["loss"]) for row in rows], color="black", marker=".")
    left.set(title="training loss", xlabel="step", ylim=(0, None))
    for number, column in enumerate(wanted):
        style = {"linestyle": ("-", "--", ":")[number // len(_LINES) % 3], "color": _LINES[number % len(_LINES)]}
        values = [float(row[column]) if row[column] else float("nan") for row in rows]
        right.plot(steps, values, label=_label(column), marker=".", **style)
    right.set(title="held-out photos", xlabel="step", ylim=(0, 1))
    if wanted:
        right.legend(fontsize=8, loc="lower right")
    for axes in (left, right):
        _mark_phases(axes, rows)
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=90)


def _label(column: str) -> str:
    ending = next(ending for ending in _FIGURES if column.endswith(ending))
    return f"{column.removesuffix(ending).strip('_')}: {_FIGURES[ending]}"


def _mark_phases(axes: Axes, rows: list[dict[str, str]]) -> None:
    for before, row in pairwise(rows):
        if before.get("phase") != row.get("phase"):
            axes.axvline(int(row["step"]), color="grey", linestyle=":")
