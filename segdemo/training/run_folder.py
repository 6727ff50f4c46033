"""What is made sure of before the first step of a run: its folder can be written, holds it, and loses nothing."""

import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from torch import nn

from segdemo.safe_files import remove_partials, write_bytes

# The weights, their average and AdamW's two means as float32, and a checkpoint as float16.
_BYTES_A_WEIGHT = 4 * 4 + 2


def prepare(folder: Path, writes: Iterable[str], resume: bool, reads: Iterable[Path] = ()) -> None:
    """Make a run's folder ready, and refuse one in which a file that it writes or reads would be lost.

    It is made where there is none. A run that is resumed finds its own files there.

    Raises:
        ValueError: A file is there that the run would write over.
        OSError: The folder cannot be made or written; the error names it.
    """
    paths = [folder / name for name in writes]
    there = [path for path in paths if path.exists()]
    if there and not resume:
        raise ValueError(f"{there[0]} is there already: go on with --resume, or choose another folder with --out")
    for path in reads:
        if any(path.resolve() == each.resolve() for each in paths):
            raise ValueError(f"{path} is read by this run and would be written over: choose another folder with --out")
    remove_partials(folder)
    probe = folder / f".segdemo-{uuid.uuid4().hex}"
    try:
        write_bytes(probe, b"x")  # a full disk holds a name, but not a byte
    except OSError as error:
        if error.filename == str(probe):
            error.filename = str(folder)
        raise
    finally:
        probe.unlink(missing_ok=True)


def check_space(folder: Path, network: nn.Module) -> None:
    """Refuse a disk that cannot hold what a run of a network writes to its folder, before hours are spent on it.

    Raises:
        ValueError: There is too little space; the message says how much is needed.
    """
    needed = sum(parameter.numel() for parameter in network.parameters()) * _BYTES_A_WEIGHT
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ValueError(
            f"the disk of {folder} has {free / 1e6:,.0f} MB left, and a run of this network writes {needed / 1e6:,.0f} "
            "MB: free some space, or choose another folder with --out"
        )
