"""Tables as CSV that is safe to open: numbers to six digits, and no cell that starts a formula."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write rows as CSV in UTF-8: numbers to six digits, cells that start formulas disarmed."""
    return b"".join(encoded(csv_row(row)) for row in (columns, *rows))


def csv_row(values: Sequence[Any]) -> str:
    """One row, without its line end."""
    return ",".join(map(_cell, values))


def encoded(row: str) -> bytes:
    """A row as a line of the file."""
    return f"{row}\n".encode("utf-8", "backslashreplace")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    text = str(value)
    if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r"):
        # a spreadsheet would run it; ids come from strangers
        text = "'" + text
    # not csv.writer: it leaves a carriage return bare, and what follows would be a new row
    if any(char in text for char in ',"\r\n'):
        text = '"' + text.replace('"', '""') + '"'
    return text
