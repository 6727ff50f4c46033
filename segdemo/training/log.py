"""The log of a run: one row an epoch, as CSV."""

import csv
from pathlib import Path


def read_log(path: Path) -> list[dict[str, str]]:
    """Read the rows; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def append_row(path: Path, row: dict[str, object]) -> None:
    """Put a row behind those of the epochs before it; what a stopped run left of this epoch or later ones goes.

    Args:
        path: The CSV file, made where there is none.
        row: With `epoch`, counted from 1.
    """
    rows = [kept for kept in read_log(path) if int(kept["epoch"]) < int(row["epoch"])]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*rows, row])
    partial.replace(path)
