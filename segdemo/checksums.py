"""The table of a folder's checkpoints with their sha256, and the comparison of a file with it."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from segdemo.metadata import CheckpointError
from segdemo.safe_files import explain, write_text

SUMS = "SHA256SUMS"
"""The table of a folder's files, as `sha256sum` writes and checks it."""
_BLOCK = 1 << 20


def write_sums(folder: Path) -> Path:
    """Write the sha256 of a folder's checkpoints beside them, and give the table's path."""
    lines = [f"{digest(path)}  {path.name}\n" for path in sorted(folder.glob("*.safetensors"))]
    table = folder / SUMS
    write_text(table, "".join(lines))
    return table


def verify(path: Path, found: str | None = None) -> None:
    """Compare a file, or its sha256 where that is known, with the sum that the table beside it has.

    A file that is not there is for `load` to refuse.

    Raises:
        CheckpointError: The sum differs, or the table has none or cannot be read.
    """
    if not path.is_file():
        return
    table = path.with_name(SUMS)
    try:
        entries = table.read_text(encoding="utf-8").splitlines() if table.is_file() else []
    except OSError as error:
        raise CheckpointError(explain(error)) from error
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{SUMS} beside {path.name} is damaged, since it is no text: fetch it again") from error
    # Between the two stand two blanks, or a blank and an asterisk.
    sums = {name.lstrip(" *"): wanted for wanted, _, name in (entry.partition(" ") for entry in entries)}
    advice = "if you trust the file, `python -m segdemo sums` writes it"
    if path.name not in sums:
        raise CheckpointError(f"{SUMS} has no sum for {path.name}: {advice}")
    if sums[path.name] != (found or digest(path)):
        raise CheckpointError(f"{path.name} is not the file whose sum {SUMS} has: fetch it again, or {advice}")


def digest(path: Path) -> str:
    """Give a file's sha256 in hexadecimal; read once a process as long as the file stays what it is."""
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, _size: int, _changed: int) -> str:
    found = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
