"""CSV files that a spreadsheet shows as they are."""

from collections.abc import Iterable, Mapping, Sequence

# What a spreadsheet takes for the start of a formula, in Latin and in full-width letters (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_QUOTED = ',;"\t\r\n'


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Lay rows out as CSV in which no cell is a formula.

    A semicolon in a name starts no new cell where spreadsheets part cells by semicolons, since such a cell is quoted. A
    text that a spreadsheet would compute has an apostrophe before it; numbers stay as they are. A value that is missing
    is empty; what is in no column is left out.
    """
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    text = "".join(",".join(map(_cell, line)) + "\r\n" for line in lines)
    # A name may hold bytes that are no text, which Python keeps as half characters that no file can hold.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _cell(value: object) -> str:
    text = str(value)
    if text.startswith(_FORMULA) and not _is_number(text):
        text = f"'{text}"
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if any(sign in text for sign in _QUOTED) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
