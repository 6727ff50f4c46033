"""The log of a run: one row each so many steps, as CSV."""

import csv
from collections.abc import Mapping
from pathlib import Path

from segdemo.safe_files import write_text
from segdemo.tables import as_csv


def read_log(path: Path) -> list[dict[str, str]]:
    """Read the rows; none where there is no file.

    Raises:
        ValueError: The file is no log.
    """
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        if "step" not in (reader.fieldnames or ("step",)) or any(int(row["step"]) < 1 for row in rows):
            raise ValueError("steps are counted from 1")
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged, or no log of a run: delete it, or choose another folder") from error
    return rows


def append_row(path: Path, row: Mapping[str, float]) -> None:
    """Put a row behind those of the steps before it; what a stopped run left of this step or later ones goes.

    The file is made where there is none; steps are counted from 1.

    Raises:
        ValueError: The file is no log.
        OSError: It cannot be written.
    """
    rows = [kept for kept in read_log(path) if int(kept["step"]) < int(row["step"])]
    write_text(path, as_csv(list(row), [*rows, row]))
