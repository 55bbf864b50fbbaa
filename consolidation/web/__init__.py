"""Scripts, styles and texts of pages: plain files, served or put into a page as they are."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def text(name: str) -> str:
    """Text of a file of this folder.

    Examples
    --------
    >>> text("tokens.css").startswith(":root {")
    True
    """
    return (FOLDER / name).read_text("utf-8")
