"""Scripts, styles and texts of pages: plain files, served or put into a page as they are."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_IMPORT = re.compile(r"^import [^\"]*\"(\.[^\"]+)\";", re.MULTILINE)


def text(name: str) -> str:
    """Text of a file of this folder.

    Examples
    --------
    >>> text("tokens.css").startswith(":root {")
    True
    """
    return (FOLDER / name).read_text("utf-8")


@cache
def modules(name: str) -> tuple[str, ...]:
    """Scripts that a script imports, directly or not, itself first: a page asks for all at once.

    Examples
    --------
    >>> modules("painting/history.js")
    ('painting/history.js', 'painting/tiles.js')
    """
    scripts = [name]
    for script in scripts:
        for imported in _IMPORT.findall(text(script)):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(script), imported))
            if path not in scripts:
                scripts.append(path)
    return tuple(scripts)
