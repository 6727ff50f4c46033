"""Small matrices as people type them."""

import json
import re

import torch
from torch import Tensor

MOST = 6
"""Rows and columns."""
_LARGEST = 1e6


def read_matrix(text: str, what: str) -> Tensor:
    """Read a square matrix: rows on lines or between semicolons, or as Python writes it.

    Args:
        text: "0 1; 2 3", "0, 1 (new line) 2, 3", or "[[0, 1], [2, 3]]".
        what: "input" or "kernel", for the sentence.

    Returns:
        float32 `[n, n]`, n from 1 to 6.

    Raises:
        ValueError: It is no square matrix of numbers that are not too large.
    """
    text = text.strip().replace("−", "-")
    try:
        rows = json.loads(text) if text.startswith("[") else _rows(text)
        matrix = torch.tensor(rows, dtype=torch.float32)
    except (ValueError, TypeError) as error:
        raise ValueError(f"The {what} must be rows of numbers, all of one length.") from error
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not 0 < len(matrix) <= MOST:  # noqa: PLR2004
        raise ValueError(f"The {what} must be square, from 1×1 to {MOST}×{MOST}.")
    if not matrix.abs().le(_LARGEST).all():
        raise ValueError(f"The {what}'s numbers must lie between −1,000,000 and 1,000,000.")
    return matrix


def _rows(text: str) -> list[list[float]]:
    lines = [line for line in re.split(r"[;\n]", text) if line.strip()]
    return [[float(number) for number in re.split(r"[,\s]+", line.strip(" ,\t"))] for line in lines]
